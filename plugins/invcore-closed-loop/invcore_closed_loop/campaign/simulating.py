"""A campaign whose rows a simulator answers: by this process, or by the jobs of an executor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invcore_solve.from_simulator import Simulate, as_simulator, says_its_designs
from invcore_solve.loop_progress import Shown
from invcore_solve.loop_search import rows_at_once, search
from invcore_solve.simulators.row_workers import RowWorkers
from invcore_solve.simulators.task import SimulatorTask
from torch import Tensor

from invcore.plugin import (
    ConfigError,
    Executor,
    Problem,
    Progress,
    Space,
    UnknownNameError,
    claimed,
    close_names,
    printable,
    with_derived,
)
from invcore_closed_loop.campaign.changes import measure_targets

if TYPE_CHECKING:
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.facts import Facts

FOLDER = "simulations"
"""Of a campaign's folder: rows that were costly and whose results were not told yet."""
_PATIENCE = 20  # rows without a response, after which a simulator that gave none is given up
_ENDS = {
    "met": "a row meets all that is wanted",
    "finished": "the loop has nothing more to ask",
    "budget": "the budget is used up",
}


@dataclass(frozen=True)
class SimulatedRun:
    """What ``Campaign.run`` has done.

    Args:
        simulated: rows whose results were told by it.
        failed: those of them without a response.
        asked: rows that were ever asked for in the campaign.
        pending: rows that are pending still.
        ended: why it has ended: ``met``, ``finished`` or ``budget``.
        simulator: what the simulator was asked for, and what came of it, as plain data.
    """

    simulated: int
    failed: int
    asked: int
    pending: int
    ended: str
    simulator: dict[str, Any]

    @property
    def text(self) -> str:
        """A sentence."""
        reasons = self.simulator["failures"].items()
        why = f" ({', '.join(f'{count} {reason}' for reason, count in reasons)})" * bool(reasons)
        failed = f", of which {self.failed:,} failed{why}" if self.failed else ""
        rows = f"{self.simulated:,} row{'s' * (self.simulated != 1)} simulated{failed}"
        left = f"; {self.pending:,} still pending" if self.pending else ""
        return f"{rows}; {_ENDS[self.ended]}{left}"

    def __str__(self) -> str:
        return self.text

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {**vars(self)}


class CampaignWorkers:
    """Workers of a simulator that are given a campaign's designs, and give its responses.

    Args:
        workers: of the simulator.
        task: the simulator, which has the campaign's designs and responses in any order.
        problem: of the campaign.
        facts: of the campaign.

    Raises:
        ConfigError: the simulator has other designs.
        UnknownNameError: it lacks a response that is to be measured.
    """

    def __init__(
        self, workers: RowWorkers, task: SimulatorTask, problem: Problem, facts: Facts
    ) -> None:
        self._workers, self._designs, self._formulas = workers, problem.designs, facts.formulas
        self._rows: dict[int, Tensor] = {}
        self._measured = facts.measured(problem.responses.names)
        self._columns = columns_of(task, problem.designs)
        given = task.responses.names
        for name in self._measured:
            if name not in given:
                hint = close_names(name, given)
                raise UnknownNameError(f"simulator {task.name}: no response {name!r}. {hint}")
        self._responses = [given.index(name) for name in self._measured]

    @property
    def running(self) -> int:
        """Rows that were started, and whose responses were not asked for."""
        return self._workers.running

    def start(self, number: int, x: Tensor) -> None:
        """Begin a row (Dx,) of the campaign."""
        self._rows[number] = x
        self._workers.start(number, x[self._columns])

    def next(self) -> tuple[int, Tensor]:
        """The number of a row and its responses (Dy,), computed ones among them."""
        number, y = self._workers.next()
        x, y = self._rows.pop(number)[None], y[self._responses][None]
        return number, with_derived(self._formulas, self._designs, x, self._measured, y)[0]


