"""Invertible networks invert, and their log-determinants are those of their Jacobians."""

import pytest
import torch
from invcore_invertible import (
    CouplingConfig,
    InvertibleNetwork,
    MultiscaleConfig,
    PaddedConfig,
    PaddedNetwork,
)
from torch.func import jacrev, vmap

from invcore import Grid
from invcore.plugin import isolated

CASES = [(2, 0), (2, 1), (3, 2), (4, 0), (4, 2), (7, 1), (8, 0)]
MIXINGS = ["swap", "permutation"]


def build(total, condition, mixing="swap", blocks=6):
    """A network away from its near-identical start."""
    with isolated(total + 10 * condition):
        config = CouplingConfig(blocks=blocks, width=32, mixing=mixing)
        network = InvertibleNetwork(config, total, condition)
        for p in network.parameters():
            if p.requires_grad:
                p.data.add_(0.05 * torch.randn_like(p))
    return network.eval()


def data(total, condition, count):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, total, generator=generator)
    given = torch.randn(count, condition, generator=generator) if condition else None
    return x, given


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize(("total", "condition"), CASES)
def test_inverts_in_float32(total, condition, mixing):
    network = build(total, condition, mixing)
    x, given = data(total, condition, 1024)
    with torch.no_grad():
        z, there = network(x, given)
        again, back = network.inverse(z, given)
        other, _ = network(network.inverse(x, given)[0], given)
    assert float((z - x).abs().max()) > 0.1, "it does something"
    assert float((again - x).abs().max()) <= 1e-4
    assert float((other - x).abs().max()) <= 1e-4
    assert float((there + back).abs().max()) <= 1e-3
    assert there.shape == (1024,)


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize(("total", "condition"), CASES)
def test_log_determinants_are_those_of_autograd(total, condition, mixing):
    network = build(total, condition, mixing).double()
    x, given = (None if part is None else part.double() for part in data(total, condition, 16))

    def jacobians(direction):
        def one(row, *known):
            return direction(row[None], *(k[None] for k in known))[0][0]

        return vmap(jacrev(one))(x, *([] if given is None else [given]))

    for direction in (network.forward, network.inverse):
        exact = torch.linalg.slogdet(jacobians(direction)).logabsdet
        torch.testing.assert_close(direction(x, given)[1], exact, rtol=1e-8, atol=1e-8)


def test_every_output_depends_on_every_input():
    network = build(5, 0, blocks=4).double()
    x = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    jacobian = jacrev(lambda row: network(row[None])[0][0])(x)
    assert bool((jacobian.abs() > 1e-8).all())


def test_condition_changes_the_map():
    network = build(3, 2)
    x, given = data(3, 2, 4)
    moved = (network(x, given)[0] - network(x, given + 1)[0]).abs().amax(1)
    assert bool((moved > 1e-3).all())


def test_weights_depend_on_the_seed_alone():
    one, same, other = (build_plain(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def build_plain(seed):
    with isolated(seed):
        return InvertibleNetwork(CouplingConfig(blocks=2, width=8, mixing="permutation"), 4)


IMAGES = MultiscaleConfig(blocks=2, channels=4)


def image_network(grid, total, condition=0):
    with isolated(total):
        config = CouplingConfig(blocks=2, width=16, image=IMAGES)
        network = InvertibleNetwork(config, total, condition, grid)
        for p in network.parameters():
            if p.requires_grad:
                p.data.add_(0.05 * torch.randn_like(p))
    return network.eval()


@pytest.mark.parametrize("condition", [0, 2])
@pytest.mark.parametrize(
    ("grid", "total", "scales"),
    [
        (Grid(rows=8, columns=8, periodic=True), 64, 1),
        (Grid(rows=16, columns=8), 130, 1),
        (Grid(rows=32, columns=32, periodic=True), 1024, 3),
        (Grid(rows=3, columns=5), 15, 0),
    ],
)
def test_images_go_through_couplings_of_their_own(grid, total, scales, condition):
    network = image_network(grid, total, condition)
    assert len(network.images.scales) == scales
    x, given = data(total, condition, 64)
    with torch.no_grad():
        z, there = network(x, given)
        again, back = network.inverse(z, given)
    assert float((z - x).abs().max()) > 0.1
    assert float((again - x).abs().max()) <= 1e-4
    assert float((there + back).abs().max()) <= 2e-3


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_log_determinants_of_images_are_those_of_autograd(direction):
    network = image_network(Grid(rows=8, columns=8, periodic=True), 66).double()
    x = data(66, 0, 3)[0].double()
    run = getattr(network, direction)
    log_det = run(x)[1].detach()
    for row, expected in zip(x, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: run(v[None])[0][0], row)
        assert float(jacobian.slogdet()[1] - expected) == pytest.approx(0.0, abs=1e-8)


def test_pixels_are_not_padded():
    network = PaddedNetwork(PaddedConfig(image=IMAGES), 64, 1, Grid(rows=8, columns=8))
    assert (network.total, network.latent, network.padding_x) == (64, 63, 0)
    assert network.predict(torch.rand(3, 64)).shape == (3, 1)
