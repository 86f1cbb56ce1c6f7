"""Batches of designs: read back from the journal or computed, counted, given up when hopeless."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.plugin import Executor, Progress, SimulatorError, Space, Stage
from invcore_solve.simulators.backends import Backend
from invcore_solve.simulators.jobs import spread
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.outcomes import NO_RESPONSE, Counts, Outcome

Array = npt.NDArray[np.float64]

_ROWS = 16  # of a job, where a simulator takes any number of them
_HOPELESS = 3  # batches without any response at the beginning, after which nothing more is tried


class Batches:
    """The work that a backend is given, a batch at a time.

    Args:
        backend: computes responses.
        name: of the simulator, for messages.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend, self.name = backend, name
        self.keeps_output = backend.keeps_output
        self.journal = Journal(None)
        self.say = self.journal.say
        self.counts = Counts()
        self.patience: int | None = None
        """Batches without a response after which a simulator that gave none is given up; None: what
        is asked for at once, and at most three."""
        self.executor: Executor[Any] | None = None
        """Who simulates batches; None: this process."""
        self._stage: Stage | None = None
        self._good = self._bad = 0  # batches

    def restart(self) -> None:
        """Count from zero."""
        self.counts = Counts()
        self._good = self._bad = 0

    @contextmanager
    def on_bar(self, progress: Progress, label: str, rows: int) -> Iterator[None]:
        """Show on a bar how many rows have been simulated in the block."""
        with progress.stage(label, rows) as self._stage:
            try:
                yield
            finally:
                self._stage = None

    def responses(self, x: Array, designs: Space, responses: Space) -> Array:
        """Responses (N, Dy) of designs (N, Dx), NaN where there is none.

        Raises:
            SimulatorError: no batch at the beginning gave any response.
        """
        dim, size = responses.dim, self._backend.batch or self._share(len(x))
        y, waiting = np.full((len(x), dim), np.nan), []
        for start in range(0, len(x), size):
            entry = self.journal.find(x[start : start + size], dim)
            if entry is None:
                waiting.append(start)
                continue
            y[start : start + size] = entry
            self.counts.recalled += len(entry)
            self.count(entry, Outcome(entry))
        batches = [x[start : start + size] for start in waiting]
        if batches:
            keep = self.journal.keep
            if self.executor is None:
                ended = self._backend.outcomes(batches, designs, responses, keep)
            else:
                work = self._backend.work(designs, responses, self.journal.folder)
                ended = spread(self.executor, batches, work)
            for number, outcome in ended:
                rows = slice(waiting[number], waiting[number] + size)
                if outcome.y is not None:
                    y[rows] = outcome.y
                self.count(y[rows], outcome)
                if self._bad >= (self.patience or _HOPELESS):
                    self.check_hope()
        self.check_patience()
        return y

    def _share(self, rows: int) -> int:
        """How many rows are given at once, where that may be any number."""
        return rows if self.executor is None else max(1, min(_ROWS, rows))

    def check_patience(self) -> None:
        """Give up where no batch has given a response, and no more are to be tried.

        Raises:
            SimulatorError: why, and what the simulator said last.
        """
        if self._bad >= (self.patience or 1):
            self.check_hope()

    def go_on(self, rows: int, failed: int) -> None:
        """Count rows that were simulated before, one by one."""
        self.counts.calls, self.counts.recalled = rows, rows
        if failed:
            self.counts.failures[NO_RESPONSE] = failed
        self._good, self._bad = rows - failed, failed

    def count(self, y: Array, outcome: Outcome) -> None:
        """Count a batch's rows (N, Dy), and move the bar."""
        self.counts.add(y, outcome)
        if np.isnan(y[:, 0]).all():
            self._bad += 1
        else:
            self._good += 1
        if self._stage is not None:
            failed = {"failed": self.counts.failed} if self.counts.failed else {}
            self._stage.advance(len(y), **failed)

    def check_hope(self) -> None:
        """Give up where no batch has given a response so far.

        Raises:
            SimulatorError: why, and what the simulator said last.
        """
        if self._good:
            return
        counts = self.counts
        detail, said = (_latest(counts, texts) for texts in (counts.details, counts.said))
        words = [f"it said last: {said}"] if said else []
        told = [*([detail] if detail else []), *(words if self.keeps_output else [])]
        error = SimulatorError(
            f"simulator {self.name}: none of its first {counts.failed} rows has a response "
            f"({counts.reasons()})"
            + ("; raise time_limit, or lower batch" if "time limit" in counts.failures else "")
            + "".join(f"; {text}" for text in told)
        )
        for text in words if not self.keeps_output else []:
            error.add_note(text)  # for screens alone: it may be a secret
        raise error


def _latest(counts: Counts, texts: dict[str, str]) -> str:
    """What was told of the most frequent failure that something was told of."""
    return next((texts[r] for r, _ in counts.failures.most_common() if r in texts), "")
