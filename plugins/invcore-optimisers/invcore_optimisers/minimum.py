"""What a minimiser gives back, and the record of how it came there."""

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor


class Reason(IntEnum):
    """Why a problem has ended."""

    CONVERGED = 0
    """No part of the gradient is larger than ``gtol``; so ends a flat objective too."""
    STEPS = 1
    """The iterations are used up."""
    STUCK = 2
    """No lower value was found along the direction: rounding, a kink, or a wrong gradient."""
    NO_VALUE = 3
    """The start has no finite value."""


@dataclass(frozen=True)
class History:
    """How the best values fell, thinned to a bounded number of records.

    One record is made after every call of the objective with all problems that still run; each of
    these has then had ``evaluations`` evaluations.

    Args:
        best: (S, N), the best value of each problem so far.
        evaluations: (S,), how many evaluations a problem that still runs has had.
        values: (S,), values computed so far for all problems together.
        gradients: (S,), gradients computed so far for all problems together.
    """

    best: Tensor
    evaluations: Tensor
    values: Tensor
    gradients: Tensor


@dataclass(frozen=True)
class Minimum:
    """The best points found.

    Args:
        x: (N, D).
        value: (N,); inf where the start has no value.
        gradient_norm: (N,), the largest part of the gradient at x; NaN without gradients.
        steps: (N,), iterations, long.
        evaluations: (N,), values asked for, long; each came with its gradient.
        reason: (N,), a ``Reason`` each, long.
        history: None unless the config asks for it.
    """

    x: Tensor
    value: Tensor
    gradient_norm: Tensor
    steps: Tensor
    evaluations: Tensor
    reason: Tensor
    history: History | None = None

    @property
    def converged(self) -> Tensor:
        """Which problems reached a vanishing gradient (N,), bool."""
        return self.reason == Reason.CONVERGED


class Recorder:
    """Keeps at most ``limit`` records: every second is dropped when there would be more.

    Args:
        limit: of records; 0 keeps none.

    Example:
        >>> recorder = Recorder(4)
        >>> for count in range(9):
        ...     recorder.add(torch.zeros(2), count, 2 * count, 2 * count)
        >>> recorder.history().evaluations
        tensor([0, 4, 8])
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._stride, self._count = limit, 1, 0
        self._records: list[tuple[Tensor, int, int, int]] = []
        self._last: tuple[Tensor, int, int, int] | None = None

    def add(self, best: Tensor, evaluations: int, values: int, gradients: int) -> None:
        """Record the best values (N,), which are copied, and the counts so far."""
        if not self._limit:
            return
        self._last = (best.clone(), evaluations, values, gradients)
        if self._count % self._stride == 0:
            if len(self._records) == self._limit:
                self._records = self._records[::2]
                self._stride *= 2
            if self._count % self._stride == 0:
                self._records.append(self._last)
        self._count += 1

    def history(self) -> History | None:
        """All that was kept, with the last record; None if nothing was to be."""
        if self._last is None:
            return None
        records = list(self._records)
        if records[-1] is not self._last:
            records = [*records[: self._limit - 1], self._last]
        best, *counts = zip(*records, strict=True)
        return History(torch.stack(best), *(torch.tensor(column) for column in counts))
