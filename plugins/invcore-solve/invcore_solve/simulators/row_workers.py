"""Rows simulated one by one, by this process or by several at a time."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from torch import Tensor

from invcore_solve.simulators.task import SimulatorTask


class RowWorkers:
    """Rows that are being simulated, until their responses are asked for.

    One worker is this process, which simulates a row when its response is asked for. Several are
    processes of their own, or the program's.

    Args:
        task: the simulator.
        count: workers; those of this machine, unless an executor does the task's work.

    Example:
        >>> import torch
        >>> square = SimulatorTask(lambda x: x**2, {"a": (0.0, 1.0)})
        >>> with RowWorkers(square, 1) as workers:
        ...     workers.start(7, torch.tensor([0.5], dtype=torch.float64))
        ...     workers.next()
        (7, tensor([0.2500], dtype=torch.float64))
    """

    def __init__(self, task: SimulatorTask, count: int) -> None:
        several = count > 1 or task.executor is not None
        self._task, self._pool = task, task.pool(count) if several else None
        self._rows: dict[int, Tensor] = {}
        self._ready: list[tuple[int, Tensor]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._pool is not None:
            self._pool.close()

    @property
    def running(self) -> int:
        """Rows that were started, and whose responses were not asked for."""
        return len(self._rows) + len(self._ready)

    def start(self, number: int, x: Tensor) -> None:
        """Begin a row (Dx,), float64."""
        row = x[None]
        if self._pool is None:
            self._rows[number] = row
            return
        y = self._task.recalled(row)
        if y is not None:
            self._ready.append((number, y[0]))
            return
        self._pool.start(number, row.numpy())
        self._rows[number] = row

    def next(self) -> tuple[int, Tensor]:
        """The number of a row and its responses (Dy,), of the first that has ended.

        Raises:
            SimulatorError: the simulator raised, or has given no response to many rows.
        """
        if self._ready:
            return self._ready.pop(0)
        if self._pool is None:
            number = next(iter(self._rows))
            return number, self._task.simulate(self._rows.pop(number))[0]
        number, outcome = self._pool.next()
        return number, self._task.taken(self._rows.pop(number), outcome)[0]
