"""What is recalled of a search that ran out of budget: the best of the allowed designs."""

from __future__ import annotations

import pytest
import torch
from invcore_solve.simulators.recorded_simulator import RecordedSimulator

from invcore import BudgetError, Integers, Space, Uniform, Variable
from invcore.plugin import Targets, Task


class Sum(Task):
    """y = a + n, of which there is none where a is below 0.1."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="n", prior=Integers(low=0, high=3)),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        y = x.sum(dim=1, keepdim=True)
        return torch.where(x[:, :1].abs() < 0.1, torch.nan, y)


def tensor(*designs):
    return torch.tensor(designs, dtype=torch.float64)


def recalled(x, wanted, count, budget=100):
    simulator = RecordedSimulator(Sum(), budget)
    for part in x.split(2):
        simulator(part)
    return simulator.best(Targets(tensor(*([y] for y in wanted))), count)


@pytest.mark.parametrize(
    "nearer", [(1.5, 0.0), (-0.5, 2.0), (0.5, 1.5), (0.9, 0.6), (-2.5, 4.0), (0.05, 1.0)]
)
def test_designs_that_are_not_allowed_or_have_no_response_are_never_recalled(nearer):
    wanted = sum(nearer)
    allowed = tensor((0.2, 0.0), (0.7, 3.0), (0.4, 1.0))
    x = torch.cat([allowed[:2], tensor(nearer), allowed[2:]])
    groups, found, y = recalled(x, [wanted], 4)
    assert groups.tolist() == [0, 0, 0]
    off = (allowed.sum(1) - wanted).abs()
    assert torch.equal(found, allowed[off.argsort()])
    assert torch.equal(y, found.sum(1, keepdim=True))


def test_the_nearest_of_each_target_best_first_and_each_once():
    x = tensor((0.2, 0.0), (0.5, 1.0), (0.9, 2.0), (0.5, 1.0), (0.3, 3.0))
    groups, found, y = recalled(x, [1.4, 3.5], 3)
    assert groups.tolist() == [0, 0, 0, 1, 1, 1]
    assert y[:, 0].tolist() == pytest.approx([1.5, 0.2, 2.9, 3.3, 2.9, 1.5])
    assert torch.equal(found.sum(1, keepdim=True), y)


def test_without_a_budget_nothing_is_remembered():
    simulator = RecordedSimulator(Sum())
    simulator(tensor((0.2, 0.0)))
    with pytest.raises(ValueError):
        simulator.best(tensor([1.0]), 1)
    short = RecordedSimulator(Sum(), 1)
    with pytest.raises(BudgetError):
        short(tensor((0.2, 0.0), (0.3, 0.0)))
