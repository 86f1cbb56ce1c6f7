"""What the methods promise beyond the kit."""

import pytest
import torch
from pydantic import ValidationError

from invcore import ConfigError, Integers, Space, Uniform, Variable
from invcore.numerics import scattered
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

GRADIENT = ("bfgs", "lbfgs", "gradient-descent", "adam")
ALL = (*GRADIENT, "random-search", "cma-es")


class Bent(Task):
    """Two designs to two responses in tiny units; no response in a corner."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=-2.0, high=2.0)),
        Variable(name="b", prior=Uniform(low=100.0, high=300.0)),
    )
    responses = Space.of(Variable(name="u"), Variable(name="v"))

    def simulate(self, x, context=None):
        a, b = x[:, 0], (x[:, 1] - 200) / 100
        y = 1e-6 * torch.stack([a + 0.3 * b**2, b - 0.2 * a], dim=1)
        return torch.where(((a > 1.5) & (b > 0.5))[:, None], torch.nan, y)


class Separate(Task):
    """Forty designs, each with a response of its own; the last is a hundred times the first."""

    designs = Space.of(*(Variable(name=f"x{i}", prior=Uniform(low=0, high=1)) for i in range(40)))
    responses = Space.of(*(Variable(name=f"y{i}") for i in range(40)))

    def simulate(self, x, context=None):
        return x * torch.logspace(0, 2, 40).to(x)


class Whole(Task):
    """Nothing continuous."""

    designs = Space.of(Variable(name="n", prior=Integers(low=0, high=40)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return 2.0 * x


LOOPS = ("cma-es", "random-search")


def of_size(count):
    variables = (Variable(name=f"x{i}", prior=Uniform(low=0.0, high=1.0)) for i in range(count))
    return Problem("t", Space.of(*variables), Space.of(Variable(name="y")))


def fitted(name, task, **settings):
    method = installed().registry.load("method", name)
    problem = Problem("t", task.designs, task.responses, True)
    train = task.pairs(50, generator(0, "train"))
    method = method(method.Config.resolve(settings, preset="quick"))
    return method.fit(problem, train, train, FitEnvironment(0))


def proposed(name, task, count=4, each=5, **settings):
    model = fitted(name, task, **settings)
    targets = Targets(task.pairs(count, generator(0, "test")).y)
    points = torch.rand(count, each, task.designs.dim, generator=generator(0, "points")).double()
    simulator = Simulator(task)
    found = model.propose(targets, points, simulator=simulator)
    return found, targets, points, simulator


@pytest.mark.parametrize("name", ALL)
def test_candidates_are_sorted_and_predictions_are_simulations(name):
    task = Bent()
    found, targets, *_ = proposed(name, task)
    y = task.simulate(found.x.flatten(0, 1)).unflatten(0, found.x.shape[:2])
    torch.testing.assert_close(found.predicted, y, equal_nan=True)
    error = (y - targets.y[:, None]).square().mean(2).nan_to_num(nan=torch.inf)
    assert bool((error[:, 1:] >= error[:, :-1]).all())


@pytest.mark.parametrize("name", ("bfgs", "lbfgs", "adam", "cma-es"))
def test_the_units_of_responses_make_no_difference(name):
    # Errors are near 1e-12 here from the start: a tolerance in their units would end at once
    found, targets, *_ = proposed(name, Bent(), each=6)
    spread = Bent().pairs(50, generator(0, "train")).y.var(dim=0).mean()
    best = (found.predicted[:, 0] - targets.y).square().mean(1) / spread
    assert float(best.max()) < (1e-3 if name in ("adam", "cma-es") else 1e-9)


@pytest.mark.parametrize("name", ALL)
def test_no_step_away_from_the_start_makes_it_worse(name):
    task = Bent()
    found, targets, points, _ = proposed(name, task)
    start = task.simulate(task.designs.from_unit(points).flatten(0, 1)).unflatten(0, (4, 5))
    before = (start - targets.y[:, None]).square().mean(2).nan_to_num(nan=torch.inf)
    after = (found.predicted - targets.y[:, None]).square().mean(2).nan_to_num(nan=torch.inf)
    if name == "cma-es":  # which does not look at the start itself
        assert float(after.median()) < float(before.median())
    else:
        assert bool((after <= before.sort(dim=1).values + 1e-24).all())


@pytest.mark.parametrize("name", ALL)
def test_designs_of_whole_numbers_alone(name):
    task = Whole()
    found, _, points, _ = proposed(name, task)
    assert bool(task.designs.contains(found.x).all())
    if name in GRADIENT:  # nothing to move
        starts = task.designs.from_unit(points)
        assert torch.equal(found.x.sort(dim=1).values, starts.sort(dim=1).values)


def test_random_search_is_the_best_of_so_many_and_more_tries_are_never_worse():
    task = Bent()
    few, targets, points, simulator = proposed("random-search", task, tries=20)
    assert simulator.calls == 20 * 4 * 5
    units = scattered(points.flatten(0, 1), 0, 20).unflatten(1, (4, 5))
    y = task.simulate(task.designs.from_unit(units).flatten(0, 2)).unflatten(0, (20, 4, 5))
    error = (y - targets.y[:, None]).square().mean(3).nan_to_num(nan=torch.inf).amin(0)
    own = (few.predicted - targets.y[:, None]).square().mean(2)
    torch.testing.assert_close(own, error.sort(dim=1).values)
    more = proposed("random-search", task, tries=60, rows_at_once=50)[0]
    assert bool(((more.predicted - targets.y[:, None]).square().mean(2) <= own).all())


def test_cma_es_needs_no_gradient_and_counts_its_populations():
    task = Bent()
    simulator = proposed("cma-es", task, generations=3, population=7)[-1]
    assert simulator.calls == 4 * 5 * 3 * 7


def test_cma_es_with_many_variables_keeps_a_diagonal_alone():
    loop = installed().registry.load("loop", "cma-es")
    state = {
        kind: loop(loop.Config(covariance=kind)).numbers(of_size(1000))
        for kind in ("auto", "full", "diagonal")
    }
    assert state["auto"] == state["diagonal"] < 1e5 < 8e6 < state["full"]
    full = loop(loop.Config(covariance="full"))
    assert loop().numbers(of_size(200)) == full.numbers(of_size(200))


def test_one_variable_has_no_covariance_to_leave_out():
    class Slope(Bent):
        designs = Space.of(Variable(name="a", prior=Uniform(low=-2.0, high=2.0)))

        def simulate(self, x, context=None):
            return x.expand(-1, Bent.responses.dim) ** 3

    full, diagonal = (proposed("cma-es", Slope(), covariance=k)[0].x for k in ("full", "diagonal"))
    assert torch.equal(full, diagonal)


@pytest.mark.parametrize("population", [1, 2, 3])
def test_a_population_too_small_to_select_from_is_refused(population):
    settings = installed().registry.load("method", "cma-es").Config
    with pytest.raises(ValidationError, match="4 or more to select from"):
        settings(population=population)
    proposed("cma-es", Bent(), generations=2, population=4)


@pytest.mark.parametrize("name, each", [("bfgs", 1000**2), ("lbfgs", 2 * 10 * 1000)])
def test_the_state_of_many_variables_is_counted(name, each):
    registry = installed().registry
    if name in LOOPS:
        assert registry.load("loop", name)().numbers(of_size(1000)) >= each
    else:
        assert registry.load("method", name)().numbers(1000) >= each


def test_a_diagonal_learns_separate_scales_sooner():
    # As Ros and Hansen show: there are 40 numbers to learn, and not 820
    left = {}
    for kind in ("full", "diagonal"):
        settings = {"covariance": kind, "generations": 400}
        found, targets, *_ = proposed("cma-es", Separate(), count=2, each=1, **settings)
        left[kind] = float((found.predicted[:, 0] - targets.y).square().mean())
    assert left["diagonal"] < 0.1 * left["full"]


@pytest.mark.parametrize("name", ALL)
def test_without_a_simulator_it_says_so(name):
    model = fitted(name, Bent())
    with pytest.raises(ConfigError, match="searches on the simulator, and none was given"):
        model.propose(Targets(torch.zeros(1, 2)), torch.full((1, 1, 2), 0.5))


@pytest.mark.parametrize("name", ALL)
def test_no_targets_are_no_candidates(name):
    found = fitted(name, Bent()).propose(
        Targets(torch.zeros(0, 2)), torch.zeros(0, 3, 2), simulator=Simulator(Bent())
    )
    assert found.x.shape == (0, 3, 2) and found.predicted.shape == (0, 3, 2)


def test_constant_responses_have_the_scale_one():
    method = installed().registry.load("method", "bfgs")()
    task = Bent()
    pairs = Pairs(torch.zeros(3, 2), torch.ones(3, 2))
    problem = Problem("t", task.designs, task.responses, True)
    assert float(method.fit(problem, pairs, pairs, FitEnvironment(0)).state()["scale"]) == 1.0
