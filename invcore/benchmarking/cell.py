"""A cell of a bench: what it runs, how far it is, how long the rest will take. No torch here."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean

from invcore.configs.run_config import RunConfig

Values = Mapping[tuple[str, int | None], float | None]
"""Numbers of a run, by metric and number of candidates."""


_MET = "targets-met"


@dataclass(frozen=True)
class Cell:
    """One run of a bench; task, method and sampler are labels.

    Args:
        id: of the run. Two cells that run the same under other labels share it.
        task: which.
        method: which.
        sampler: which.
        seed: which.
        config: what to run; its device is the one found here.
    """

    id: str
    task: str
    method: str
    sampler: str
    seed: int
    config: RunConfig


@dataclass(frozen=True)
class State:
    """How far a cell is.

    Args:
        status: as in the manifest.
        reason: why it is not ok.
        seconds: what it took, where that is known.
        values: its numbers, if it is ok.
        answered: the share of its targets with an answer, if that is known.
        since: when it began, by ``time.monotonic``, if it is running.
    """

    status: str = "waiting"
    reason: str = ""
    seconds: float | None = None
    values: Values | None = None
    answered: float | None = None
    since: float = 0.0

    def r(self, T: int) -> float | None:
        """The error of the best of T candidates, where that is known."""
        return (self.values or {}).get(("r_T", T))

    def met(self, T: int | None) -> float | None:
        """The share of targets that one of T candidates meets, or one of all, where wishes are
        answered and it is known.
        """
        values = {count: v for (name, count), v in (self.values or {}).items() if name == _MET}
        return values.get(T if T is not None else max((n for n in values if n), default=None))

    def within(self, calls: int) -> float | None:
        """The error within so many simulator calls a target, where that is known."""
        return (self.values or {}).get((f"best-within-{calls}-calls", None))


def unique(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that are different runs; of those with one id, the first."""
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(cell.id, cell)
    return list(first.values())


def time_left(cells: Iterable[Cell], states: Mapping[str, State], workers: int) -> float | None:
    """Seconds until all cells are done; None while none has been.

    A cell is taken to need what those of its method on its task have needed, or those of its
    method, or all of them.

    Args:
        cells: of the bench.
        states: how far each is, by its id.
        workers: how many are done at once.
    """
    spent: dict[tuple[str, ...], list[float]] = {}
    left: list[tuple[Cell, float]] = []  # and how long each has run
    for cell in unique(cells):
        state = states[cell.id]
        if state.status == "ok" and state.seconds is not None:
            for key in _alike(cell):
                spent.setdefault(key, []).append(state.seconds)
        elif state.status in ("waiting", "running"):
            ran = time.monotonic() - state.since if state.status == "running" else 0.0
            left.append((cell, ran))
    if not spent:
        return None
    estimates = ((mean(next(spent[k] for k in _alike(c) if k in spent)), ran) for c, ran in left)
    return sum(max(total - ran, 0.0) for total, ran in estimates) / workers


def _alike(cell: Cell) -> tuple[tuple[str, ...], ...]:
    return (cell.method, cell.task), (cell.method,), ()
