"""How models are asked for specifications that they do not take themselves."""

import math

import pytest
import torch

from invcore.base.errors import BudgetError, UnfitError
from invcore.contracts.problem import Targets
from invcore.learning import ResponseDensity
from invcore.pipeline import propose, specified, state_with, state_without
from invcore.pipeline.levels import levels
from invcore.pipeline.levels import point_dim as level_dim
from invcore.plugin import (
    Answers,
    Candidates,
    InverseModel,
    Pairs,
    Problem,
    Requirement,
    Simulator,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
    generator,
    installed,
)

INF = math.inf
SPACE = Space.of(*(Variable(name=name, prior=Uniform(low=-9.0, high=9.0)) for name in "ab"))
RESPONSES = Space.of(Variable(name="u"), Variable(name="v"))
PROBLEM = Problem("same", SPACE, RESPONSES)
SOBOL = installed().registry.load("sampler", "sobol")()


class Same(Task):
    """Responses are the designs."""

    designs, responses = SPACE, RESPONSES

    def simulate(self, x, context=None):
        return x.clone()


class Echo(InverseModel):
    """Answers a response by the design that has it, and keeps what it was asked for."""

    point_dim = 0

    def __init__(self, answers=Answers.EXACT, ranked=False, joint=False, calls=False):
        self.answers, self.ranked, self.joint, self.calls = answers, ranked, joint, calls
        self.asked = []

    def propose(self, targets, points, *, simulator=None, env=None):
        self.asked.append((targets, points))
        wanted = targets.y if targets.exact else targets.low.clamp(-9, 9)
        x = wanted[:, None].expand(-1, points.shape[1], -1)
        if self.calls:
            owner = torch.arange(len(targets)).repeat_interleave(points.shape[1])
            simulator(x.flatten(0, 1), targets.context, owner)
        return Candidates(x, x.clone())

    def state(self):
        return {"nothing": torch.zeros(1)}


def cloud(count=2000):
    y = torch.randn(count, 2, generator=generator(0, "cloud")).double()
    return Pairs(y, y)


DENSITY = ResponseDensity.fit(cloud(), generator(0))


def of(*wanted):
    return Targets.of([Specification.of(one) for one in wanted], RESPONSES)


BOX = {"u": Requirement(low=0.0, high=0.5)}
FAR = {"u": Requirement(low=-0.5, high=0.0), "v": Requirement(low=1.0)}
SMALL = {"u": Requirement(low=0.0, high=0.5), "v": Requirement(goal="minimise")}
BOTH = {"u": Requirement(goal="maximise"), "v": Requirement(goal="minimise")}


def answered(model, targets, count=6, **more):
    return propose(model, PROBLEM, SOBOL, targets, count, density=DENSITY, **more)


def test_intervals_are_asked_for_by_responses_of_their_own():
    model, targets = Echo(), of(BOX, FAR)
    found = answered(model, targets)
    assert found.x.shape == (2, 6, 2) and bool(targets.met(found.x).all())
    ((asked, points),) = model.asked
    assert asked.exact and len(asked) == 12 and points.shape == (12, 1, 0)
    assert torch.equal(asked.y, found.x.flatten(0, 1))
    assert len(found.x[0].unique(dim=0)) == 6
    assert answered(model, targets, seed=1).x.ne(found.x).all()
    assert torch.equal(answered(model, targets).x, found.x)


def test_what_a_model_takes_it_is_given_as_it_is():
    model, targets = Echo(Answers.INTERVALS), of(BOX, FAR)
    answered(model, targets)
    ((asked, points),) = model.asked
    assert points.shape == (2, 6, 0) and torch.equal(asked.low, targets.low)
    torch.testing.assert_close(asked.spread, DENSITY.spread)
    goals = Echo(Answers.INTERVALS | Answers.GOALS)
    answered(goals, of(SMALL))
    assert goals.asked[0][0].has_goals
    # Intervals need no density where they are taken as they are
    propose(Echo(Answers.INTERVALS), PROBLEM, SOBOL, targets, 2)
    for one, wanted in ((Echo(), targets), (Echo(Answers.INTERVALS), of(SMALL))):
        with pytest.raises(UnfitError, match="training responses nothing is known"):
            propose(one, PROBLEM, SOBOL, wanted, 2)


def test_responses_that_may_have_any_value_are_left_open_to_who_takes_that():
    half = Requirement(low=0.0, high=0.5)
    both, one, exact = {"u": half, "v": half}, {"u": half}, {"u": Requirement.exact(1.0)}
    nothing = {"u": Requirement(goal="ignore"), "v": Requirement(goal="ignore")}
    model, targets = Echo(Answers.PARTIAL), of(both, one, exact, nothing)
    plain = Echo()
    for each in (model, plain):
        answered(each, targets, 5)
    ((asked, _),) = model.asked
    ((drawn, _),) = plain.asked
    wanted = torch.tensor([[True, True], [True, False], [True, False], [True, True]])
    wanted = wanted.repeat_interleave(5, dim=0)
    assert torch.equal(asked.wanted, wanted) and not asked.has_goals
    assert torch.equal(asked.low[wanted], asked.high[wanted])
    assert torch.equal(asked.low[wanted], drawn.y[wanted]), "the same draws, less some"
    assert torch.equal(asked.low[10:15, 0], torch.ones(5).double())
    answered(model, of(both), 5)
    assert model.asked[1][0].exact, "nothing is open"


