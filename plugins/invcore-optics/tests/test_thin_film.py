"""The thin-film task against tmm, and in both published and physical settings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tmm
import torch
from invcore_optics.thin_film import ThinFilm, ThinFilmConfig, absorptance, film_wavelengths

from invcore.plugin import generator

PUBLISHED = ThinFilmConfig(graphene="published", light_from="glass")


def draws(task, rows):
    return task.designs.sample(rows, generator(0, "film"))


def test_chebyshev_points():
    points = np.polynomial.chebyshev.chebpts2(256)
    assert np.allclose(film_wavelengths().numpy(), 1120 + 880 * points, rtol=0, atol=1e-10)
    assert ThinFilm.responses.names[:2] == ("A_240.00", "A_240.07")
    assert ThinFilm.responses.names[-1] == "A_2000.00"


@pytest.mark.parametrize(
    "config", [ThinFilmConfig(), ThinFilmConfig(light_from="glass"), PUBLISHED]
)
def test_tmm_layer_by_layer(config):
    task = ThinFilm(config)
    x = draws(task, 3)
    got = task.simulate(x)
    nm = film_wavelengths().tolist()
    for row in range(3):
        films = [d for layer in x[row].tolist() for d in (0.35, layer)]  # from the glass upwards
        for at in range(0, 256, 15):
            graphene = complex(task.graphene_index[at])
            n = [1.46, *[graphene, 2.0] * 5, 1.0]
            d = [math.inf, *films, math.inf]
            if config.light_from == "air":
                n, d = n[::-1], d[::-1]
            wanted = tmm.coh_tmm("s", n, d, 0, nm[at])
            lost = 1 - wanted["R"] - wanted["T"]
            assert got[row, at].item() == pytest.approx(lost, abs=1e-10)


def test_the_published_index():
    assert set(ThinFilm(PUBLISHED).graphene_index.tolist()) == {3.306459758 + 3.152632723j}
    kubo = ThinFilm().graphene_index[-1]
    assert abs(complex(kubo) - (3.306459758 + 3.152632723j)) < 0.02  # they agree at 2000 nm


@pytest.mark.parametrize("config", [ThinFilmConfig(), PUBLISHED])
def test_a_share_of_the_light(config):
    task = ThinFilm(config)
    y = task.simulate(draws(task, 2000))
    assert (y > 0).all() and (y < 1).all()


def test_transparent_sheets_absorb_nothing():
    x = draws(ThinFilm(), 50)
    clear = torch.full((256,), 2.5 + 0j, dtype=torch.complex128)
    for side in ("air", "glass"):
        assert absorptance(x, film_wavelengths(), clear, side).abs().max() < 1e-13


def test_one_sheet_in_air_absorbs_pi_alpha():
    """Of no glass and no nitride remains graphene's 2.3%; on glass, 4πα / (1 + n)²."""
    index = torch.sqrt(torch.tensor([1 + 1j * 800.0 / (137.035999 * 0.7)], dtype=torch.complex128))
    nm = torch.tensor([800.0], dtype=torch.float64)
    bare = absorptance(torch.zeros(1, 1, dtype=torch.float64), nm, index)
    assert bare.item() == pytest.approx(4 * math.pi / 137.036 / 2.46**2, rel=0.02)


def test_sides_differ_and_the_order_counts():
    x = draws(ThinFilm(), 4)
    air, glass = (ThinFilm(ThinFilmConfig(light_from=s)).simulate(x) for s in ("air", "glass"))
    assert (air - glass).abs().max() > 0.01
    assert (air - ThinFilm().simulate(x.flip(1))).abs().max() > 1e-3


def test_gradient():
    task = ThinFilm()
    x = draws(task, 2).requires_grad_()
    index = task.graphene_index[::25]

    def some(v):
        return absorptance(v, film_wavelengths()[::25], index)

    assert torch.autograd.gradcheck(some, x, eps=1e-4, atol=1e-9, rtol=1e-6)
    assert torch.autograd.gradgradcheck(lambda v: some(v)[:, :3], x, eps=1e-3, atol=1e-8)


# torch's own forward mode calls what torch has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_torch_func():
    task = ThinFilm()

    def maths(v):
        return absorptance(v, film_wavelengths()[::50], task.graphene_index[::50])

    x = draws(task, 3)
    assert torch.allclose(torch.vmap(maths)(x), maths(x))
    reverse = torch.vmap(torch.func.jacrev(maths))(x)
    _, forward = torch.func.jvp(maths, (x,), (torch.ones_like(x),))
    assert torch.allclose(forward, reverse.sum(dim=2))
    twice = torch.vmap(torch.func.jacfwd(torch.func.jacrev(maths)))(x)
    assert torch.allclose(twice, torch.vmap(torch.func.jacrev(torch.func.jacrev(maths)))(x))


@pytest.mark.parametrize(
    "data",
    [
        {"chemical_potential": -0.1},
        {"temperature": 0.0},
        {"relaxation_time": 0},
        {"light_from": "sea"},
    ],
)
def test_bad_config(data):
    with pytest.raises(ValueError, match="field"):
        ThinFilmConfig.parse(data)