def columns_of(task: SimulatorTask, designs: Space) -> list[int]:
    """The campaign's column of each of the simulator's designs.

    Raises:
        ConfigError: they are not the same designs, or have other categories.
    """
    own = {v.name: v for v in task.designs.variables}
    if set(own) != set(designs.names):
        lacking = [name for name in designs.names if name not in own]
        beside = [name for name in own if name not in designs.names]
        said = [f"it lacks {', '.join(lacking)}"] * bool(lacking)
        said += [f"it has {', '.join(beside)}"] * bool(beside)
        raise ConfigError(
            f"simulator {task.name}: other designs than the campaign's: {'; '.join(said)}"
        )
    for variable in designs.variables:
        if variable.categories != own[variable.name].categories:
            raise ConfigError(
                f"simulator {task.name}: {variable.name!r} has other categories than in the "
                "campaign, or has them in another order"
            )
    return [designs.names.index(name) for name in own]


def simulator_of(campaign: Campaign, simulate: Simulate) -> SimulatorTask:
    """A simulator for a campaign; one that does not say its spaces has the campaign's."""
    if says_its_designs(simulate):
        return as_simulator(simulate)
    problem, measured = campaign.problem, campaign.measured
    responses = Space.of(*(v for v in problem.responses.variables if v.name in measured))
    return as_simulator(simulate, problem.designs, responses)


def run(
    campaign: Campaign, simulate: Simulate, executor: Executor[Any] | None, workers: int | None,
    budget: int | None, progress: Progress,
) -> SimulatedRun:  # fmt: skip
    """Have rows simulated; arguments are those of ``Campaign.run``."""
    for name, value in (("workers", workers), ("budget", budget)):
        if value is not None and value < 1:
            raise ConfigError(f"{name}: expected at least 1, got {value}")
    task, journal = simulator_of(campaign, simulate), campaign.journal
    task.keep_in(journal.folder / FOLDER)
    count = rows_at_once(executor, workers)
    met = _Met(campaign)
    if met.reached:  # nothing is to be done, and the simulator is not even tried
        return _summary(campaign, task, SimulatedRun(0, 0, 0, 0, "met", {}))
    _ = task.kind  # a function is tried before anything is asked, once for a campaign
    rows = journal.rows
    bars = progress.stage("simulator calls", budget)
    alone, calls = claimed(journal.folder / FOLDER), task.one_by_one(_PATIENCE, 0, 0)
    with alone as ours, task.done_by(executor), calls, bars as stage:
        if not ours:
            raise ConfigError(
                f"{printable(journal.folder, 200)}: another process simulates for this campaign, "
                "and would be given the same rows; wait for it, or begin it anew with more workers"
            )
        stage.advance(int((rows.told & (rows.asked_in >= 0)).sum()))
        shown, done = Shown(journal, stage), [0, 0]

        def told(y: Tensor) -> None:
            done[0] += 1
            done[1] += int(not bool(y.isfinite().any()))
            shown.row(y)
            met.see(y)
            measure_targets(journal, campaign.data()[1])

        with RowWorkers(task, count) as own:
            given = CampaignWorkers(own, task, campaign.problem, campaign.facts)
            search(journal, given, count, budget, told, enough=lambda: met.reached)
    spent = budget is not None and int((journal.rows.asked_in >= 0).sum()) >= budget
    ended = "met" if met.reached else "budget" if spent else "finished"
    return _summary(campaign, task, SimulatedRun(done[0], done[1], 0, 0, ended, {}))


def _summary(campaign: Campaign, task: SimulatorTask, found: SimulatedRun) -> SimulatedRun:
    journal = campaign.journal
    simulator = {"name": task.name, **task.counts.document()}
    return replace(
        found, asked=int((journal.rows.asked_in >= 0).sum()), pending=len(journal.pending()),
        simulator=simulator,
    )  # fmt: skip


class _Met:
    """Whether a row meets all that is wanted; of goals none is ever enough.

    Args:
        campaign: whose rows so far count.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._targets, self.reached = campaign.journal.targets, False
        for y in campaign.data()[1]:
            self.see(y)

    def see(self, y: Tensor) -> None:
        """Look at the responses of a row (Dy,)."""
        if not self._targets.has_goals:
            self.reached |= bool(self._targets.met(y.double()[None, None]).all())
