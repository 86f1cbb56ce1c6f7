"""Designs that are images: their space, their scale, the network that sees them, shifts."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn.functional import pad

from invcore import ConfigError, Grid, Space, Uniform, Variable
from invcore.learning import Normaliser, Scaling, Surrogate, SurrogateConfig, fit_surrogate
from invcore.learning.surrogate.image_network import Border, ImageNetwork, moved
from invcore.plugin import FitEnvironment, Pairs, generator
from invcore.spaces.priors import Categorical

SIDE = 8
GRID = Grid(rows=SIDE, columns=SIDE, periodic=True, mirrors=True)


def pixels(side=SIDE, grid=GRID):
    prior = Uniform(low=0.0, high=1.0)
    names = [f"r{i}c{j}" for i in range(side) for j in range(side)]
    return Space.of(*(Variable(name=name, prior=prior) for name in names), grid=grid)


def neighbours(x):
    """The mean product of pixels side by side, whatever the shift: no function of single pixels."""
    images = x.unflatten(-1, (SIDE, SIDE))
    return (images * images.roll(1, -1)).mean((-2, -1))[:, None]


def cells(count, seed):
    return (torch.rand(count, SIDE * SIDE, generator=generator(seed)) > 0.5).double()


def test_a_grid_has_as_many_pixels_as_there_are_variables():
    with pytest.raises(ConfigError, match="a grid of 3 x 3 for 64 variables"):
        pixels(grid=Grid(rows=3, columns=3))
    with pytest.raises(ConfigError, match="no categories"):
        kinds = Variable(name="kind", prior=Categorical(categories=("a", "b")))
        Space.of(kinds, grid=Grid(rows=1, columns=1))
    space = pixels()
    assert space.bounded(torch.zeros(64), torch.full((64,), 0.5)).grid == GRID
    assert Space.parse(space.model_dump(mode="json")) == space


def test_pixels_share_a_scale():
    x = torch.rand(50, 64, generator=generator(0)) * torch.linspace(0.1, 1.0, 64)
    scaling = Scaling.fit(pixels(), Pairs(x, x[:, :1]))
    assert len(scaling.x.centre.unique()) == len(scaling.x.scale.unique()) == 1
    scaled = scaling.encode(x)
    assert abs(float(scaled.mean())) < 1e-5 and abs(float(scaled.std()) - 1) < 1e-3
    constant = Normaliser.pooled(torch.full((4, 3), 2.0))
    assert constant.scale.tolist() == [1.0] * 3 and constant.centre.tolist() == [2.0] * 3


@pytest.mark.parametrize("grid", [GRID, Grid(rows=5, columns=6), Grid(rows=1, columns=12)])
def test_networks_fit_any_image(grid):
    network = ImageNetwork(grid, 3, channels=4, width=8)
    assert network(torch.zeros(2, grid.rows * grid.columns)).shape == (2, 3)


def test_a_periodic_image_has_no_edge():
    torch.manual_seed(0)
    image = torch.rand(1, 64)
    for periodic in (True, False):
        network = ImageNetwork(Grid(rows=8, columns=8, periodic=periodic), 1, channels=4)
        maps = torch.nn.Sequential(
            *list(network)[:3]
        )  # one layer, which halves: shifts by two are shifts by one there
        shifted = image.unflatten(1, (8, 8)).roll((2, 4), (1, 2)).flatten(1)
        same = torch.allclose(maps(shifted), maps(image).roll((1, 2), (2, 3)), atol=1e-6)
        assert same == periodic


@pytest.mark.parametrize(("periodic", "mode"), [(True, "circular"), (False, "replicate")])
def test_borders_are_those_of_torch(periodic, mode):
    images = torch.rand(2, 3, 4, 6)
    torch.testing.assert_close(Border(periodic)(images), pad(images, (1, 1, 1, 1), mode=mode))


def test_moved_images_have_the_same_response():
    x, draws = cells(20, 0), random.Random(0)
    seen = [moved(x, GRID, draws) for _ in range(20)]
    for images in seen:
        torch.testing.assert_close(neighbours(images), neighbours(x))
    assert len({images.numpy().tobytes() for images in seen}) > 15, "they do move"
    fixed = Grid(rows=8, columns=8)
    assert torch.equal(moved(x, fixed, draws), x)


def test_images_are_learnt_where_they_are_images():
    train, val = (Pairs(x, neighbours(x)) for x in (cells(300, 1), cells(300, 2)))
    scaling = Scaling.fit(pixels(), train)
    image = {"channels": 16, "width": 32, "training": {"epochs": 40, "batch_size": 50}}
    losses = {}
    for network in ("auto", "mlp"):
        config = SurrogateConfig.resolve(
            {"network": network, "training": {"epochs": 60}, "image": image}
        )
        surrogate, report = fit_surrogate(config, scaling, train, val, FitEnvironment())
        losses[network] = report.val_loss
        again = Surrogate.restore(config, pixels(), surrogate.state())
        assert torch.equal(again.predict(val.x), surrogate.predict(val.x))
    assert losses["auto"] < 0.05 < 0.2 < losses["mlp"], "shares of the variance"


def test_restarts_of_image_networks_train_together():
    train = Pairs(cells(100, 1), neighbours(cells(100, 1)))
    image = {"channels": 2, "width": 4, "training": {"epochs": 2, "restarts": 3}}
    config = SurrogateConfig.resolve({"image": image})
    scaling = Scaling.fit(pixels(), train)
    _, report = fit_surrogate(config, scaling, train, train, FitEnvironment())
    assert len(set(report.restarts)) == 3 and report.val_loss == min(report.restarts)


def test_no_image_no_network_of_images():
    space = pixels(grid=None)
    scaling = Scaling.fit(space, Pairs(cells(20, 0), neighbours(cells(20, 0))))
    with pytest.raises(ConfigError, match="needs a task whose designs are images"):
        Surrogate(SurrogateConfig(network="image"), scaling)
    assert Surrogate(SurrogateConfig(), scaling).grid is None