def test_goals_become_levels_beyond_the_best_pair_that_meets_the_rest():
    y = DENSITY.y
    rows = y[(y[:, 0] >= 0) & (y[:, 0] <= 0.5)]
    model = Echo(Answers.INTERVALS)
    answered(model, of(SMALL), 40)
    ((asked, _),) = model.asked
    assert not asked.has_goals and len(asked) == 40
    assert bool((asked.low[:, 0] == 0).all() and (asked.high[:, 0] == 0.5).all())
    level, best = asked.high[:, 1], float(rows[:, 1].min())
    assert bool(asked.low[:, 1].isinf().all()) and bool((level < best).all())
    # As far, at most, as from the best hundredth to the best
    reach = float(rows[:, 1].quantile(0.01)) - best
    assert float(level.min()) == pytest.approx(best - reach, abs=0.2 * reach)
    assert bool((asked.weight[:, 1] < asked.weight[:, 0]).all())
    exact = Echo()
    found = answered(exact, of(SMALL), 40).x[0]
    assert best - 3.5 * reach < float(found[:, 1].min()) < best - 2 * reach
    assert float(found[:, 1].max()) < best and bool(((found[:, 0] > 0) & (found[:, 0] < 0.5)).all())


def test_several_goals_spread_over_their_front():
    points = torch.rand(1, 400, level_dim(of(BOTH)), generator=generator(0)).double()
    targets = of(BOTH).measured_in(DENSITY.spread)
    asked = levels(targets, points, DENSITY, exact=True)
    u, v = asked.low.T
    assert torch.equal(asked.low, asked.high)
    worse = (DENSITY.y[:, 0] > u[:, None]) & (DENSITY.y[:, 1] < v[:, None])
    assert not bool(worse.any()), "a known pair surpasses a level"
    assert float(u.max() - u.min()) > 2 and float(v.max() - v.min()) > 2
    assert float((u + v).std()) > 1  # from one end of the front to the other


def test_where_no_pair_meets_the_rest_the_nearest_say_what_can_be_had():
    wanted = {"u": Requirement(low=8.0), "v": Requirement(goal="maximise")}
    targets = of(wanted).measured_in(DENSITY.spread)
    asked = levels(targets, torch.full((1, 1, 2), 1e-9).double(), DENSITY, exact=False)
    near = DENSITY.y[DENSITY.y[:, 0].argsort(descending=True)[:10]]
    assert float(asked.low[0, 1]) == pytest.approx(float(near[:, 1].max()), abs=1e-6)
    limited = of({"u": Requirement(goal="maximise", high=2.0)}).measured_in(DENSITY.spread)
    asked = levels(limited, torch.full((1, 1, 2), 0.9).double(), DENSITY, exact=False)
    assert float(asked.low[0, 0]) == 2.0 == float(asked.high[0, 0])


def test_ranked_models_are_ranked_by_the_specification():
    found = answered(Echo(ranked=True), of(SMALL), 12)
    value = of(SMALL).measured_in(DENSITY.spread).objective(found.predicted)
    assert bool((value.diff(dim=1) >= 0).all())
    assert torch.equal(found.x, found.predicted)


def test_an_interval_of_no_width_is_its_value_to_the_last_bit():
    y = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).double()
    narrow = of(*({n: Requirement.exact(v) for n, v in zip("uv", row, strict=True)}
                  for row in y.tolist()))  # fmt: skip
    model = Echo()
    assert specified(model, narrow, DENSITY) is model
    found = answered(model, narrow)
    assert torch.equal(found.x, propose(model, PROBLEM, SOBOL, Targets(y), 6).x)


def test_a_model_of_all_targets_as_one_is_asked_once():
    model = Echo(joint=True)
    answered(model, of(BOX, FAR, SMALL), 5)
    assert [len(asked) for asked, _ in model.asked] == [15]


def test_calls_count_for_the_target_that_they_are_made_for():
    targets = of(BOX, FAR)
    simulator = Simulator(Same(), targets=targets)
    answered(Echo(calls=True), targets, 4, simulator=simulator)
    history = simulator.history()
    assert simulator.calls == 8 and history.grid.tolist()[-1] == 4
    assert history.error[-1].tolist() == [0.0, 0.0]
    short = Simulator(Same(), 3, targets=targets)
    with pytest.raises(BudgetError):
        answered(Echo(calls=True), targets, 4, simulator=short)


def test_a_density_is_stored_beside_a_model():
    model = specified(Echo(), of(BOX), DENSITY)
    assert model.state().keys() == state_with({"nothing": torch.zeros(1)}, DENSITY).keys()
    own, density = state_without(model.state())
    assert own.keys() == {"nothing"} and torch.equal(density.y, DENSITY.y)
    assert state_without(own) == (own, None) and state_with(own, None) is own
