"""Checks of methods: every simulator call is counted, and stands to the right target's account."""

from contextlib import suppress

import torch
from torch import Tensor

from invcore.base.errors import BudgetError
from invcore.base.types import Context
from invcore.contracts.simulation.call_record import CallRecord
from invcore.contracts.simulation.simulator import Simulator
from invcore.scoring.errors import squared_error
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.cases.problems import Bowl
from invcore.testing.check import CheckFailed, only_if, require


class _Tripwire(Simulator):
    """A simulator that must not be used."""

    def __call__(
        self, x: Tensor, context: Context | None = None, target: Tensor | None = None
    ) -> Tensor:
        self.calls += len(x)
        raise CheckFailed("propose calls the simulator, but needs has no Needs.SIMULATOR")


class _Counted(Bowl):
    """A bowl that counts for itself the rows that it simulates."""

    rows = 0

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        self.rows += len(x)
        return super().simulate(x, context)


def check_simulator_budget(subject: MethodSubject) -> None:
    """The simulator is used only if ``needs`` says so, counted, and never beyond its budget."""
    question = subject.ask("bowl", 4, 3)
    if not subject.uses_simulator:
        wire = _Tripwire(Bowl())
        question.propose(wire)
        require(wire.calls == 0, "propose calls the simulator, but needs has no Needs.SIMULATOR")
        return
    task = _Counted()
    free = Simulator(task)
    question.propose(free)
    fault = f"{task.rows} rows were simulated and {free.calls} counted"
    require(task.rows <= free.calls, f"{fault}: call the simulator itself")
    for budget in (0, free.calls // 2):
        task = _Counted()
        with suppress(BudgetError):
            question.propose(Simulator(task, budget=budget))
        require(task.rows <= budget, f"{task.rows} rows were simulated, the budget is {budget}")


class _Rows(CallRecord):
    """A record that keeps all rows, with the place of each row's target; -1 for all targets."""

    def __init__(self, targets: Tensor) -> None:
        super().__init__(targets, 1.0)
        self.rows: list[tuple[Tensor, Tensor]] = []

    def add(
        self, y: Tensor, target: Tensor | None, *, cost: int = 1, x: Tensor | None = None
    ) -> None:
        super().add(y, target, cost=cost, x=x)
        assert x is not None
        owner = torch.full((len(y),), -1) if target is None else target.detach().cpu()
        self.rows.append((x.detach().cpu().double().clone(), owner.clone()))


def check_calls_recorded(subject: MethodSubject) -> None:
    """The history has every simulated row, at the target whose candidates it brought."""
    only_if(subject.uses_simulator, "the method does not ask for the simulator")
    question = subject.ask("bowl", 6, 3)
    task = _Counted()
    simulator = Simulator(task, targets=question.targets.y)
    record = simulator.record = _Rows(question.targets.y)
    best = _best_designs(question, simulator)
    given = sum(len(x) for x, _ in record.rows)
    fault = f"{task.rows} rows were simulated, {given} of them by the simulator that propose is"
    require(task.rows == given, f"{fault} given: call that one alone, for every row")
    fault = f"{simulator.calls} calls are counted, the history has {record.total}"
    require(record.total == simulator.calls, f"{fault}: call the simulator that propose is given")
    x, owner = (torch.cat(parts) for parts in zip(*record.rows, strict=True))
    width = task.designs.high - task.designs.low
    near = ((x - best[:, None]).abs() <= 1e-6 * width).all(dim=2)  # (B, N)
    own = (near & ((owner == -1) | (owner == torch.arange(len(best))[:, None]))).any(dim=1)
    astray = int((near.any(dim=1) & ~own).sum())
    fault = f"the best candidates of {astray} of {len(best)} targets were simulated for other"
    remedy = "target= is the place of each row's target among those that propose is given"
    require(not astray, f"{fault} targets alone: {remedy}")


def _best_designs(question: Question, simulator: Simulator) -> Tensor:
    """Each target's candidate with the smallest error: (B, Dx)."""
    x = question.propose(simulator).x.detach().cpu().double()
    errors = squared_error(question.responses(x), question.targets.y).nan_to_num(torch.inf)
    return x[torch.arange(len(x)), errors.argmin(dim=1)]
