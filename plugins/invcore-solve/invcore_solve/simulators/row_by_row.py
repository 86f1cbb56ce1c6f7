"""Rows of a simulator one by one: recalled, given to workers, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import ConfigError, Executor, PooledExecutor, Space
from invcore_solve.simulators.backends import Backend
from invcore_solve.simulators.batches import Batches
from invcore_solve.simulators.outcomes import Outcome
from invcore_solve.simulators.pools import ExecutorPool, Pool


class RowByRow:
    """What a simulator's task offers to those who have its rows simulated one by one."""

    designs: Space
    _backend: Backend
    _batches: Batches

    @property
    def _own(self) -> Space:
        """Its responses without those that are derived."""
        raise NotImplementedError

    def _whole(self, rows: Tensor, y: Tensor) -> Tensor:
        """The simulator's own responses (N, ·) with those that follow from them (N, Dy)."""
        raise NotImplementedError

    def recalled(self, x: Tensor) -> Tensor | None:
        """The response (1, Dy) of a row (1, Dx) that has been kept, if it has."""
        entry = self._batches.journal.find(x.numpy(), self._own.dim)
        if entry is None:
            return None
        self._batches.counts.recalled += 1
        return self.taken(x, Outcome(entry))

    def taken(self, x: Tensor, outcome: Outcome) -> Tensor:
        """The response (1, Dy) of a row (1, Dx) that a worker has simulated, counted.

        Raises:
            SimulatorError: no row of many has a response.
        """
        y = np.full((1, self._own.dim), np.nan) if outcome.y is None else outcome.y
        self._batches.counts.calls += 1
        self._batches.count(y, outcome)
        self._batches.check_patience()
        return self._whole(x, torch.from_numpy(y))

    @property
    def executor(self) -> Executor[Any] | None:
        """Who simulates; None: this process."""
        return self._batches.executor

    def pool(self, count: int) -> Pool:
        """Workers that simulate single rows side by side; see ``taken``.

        Args:
            count: of this machine, where no executor does it.

        Raises:
            ConfigError: a function that other processes cannot find, or an executor that is not
                given jobs one by one.
        """
        executor = self.executor
        if executor is not None:
            if not isinstance(executor, PooledExecutor):
                raise ConfigError("this executor is not given jobs one by one: try processes")
            work = self._backend.work(self.designs, self._own, self._batches.journal.folder)
            return ExecutorPool(executor, work)
        return self._backend.pool(count, self.designs, self._own, self._batches.journal.folder)

    @contextmanager
    def done_by(self, executor: Executor[Any] | None) -> Iterator[None]:
        """Have an executor simulate the batches that are asked for in the block.

        Raises:
            ConfigError: a function that other processes cannot find.
        """
        if executor is not None:  # what cannot be is told now
            self._backend.work(self.designs, self._own, self._batches.journal.folder)
        self._batches.executor = executor
        try:
            yield
        finally:
            self._batches.executor = None

    @contextmanager
    def one_by_one(self, patience: int, told: int, failed: int) -> Iterator[None]:
        """Rows are asked for one by one in the block: some may fail before one succeeds.

        Args:
            patience: rows without a response, after which a simulator that gave none is given up.
            told: rows that were simulated before, and count.
            failed: of those, the ones without a response.
        """
        self._batches.go_on(told, failed)
        self._batches.patience = patience
        try:
            yield
        finally:
            self._batches.patience = None
