"""ψ and χ against scipy's spherical Bessel functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_optics.riccati import RiccatiBessel, riccati_start, slope
from scipy.special import spherical_jn, spherical_yn

Z = torch.tensor([0.05, 0.3, 1.0, 3.14159265, 7.5, 12.0, 26.4], dtype=torch.float64)
N = 23


def both(z):
    return RiccatiBessel.apply(z, N)


def test_values_and_slopes():
    psi, chi = both(Z)
    n, z = np.arange(N + 1)[:, None], Z.numpy()[None]
    j, y = spherical_jn(n, z), spherical_yn(n, z)
    for got, kind, function, value, sign in (
        (psi, 0, spherical_jn, j, 1),
        (chi, 1, spherical_yn, y, -1),
    ):
        assert np.allclose(got.numpy(), sign * z * value, rtol=1e-11, atol=1e-14 * abs(sign * z))
        wanted = sign * (value + z * function(n, z, derivative=True))
        assert np.allclose(slope(got, Z, kind).numpy(), wanted, rtol=1e-10, atol=1e-12)


def test_small_values_keep_their_digits():
    """ψ_23(0.05) = z^24 / 47!!, about 1e-62."""
    psi, _ = both(Z[:1])
    odd = float(np.prod(np.arange(1.0, 48.0, 2.0)))
    wanted = 0.05**24 / odd * (1 - 0.05**2 / (2 * 49))
    assert psi[N, 0].item() == pytest.approx(wanted, rel=1e-8)


def test_zeros_of_the_sine():
    """Where ψ_0 is 0, ψ_1 sets the scale."""
    psi, _ = both(torch.tensor([np.pi], dtype=torch.float64))
    assert psi[:2, 0].tolist() == pytest.approx([0.0, 1.0], abs=1e-14)


def test_derivatives_of_first_and_second_order():
    z = Z[1:6].clone().requires_grad_()

    def some(v):
        psi, chi = RiccatiBessel.apply(v, 4)
        return psi, chi[:3]

    assert torch.autograd.gradcheck(some, z, atol=1e-6, rtol=1e-6)
    assert torch.autograd.gradgradcheck(some, z, atol=1e-5, rtol=1e-5)


# torch's own forward mode calls what torch has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_torch_func():
    psi, chi = both(Z)
    for dim in (0, 1):
        grid = Z.reshape(1, -1).expand(3, -1).movedim(0, dim)
        mapped = torch.vmap(both, in_dims=dim)(grid)
        assert torch.equal(mapped[0], psi.expand(3, -1, -1))
        assert torch.equal(mapped[1], chi.expand(3, -1, -1))
    _, (along, _) = torch.func.jvp(both, (Z,), (torch.full_like(Z, 2.0),))
    assert torch.allclose(along, 2 * slope(psi, Z, 0))


@pytest.mark.parametrize(("z", "order"), [(0.01, 5), (5.0, 23), (26.4, 23), (300.0, 10)])
def test_the_start_is_far_enough(z, order):
    start = riccati_start(z, order)
    assert start > order
    assert abs(z * spherical_jn(start, z)) < 1e-8


def test_no_rows():
    psi, chi = both(Z[:0])
    assert psi.shape == chi.shape == (N + 1, 0)
