"""The counted simulator: budgets for each target, views of some targets, and what is counted."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import BudgetError, PluginError
from invcore.contracts.simulation.simulator import Budget, Simulator, counted_task

WANTED = torch.zeros(3, 1)


@pytest.fixture
def simulated(line):
    """A task that keeps what it was asked."""

    class Asked(line):
        rows = 0

        def simulate(self, x, context=None):
            self.rows += len(x)
            return super().simulate(x)

    return Asked()


def designs(count):
    return torch.rand(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_budget_of_each_target_is_spent_exactly(simulated):
    simulator = Simulator(simulated, targets=WANTED, each=Budget(calls=4), keep=2)
    owner = torch.tensor([0, 0, 1, 2, 0, 1])
    first = simulator(designs(6), target=owner)
    assert bool(first.isfinite().all()) and simulator.calls == 6
    second = simulator(designs(6), target=owner)  # target 0 has one call left, 1 two, 2 three
    assert second.isnan()[:, 0].tolist() == [False, True, False, False, True, False]
    assert simulator.calls == simulated.rows == 10
    third = simulator(designs(4), target=torch.tensor([2, 2, 2, 0]))
    assert third.isfinite()[:, 0].tolist() == [True, True, False, False]
    assert simulator.calls == simulated.rows == 12 and simulator.record.own.tolist() == [4, 4, 4]
    with pytest.raises(BudgetError, match="4 simulator calls a target is spent"):
        simulator(designs(1), target=torch.tensor([1]))
    assert simulated.rows == 12 and simulator.best_designs().shape == (3, 2, 2)


def test_rows_for_all_targets_cost_each_its_share(simulated):
    simulator = Simulator(simulated, targets=WANTED, each=Budget(calls=2))
    assert simulator(designs(5)).isfinite().all()
    last = simulator(designs(4))  # six calls for three targets
    assert last.isfinite()[:, 0].tolist() == [True, False, False, False]
    with pytest.raises(BudgetError):
        simulator(designs(1))
    assert simulator.calls == simulated.rows == 6


def test_a_gradient_costs_what_the_task_says(simulated):
    simulator = Simulator(simulated, targets=WANTED, each=Budget(calls=5))
    x = designs(9).requires_grad_()
    owner = torch.arange(3).repeat(3)
    y = simulator(x, target=owner)  # two calls a row: two rows of each
    assert y.detach().isfinite()[:, 0].tolist() == [True] * 6 + [False] * 3
    y[:6].sum().backward()
    assert bool((x.grad[:6] == 1).all()) and simulator.calls == 12
    assert simulator.record.served.tolist() == [4, 4, 4]


@pytest.mark.parametrize(("calls", "rows", "total"), [(2, 5, 15), (4, 4, 20), (5, 3, 18)])
def test_a_gradient_of_several_calls_costs_them(line, calls, rows, total):
    class Dear(line):
        gradient_calls = calls

    simulator = Simulator(Dear(), targets=torch.zeros(1, 1), each=Budget(calls=20))
    x = designs(5).requires_grad_()
    y = simulator(x, target=torch.zeros(5, dtype=torch.long))  # 1 + calls a row, 20 to spend
    assert int(y.isfinite().sum()) == rows
    assert simulator.calls == total and simulator.record.own.tolist() == [total]
    plain = Simulator(Dear(), budget=100)
    plain(designs(5))
    assert plain.calls == 5
    plain(x)
    assert plain.calls == 10 + 5 * calls


def test_seconds_end_a_search(simulated, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(
        "invcore.contracts.simulation.call_record.time.perf_counter", lambda: now[0]
    )
    simulator = Simulator(simulated, targets=WANTED, each=Budget(seconds=2.0))
    simulator(designs(2))
    now[0] = 5.9
    simulator(designs(2))
    now[0] = 6.1  # two for each of three
    with pytest.raises(BudgetError, match="2 seconds for each target"):
        simulator(designs(2))


def test_a_view_of_some_targets_counts_for_the_whole(simulated):
    simulator = Simulator(simulated, targets=WANTED, each=Budget(calls=2), keep=1)
    part = simulator.part(slice(1, 3))
    inner = part.part(slice(1, 2))
    part(designs(2), target=torch.tensor([0, 1]))
    inner(designs(1), target=torch.tensor([0]))
    assert simulator.record.own.tolist() == [0, 1, 2] and part.calls == simulator.calls == 3
    with pytest.raises(BudgetError):
        inner(designs(1), target=torch.tensor([0]))  # its only target has none left
    assert part(designs(1), target=torch.tensor([1])).isnan().all(), "the other one has"
    assert part.best_designs().shape == (2, 1, 2) and part.budget is None
    assert Simulator(simulated).part(slice(0, 1)).calls_left is None


def test_without_targets_nothing_is_recorded(simulated):
    simulator = Simulator(simulated, budget=3)
    simulator(designs(2), target=torch.tensor([0, 1]))
    assert simulator.history() is None and simulator.best_designs() is None
    assert simulator.calls_left == 1
    with pytest.raises(BudgetError):
        simulator(designs(2))
    assert simulated.rows == 2


def test_the_judge_goes_on_with_the_history_and_has_no_budget(simulated):
    simulator = Simulator(simulated, targets=WANTED, each=Budget(calls=1))
    simulator(designs(3), target=torch.arange(3))
    judge = simulator.judge()
    judge(designs(6), target=torch.arange(3).repeat(2))
    assert (simulator.calls, judge.calls) == (3, 6)
    assert simulator.record.served.tolist() == [3, 3, 3]


def test_all_that_a_task_simulates_is_counted(simulated):
    simulator = Simulator(simulated, budget=20)
    counted = counted_task(simulated, simulator)
    counted.pairs(15, torch.Generator())
    assert simulator.calls == 15 and type(counted) is type(simulated)
    with pytest.raises(BudgetError):
        counted.pairs(15, torch.Generator())
    simulated.simulate(designs(30))  # the task itself is as before
    assert simulator.calls == 15


def test_a_part_counts_with_the_whole_and_judges_nothing(simulated):
    simulator = Simulator(simulated, targets=WANTED, budget=100)
    part = simulator.part(slice(1, 2))
    part(designs(2), None, torch.zeros(2).long())
    assert simulator.calls == part.calls == 2 and part.calls_left == simulator.calls_left == 98
    with pytest.raises(PluginError, match="call the simulator itself"):
        part.judge()  # whose calls would not count as the method's
