"""How a search goes on, seen from the simulator: the smallest error of each target so far."""

import time

import torch
from torch import Tensor

from invcore.plugin import History, Simulator

_LIMIT = 256  # records: a picture shows no more


class Tracker:
    """Watches all errors that a search sees.

    At most 256 records are kept: every second is dropped when there would be more.

    Args:
        simulator: whose calls are counted.
        targets: B.

    Example:
        >>> from invcore.plugin import Space, Task, Uniform, Variable
        >>> class Line(Task):
        ...     designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        ...     responses = Space.of(Variable(name="y"))
        ...     def simulate(self, x, context=None):
        ...         return x
        >>> tracker = Tracker(Simulator(Line()), 2)
        >>> tracker.add(torch.tensor([0, 0, 1]), torch.tensor([4.0, 2.0, 9.0]))
        >>> tracker.add(torch.tensor([1]), torch.tensor([1.0]))
        >>> tracker.history().error.tolist()
        [[2.0, 9.0], [2.0, 1.0]]
    """

    def __init__(self, simulator: Simulator, targets: int) -> None:
        self._simulator, self._started = simulator, time.perf_counter()
        self._before = simulator.calls
        self._best = torch.full((targets,), torch.inf, dtype=torch.float64)
        self._records: list[tuple[Tensor, int, float]] = []
        self._stride, self._count = 1, 0

    def add(self, owner: Tensor, error: Tensor) -> None:
        """Take note of errors (M,) of the targets ``owner`` (M,); NaN is none."""
        value = error.detach().cpu().double().nan_to_num(torch.inf, torch.inf)
        self._best.scatter_reduce_(0, owner.cpu(), value, "amin")
        if self._count % self._stride == 0:
            if len(self._records) == _LIMIT:
                self._records = self._records[::2]
                self._stride *= 2
            if self._count % self._stride == 0:
                self._records.append(self._now())
        self._count += 1

    def history(self) -> History:
        """All that was kept, and how it stands now."""
        last = self._now()
        records = self._records
        if not records or records[-1][1] != last[1]:
            records = [*records[: _LIMIT - 1], last]
        error, calls, seconds = zip(*records, strict=True)
        return History(torch.stack(error), torch.tensor(calls), torch.tensor(seconds))

    def _now(self) -> tuple[Tensor, int, float]:
        calls = self._simulator.calls - self._before
        return self._best.clone(), calls, time.perf_counter() - self._started
