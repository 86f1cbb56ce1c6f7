"""The metric of wishes against numbers computed by hand, and who refuses such runs."""

from dataclasses import replace

import pytest
import torch

from invcore.contracts.metric import Known
from invcore.plugin import (
    Requirement,
    Space,
    Specification,
    Targets,
    UnfitError,
    Variable,
    installed,
)
from invcore.results import hypervolume, pareto_front
from invcore.testing import Example, PluginSuite, evaluation
from invcore.testing.cases.evaluations import sample_evaluation

RESPONSES = Space.of(Variable(name="gap"), Variable(name="mass", unit="kg"), Variable(name="cost"))


def wished(requirements, resimulated, spread=(1.0, 1.0, 1.0), **facts):
    """An evaluation of B targets of one specification."""
    y = torch.tensor(resimulated, dtype=torch.float64)
    targets = Targets.of([Specification.of(requirements)] * len(y), RESPONSES)
    targets = targets.measured_in(torch.tensor(spread, dtype=torch.float64))
    whole = evaluation(torch.full_like(y[:, 0], torch.nan), y, responses=RESPONSES, **facts)
    errors = targets.error(y)
    errors[y.isnan().any(dim=2)] = torch.nan
    return replace(whole, specification=targets, errors=errors)


GAP = {"gap": Requirement(low=1.0, high=2.0)}
# Of four candidates, two meet; of the other target's, none, one for want of a response.
NAN = [float("nan")] * 3
SHARES = wished(
    GAP,
    [
        [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.5, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], NAN, [0.5, 0.0, 0.0]],
    ],
)
GOALS = wished(
    {**GAP, "mass": Requirement(goal="minimise"), "cost": Requirement(goal="maximise")},
    [
        [[1.5, 3.0, 1.0], [1.5, 2.0, 0.0], [0.5, 0.0, 9.0]],
        [[1.0, 5.0, 4.0], [2.0, 4.0, 3.0], [9.0, 0.0, 9.0]],
    ],
    spread=(1.0, 2.0, 1.0),
    known=Known(
        torch.tensor([[0.0, 4.0, -0.5], [0.0, 3.0, torch.nan]], dtype=torch.float64),
        torch.tensor([[0.0, 6.0, 0.0], [0.0, 6.0, 0.0]], dtype=torch.float64),
    ),
)
VARIED = wished(
    {"gap": Requirement(low=0.0)},
    [[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]],
    candidates=[[[0.1], [0.5], [0.9]]],
)


class TestSpecification(PluginSuite):
    kind, name = "metric", "specification"
    settings = {"T": [1, 2]}
    examples = (
        Example(
            SHARES,
            {
                "share-met": 0.25,
                ("targets-met", 1): 0.25,
                # Of the six pairs of the first target, one has neither of the two
                ("targets-met", 2): 0.5 * 5 / 6,
                ("targets-met", 4): 0.5,
            },
        ),
        Example(replace(SHARES, ranked=True), {("targets-met", 1): 0.0, ("targets-met", 2): 0.5}),
        Example(
            GOALS,
            {
                "lowest-mass": (2 + 4) / 2,
                "highest-cost": (1 + 4) / 2,
                "improvement-mass": ((4 - 2) + (3 - 4)) / 2,
                "improvement-cost": 1 - 0.5,  # no training pair meets the other target
                # In units of 2 and 1, below (3, 0): (1.5, -1) and (1, 0) is not below; then
                # (2.5, -4) and (2, -3)
                "hypervolume": ((3 - 1.5) * 1 + (0.5 * 4 + 0.5 * 3)) / 2,
            },
        ),
        # The three lie 0.4, 0.4 and 0.8 apart; the two best ones are those that meet
        Example(VARIED, {"variety-10": (0.4 + 0.4 + 0.8) / 3}),
    )


def test_the_best_ones_are_those_that_meet_or_come_first():
    component = installed().registry.load("metric", "specification")
    two = component(component.Config(best=2))
    value = {e.name: e.value for e in two.measure(VARIED)}
    assert value["variety-2"] == pytest.approx(0.8)
    value = {e.name: e.value for e in two.measure(replace(VARIED, ranked=True))}
    assert value["variety-2"] == pytest.approx(0.4)


def test_exact_responses_are_no_wishes():
    component = installed().registry.load("metric", "specification")
    assert component().measure(sample_evaluation()) == []


@pytest.mark.parametrize(
    "name", ["mmd", "c2st", "sbc", "log-likelihood", "mode-recall", "better-than-reference"]
)
def test_what_compares_with_exact_responses_says_so(name):
    component = installed().registry.load("metric", name)
    with pytest.raises(UnfitError, match="exact responses"):
        component().measure(sample_evaluation(wishes=True))


@pytest.mark.parametrize("name", ["r_T", "resimulation-error", "anytime", "calls-to"])
def test_goals_alone_have_no_errors(name):
    component = installed().registry.load("metric", name)
    goal = wished({"mass": Requirement(goal="minimise")}, [[[1.0, 2.0, 3.0]]])
    with pytest.raises(UnfitError, match="nothing but goals"):
        component().measure(goal)
    assert component().measure(sample_evaluation(wishes=True))


def test_hypervolume_is_that_of_a_grid():
    generator = torch.Generator().manual_seed(0)
    for goals in (1, 2, 3, 4):
        points = torch.randint(0, 6, (12, goals), generator=generator).double()
        cells = torch.cartesian_prod(*[torch.arange(6.0).double()] * goals).view(-1, goals)
        counted = (points[:, None] <= cells).all(dim=2).any(dim=0).sum()
        assert hypervolume(points, torch.full((goals,), 6.0)) == pytest.approx(float(counted))
    assert hypervolume(torch.empty(0, 2), torch.ones(2)) == 0.0
    assert hypervolume(torch.tensor([[torch.nan, 0.0], [2.0, 0.0]]), torch.ones(2)) == 0.0


@pytest.mark.parametrize("goals", [1, 2, 3])
def test_a_front_is_what_none_is_better_than(goals):
    points = torch.randint(0, 5, (30, goals), generator=torch.Generator().manual_seed(1)).double()
    front = pareto_front(points)
    distinct = {tuple(row) for row in points.tolist()}
    best = {
        row
        for row in distinct
        if not any(o != row and all(a <= b for a, b in zip(o, row, strict=True)) for o in distinct)
    }
    assert len(front) == len(best) and {tuple(points[i].tolist()) for i in front} == best
