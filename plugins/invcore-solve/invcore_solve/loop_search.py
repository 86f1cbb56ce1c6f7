"""A loop and those who simulate for it: rows are asked for while workers are free, and told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor

from invcore.plugin import Executor, Requests, Results
from invcore.search import LoopJournal

Timed = Callable[[str], AbstractContextManager[None]]


class Workers(Protocol):
    """Who simulates rows one by one, such as `RowWorkers`."""

    @property
    def running(self) -> int:
        """Rows that were started, and whose responses were not asked for."""
        ...

    def start(self, number: int, x: Tensor) -> None:
        """Begin a row (Dx,)."""
        ...

    def next(self) -> tuple[int, Tensor]:
        """The number of a row and its responses (Dy,), of the first that has ended."""
        ...


def rows_at_once(executor: Executor[Any] | None, workers: int | None) -> int:
    """How many rows are at work: what is said, else as many as an executor has workers."""
    if workers is None and executor is not None:
        return int(getattr(executor.config, "workers", 1))
    return workers or 1


def search(
    journal: LoopJournal, workers: Workers, at_once: int, budget: int | None,
    told: Callable[[Tensor], None], *, enough: Callable[[], bool] = lambda: False,
    timed: Timed = lambda stage: nullcontext(),
) -> None:  # fmt: skip
    """Keep all workers busy until the loop or the budget ends, and tell each result as it comes.

    What was asked for and not told when an earlier search was stopped is simulated first.

    Args:
        journal: of the loop; all its steps are on disk before anybody sees them.
        workers: who simulates.
        at_once: rows at the same time.
        budget: the most rows that are ever asked for in this journal; None for no limit.
        told: called with the responses (Dy,) of each row, once they are told.
        enough: whether no further row is to be started; those at work are waited for.
        timed: measures the stages ``propose`` and ``simulate``.

    Raises:
        SimulatorError: the simulator cannot be used, or has given no response to many rows.
        StoreError: the journal is damaged, or cannot be written.
    """
    designs, waiting = dict[int, Tensor](), deque[tuple[int, Tensor]]()

    def wait(requests: Requests) -> None:
        waiting.extend(zip(requests.id.tolist(), requests.designs, strict=True))

    wait(journal.pending())
    while True:
        while workers.running < at_once and not enough():
            if not waiting:
                with timed("propose"):
                    wait(journal.ask(at_once - workers.running, most=budget))
            if not waiting and not workers.running:
                wait(journal.pending())  # another process has them, and may have died of them
            if not waiting:
                break
            number, designs_of_row = waiting.popleft()
            designs[number] = designs_of_row
            workers.start(number, designs_of_row)
        if not workers.running:
            return
        with timed("simulate"):
            number, y = workers.next()
        journal.tell(Results(torch.tensor([number]), designs.pop(number)[None], y[None]))
        told(y)
