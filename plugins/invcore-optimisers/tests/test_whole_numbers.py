"""The search of cma-es among whole numbers: its margin, and what stays as it was without them."""

import numpy as np
import pytest
import torch
from invcore_optimisers.coordinates import Coordinates, scales
from invcore_optimisers.loops import cma_es
from invcore_optimisers.margin import SepCMAwM

from invcore import Categorical, Integers, Normal, Poisson, Space, Uniform, Variable
from invcore.plugin import (
    FitEnvironment,
    Pairs,
    Problem,
    Simulator,
    Targets,
    Task,
    generator,
    installed,
)


def variables(name, prior, count=1, **bounds):
    return [Variable(name=f"{name}{i}", prior=prior, **bounds) for i in range(count)]


LENGTHS = variables("length", Uniform(low=-5.0, high=5.0), 3)
NUMBERS = variables("number", Integers(low=-10, high=10), 3)
SPACES = {
    "whole": NUMBERS,
    "one": NUMBERS[:1],
    "mixed": LENGTHS + NUMBERS,
    "switches": variables("switch", Integers(low=0, high=1), 12),
    "counts": variables("count", Poisson(rate=15.0), 2) + variables("t", Normal(mean=0.0, std=1.0)),
    "cut": variables("cut", Poisson(rate=15.0), 2, low=14.2, high=16.9),
    "wide": variables("wide", Integers(low=-5_000_000, high=5_000_000), 2),
    "category": [*NUMBERS, Variable(name="kind", prior=Categorical(categories=("a", "b")))],
    "relaxed": NUMBERS + variables("relaxed", Poisson(rate=3.0, relaxed=True)),
    "many": variables("n", Integers(low=0, high=9), 150) + variables("s", LENGTHS[0].prior, 60),
}


class Weighed(Task):
    """Each design is a response of its own, times a weight; what was simulated is kept."""

    def __init__(self, designs, weights=None):
        self.designs, self.seen = designs, []
        self.responses = Space.of(*(Variable(name=f"y{i}") for i in range(designs.dim)))
        self.weights = torch.ones(designs.dim) if weights is None else torch.tensor(weights)

    def simulate(self, x, context=None):
        self.seen.append(x)
        return x * self.weights.to(x)


def proposed(task, truth, each, seed=0, **settings):
    """The method's candidates for the responses of designs (B, Dx)."""
    method = installed().registry.load("method", "cma-es")
    x = task.designs.sample(100, generator(seed, "train"))
    pairs = Pairs(x, task.simulate(x))
    problem = Problem("t", task.designs, task.responses, True)
    model = method(method.Config(**settings)).fit(problem, pairs, pairs, FitEnvironment(seed))
    points = torch.rand(
        len(truth), each, task.designs.dim, generator=generator(seed, "points"), dtype=torch.float64
    )
    targets, simulator = Targets(task.simulate(truth)), Simulator(task)
    return model.propose(targets, points, simulator=simulator), simulator


@pytest.mark.parametrize("covariance", ["auto", "diagonal"])
@pytest.mark.parametrize("name", SPACES)
def test_all_that_is_simulated_is_allowed_and_repeats(name, covariance):
    space = Space.of(*SPACES[name])
    settings = {"generations": 12, "covariance": covariance}
    found = []
    for _ in range(2):
        task = Weighed(space)
        found.append(proposed(task, space.sample(2, generator(1)), 3, **settings)[0].x)
        assert bool(space.contains(torch.cat(task.seen)).all())
    assert torch.equal(*found)
    assert bool(space.contains(found[0]).all())


# The whole numbers weigh so little that the steps are far below one when their turn comes.
@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize(
    "name, weights",
    [
        ("whole", [100.0, 10.0, 1.0]),
        ("mixed", [100.0, 30.0, 10.0, 3.0, 1.0, 0.3]),
        ("counts", [1.0, 0.1, 30.0]),
    ],
)
def test_whole_numbers_that_weigh_little_are_found_too(name, weights, covariance):
    space = Space.of(*SPACES[name])
    truth = space.sample(4, generator(2))
    found = proposed(Weighed(space, weights), truth, 8, covariance=covariance)[0]
    right = (found.x == truth[:, None])[..., space.whole].all(dim=-1)
    assert float(right.double().mean()) > 0.9


def test_an_exact_answer_ends_the_search():
    space = Space.of(*SPACES["whole"])
    found, simulator = proposed(Weighed(space), space.sample(3, generator(3)), 2)
    assert torch.equal(found.predicted[:, 0], found.predicted[:, 1])
    assert simulator.calls < 0.5 * 3 * 2 * 150 * 7


def test_without_whole_numbers_the_optimiser_is_the_one_without_a_margin(monkeypatch):
    def never(**settings):
        raise AssertionError("a margin without whole numbers")

    for kind in ("CMAwM", "SepCMAwM"):
        monkeypatch.setattr(cma_es, kind, never)
    space = Space.of(*LENGTHS, *SPACES["relaxed"][3:], SPACES["category"][-1])
    for covariance in ("full", "diagonal"):
        proposed(Weighed(space), space.sample(1, generator(0)), 2, generations=3,
                 covariance=covariance)  # fmt: skip
    with pytest.raises(AssertionError, match="a margin without"):
        proposed(Weighed(Space.of(*NUMBERS)), torch.zeros(1, 3).double(), 1)


@pytest.mark.parametrize("mean", [-3.0, -2.9, 0.0, 0.49, 1.2, 3.0])
def test_a_diagonal_keeps_its_margin_however_small_the_step(mean):
    bounds = np.array([[-3.0, 3.0], [-np.inf, np.inf]])
    steps, size = np.array([1.0, 0.0]), 6
    one = SepCMAwM(np.array([mean, 0.0]), 1e-8, bounds, steps, seed=1, population_size=size)
    for _ in range(30):
        one.tell([(told, told[1] ** 2) for told in (one.ask()[1] for _ in range(size))])
    asked = np.array([one.ask()[0] for _ in range(5000)])
    assert set(asked[:, 0]) <= set(range(-3, 4))
    assert np.abs(asked[:, 1]).max() < 1e-4, "what is not whole goes on with its own small steps"
    here = np.clip(np.rint(one.mean[0]), -3, 3)
    sides = [(asked[:, 0] < here).mean(), (asked[:, 0] > here).mean()]
    least = 0.5 / (2 * size)  # its sampling error is about a tenth of it
    for share, neighbour in zip(sides, (here - 1, here + 1), strict=True):
        assert share > 0.7 * least if abs(neighbour) <= 3 else share == 0


def test_coordinates_of_whole_numbers_are_linear_within_their_bounds():
    space = Space.of(*SPACES["mixed"], *SPACES["counts"], *SPACES["switches"][:1])
    own = Coordinates(space, torch.arange(space.dim))
    whole, (centre, spread) = space.whole, scales(space)
    z = torch.linspace(-9, 9, 101, dtype=torch.float64)[:, None].expand(-1, space.dim)
    expected = (centre + spread * z).clamp(space.low, space.high)
    torch.testing.assert_close(own.designs(z)[:, whole], expected[:, whole])
    ends = torch.stack([space.low, space.high])[:, whole]
    torch.testing.assert_close(own.designs(own.bounds.T)[:, whole], ends)
    torch.testing.assert_close((own.steps * spread)[whole], torch.ones(int(whole.sum())).double())
    assert not own.steps[~whole].any() and bool(own.bounds[~whole].isinf().all())
