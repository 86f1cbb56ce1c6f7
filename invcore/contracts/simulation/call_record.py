"""What simulator calls have brought each target: written as the calls are made, by the counter."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.contracts.problem import Targets

LEVELS = 10.0 ** -(torch.arange(0, 65, dtype=torch.float64) / 4)
"""Parts of the responses' variance, from 1 to 1e-16: when errors fell below each is recorded."""
_CALLS = torch.unique((10.0 ** (torch.arange(0, 161, dtype=torch.float64) / 20)).round())
_RECORDS = 256  # in time: a picture shows no more
_NUMBERS = 1 << 22  # held at once


@dataclass(frozen=True)
class History:
    """What simulator calls brought: in time, by calls, and when each level of error was reached.

    A call counts for the targets that it served: that of its row, or, of a row that was given for
    all targets, every one.

    Args:
        error: (S, B), the smallest error of each target so far, at S moments of the search.
        calls: (S,), calls so far, of all targets together.
        seconds: (S,), wall time so far.
        best: (G, B), the smallest error of each target after ``grid`` calls that served it; as
            before where it had fewer.
        grid: (G,), whole numbers of calls, in equal steps of their logarithm.
        reached: (J, B), calls that served a target until its error was at most ``LEVELS`` times the
            responses' variance; infinite where it never was.
        reached_of_all: (J, B), calls of all targets together until then.
        shared: (), the share of rows that were given for all targets.

    Example:
        >>> record = CallRecord(torch.tensor([[0.0], [1.0]]), scale=1.0)
        >>> record.add(torch.tensor([[0.5], [1.0]]), torch.tensor([0, 1]))
        >>> record.add(torch.tensor([[0.0]]), torch.tensor([0]))
        >>> history = record.history()
        >>> history.best.tolist(), history.reached[[2, 64]].tolist()
        ([[0.25, 0.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 1.0]])
    """

    error: Tensor
    calls: Tensor
    seconds: Tensor
    best: Tensor
    grid: Tensor
    reached: Tensor
    reached_of_all: Tensor
    shared: Tensor

    def within(self, calls: int) -> Tensor:
        """The smallest error of each target (B,) within so many calls for it; infinite without any.

        Where rows were given for all targets, calls for a target are all calls, divided by the
        number of targets. Between two numbers of ``grid`` the smaller one counts.
        """
        rows = int((self._calls_for_a_target <= calls).sum())
        errors = self.error if bool(self.shared > 0) else self.best
        return errors[rows - 1] if rows else torch.full_like(self.error[0], torch.inf)

    @property
    def most_calls(self) -> float:
        """The most calls that were made for a target."""
        return float(self._calls_for_a_target.max()) if len(self._calls_for_a_target) else 0.0

    @property
    def _calls_for_a_target(self) -> Tensor:
        if bool(self.shared > 0):
            return self.calls.double() / self.error.shape[1]
        return self.grid.double()


class CallRecord:
    """Takes note of responses as they come.

    Args:
        targets: B of them; (B, Dy) where they are exact.
        scale: the responses' variance, mean over Dy; errors are compared with parts of it. Those
            of intervals have no unit, and are compared with parts of one.
    """

    def __init__(self, targets: Tensor | Targets, scale: float) -> None:
        wanted = targets if isinstance(targets, Targets) else Targets(targets.detach())
        self._wanted = wanted.to(torch.device("cpu"))
        self._exact = wanted.exact
        self._targets = self._wanted.low.double()
        count, levels = len(wanted), len(LEVELS)
        self._thresholds = LEVELS * (scale if self._exact else 1.0)
        self.best = torch.full((count,), torch.inf, dtype=torch.float64)
        self.served = torch.zeros(count, dtype=torch.long)
        """(B,), calls that served each target."""
        self.own = torch.zeros(count, dtype=torch.long)
        """(B,), those of them that were made for it alone."""
        self.shared = 0
        self._path = torch.full((0, count), torch.inf, dtype=torch.float64)
        self._reached = torch.full((levels, count), torch.inf, dtype=torch.float64)
        self._reached_of_all = self._reached.clone()
        self._started = time.perf_counter()
        self._moments: list[tuple[Tensor, int, float]] = []
        self._stride, self._batches = 1, 0
        self._kept: tuple[Tensor, Tensor] | None = None
        self.keep = 0
        """How many designs to remember of each target, the best ones."""

    @property
    def total(self) -> int:
        """Calls of all targets together."""
        return self.shared + int(self.own.sum())

    @property
    def seconds(self) -> float:
        """Since the record was begun."""
        return time.perf_counter() - self._started

    def add(
        self, y: Tensor, target: Tensor | None, *, cost: int = 1, x: Tensor | None = None
    ) -> None:
        """Take note of rows.

        Args:
            y: responses (N, Dy), NaN where there is none.
            target: (N,), whose rows they are; None for rows that serve every target.
            cost: calls that a row counts as.
            x: designs (N, Dx), where some are to be remembered.
        """
        y = y.detach().cpu().double()
        count = len(self._targets)
        rows = len(y) if target is not None else max(1, _NUMBERS // max(1, count * y.shape[1]))
        for start in range(0, len(y), max(1, rows)):
            part = slice(start, start + rows)
            designs = None if x is None else x[part].detach().cpu().double()
            if target is None:
                gap, worth = self._errors(y[part], None)  # (B, N)
                places = torch.arange(gap.shape[1]).expand_as(gap)
                everyone = torch.arange(count)
                self._take(everyone, gap, places, self.total, cost, designs, worth=worth)
                self.shared += gap.shape[1] * cost
                self.served += gap.shape[1] * cost
            else:
                self._add_own(y[part], target[part].cpu(), cost, designs)
        self._look()

    def _errors(self, y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Errors (N,) of rows (N, Dy), or (B, N) for every target; and what designs are kept by,
        where goals are not in the error.
        """
        if self._exact and target is None:
            return (y[:, None] - self._targets).square().mean(dim=2).T, None
        if self._exact:
            return (y - self._targets[target]).square().mean(dim=1), None
        wanted = self._wanted if target is None else self._wanted[target]
        rows = y.expand(len(wanted), *y.shape) if target is None else y
        worth = wanted.objective(rows) if self._wanted.has_goals and self.keep else None
        return wanted.error(rows), worth

    def _add_own(self, y: Tensor, target: Tensor, cost: int, x: Tensor | None) -> None:
        sizes = torch.bincount(target, minlength=len(self._targets))
        present = sizes.nonzero()[:, 0]
        if not len(present):
            return
        longest = int(sizes.max())
        if len(present) * longest > _NUMBERS and len(y) > 1:  # a few targets have most rows
            half = len(y) // 2
            for rows in (slice(0, half), slice(half, None)):
                self._add_own(y[rows], target[rows], cost, None if x is None else x[rows])
            return
        errors, worth = self._errors(y, target)
        order = target.argsort(stable=True)
        starts = sizes.cumsum(0) - sizes
        column = torch.arange(len(y)) - starts[target[order]]
        line = torch.searchsorted(present, target[order])
        gap = torch.full((len(present), longest), torch.inf, dtype=torch.float64)
        value = None if worth is None else gap.index_put((line, column), worth[order])
        gap[line, column] = errors[order]
        places = torch.full(gap.shape, len(y))
        places[line, column] = order
        self._take(present, gap, places, self.total, cost, x, sizes[present], value)
        self.own += sizes * cost
        self.served += sizes * cost

    def _take(
        self, whose: Tensor, gap: Tensor, places: Tensor, before: int, cost: int, x: Tensor | None,
        sizes: Tensor | None = None, worth: Tensor | None = None,
    ) -> None:  # fmt: skip
        """Errors (T, L) of the targets ``whose`` (T,), in the order of the calls.

        Args:
            whose: targets.
            gap: errors, infinite behind a target's last row.
            places: (T, L), of the rows in the call.
            before: calls of all targets so far.
            cost: of a row.
            x: designs (N, Dx) of the call.
            sizes: (T,), how many rows each target has; all have L by default.
            worth: (T, L), what designs are kept by; by default the errors.
        """
        gap = gap.nan_to_num(torch.inf, torch.inf)
        lowest = torch.cat([self.best[whose, None], gap], dim=1).cummin(dim=1).values[:, 1:]
        longest = gap.shape[1]
        wanted = self._thresholds.neg().expand(len(whose), -1).contiguous()
        first = torch.searchsorted(lowest.neg().contiguous(), wanted)  # (T, J)
        hit = (first < longest) & self._reached[:, whose].isinf().T
        row, level = hit.nonzero(as_tuple=True)
        column = first[row, level]
        calls = self.served[whose[row]] + cost * (column + 1)
        self._reached[level, whose[row]] = calls.double()
        calls = before + cost * (places[row, column] + 1)
        self._reached_of_all[level, whose[row]] = calls.double()
        self._extend(whose, lowest, cost, sizes)
        if self.keep and x is not None:
            kept_by = gap if worth is None else worth.nan_to_num(torch.inf, torch.inf)
            self._remember(whose, kept_by, places, x)
        self.best[whose] = lowest[:, -1]

    def _extend(self, whose: Tensor, lowest: Tensor, cost: int, sizes: Tensor | None) -> None:
        """Fill in the errors at the numbers of calls that these targets pass now."""
        before = self.served[whose]
        added = cost * (torch.full_like(before, lowest.shape[1]) if sizes is None else sizes)
        rows = int(torch.searchsorted(_CALLS, float((before + added).max()), right=True))
        if rows > len(self._path):
            more = torch.full((rows - len(self._path), len(self.best)), torch.inf).double()
            self._path = torch.cat([self._path, more])
        low = int(torch.searchsorted(_CALLS, float(before.min()), right=True))
        calls = _CALLS[low:rows].long()[:, None]  # (S, 1)
        now = (before < calls) & (calls <= before + added)  # (S, T)
        done = torch.div(calls - before, cost, rounding_mode="floor").clamp(0, lowest.shape[1])
        values = torch.cat([self.best[whose, None], lowest], dim=1).gather(1, done.T).T
        self._path[low:rows, whose] = torch.where(now, values, self._path[low:rows, whose])

    def _remember(self, whose: Tensor, gap: Tensor, places: Tensor, x: Tensor) -> None:
        """Keep the best designs of each target."""
        if self._kept is None:
            shape = (len(self.best), self.keep)
            empty = torch.full((*shape, x.shape[1]), torch.nan, dtype=torch.float64)
            self._kept = torch.full(shape, torch.inf, dtype=torch.float64), empty
        errors, designs = self._kept
        count = min(self.keep, gap.shape[1])
        value, column = gap.topk(count, dim=1, largest=False)
        new = x[places.gather(1, column).clamp(max=len(x) - 1)]
        merged = torch.cat([errors[whose], value], dim=1)
        order = merged.argsort(dim=1, stable=True)[:, : self.keep]
        every = torch.cat([designs[whose], new], dim=1)
        errors[whose] = merged.gather(1, order)
        designs[whose] = every.take_along_dim(order[..., None], 1)

    def designs(self) -> Tensor | None:
        """The best designs of each target (B, keep, Dx), best first; NaN where there were fewer."""
        if self._kept is None:
            return None
        errors, designs = self._kept
        return torch.where(errors.isfinite()[..., None], designs, torch.nan)

    def _look(self) -> None:
        """Take note of the moment; every second one is dropped when there would be more."""
        if self._batches % self._stride == 0:
            if len(self._moments) == _RECORDS:
                self._moments = self._moments[::2]
                self._stride *= 2
            if self._batches % self._stride == 0:
                self._moments.append((self.best.clone(), self.total, self.seconds))
        self._batches += 1

    def history(self) -> History:
        """All that is known by now."""
        last = (self.best.clone(), self.total, self.seconds)
        moments = self._moments
        if not moments or moments[-1][1] != last[1]:
            moments = [*moments[: _RECORDS - 1], last]
        error, calls, seconds = zip(*moments, strict=True)
        grid, most = _CALLS[: len(self._path)], int(self.served.max()) if len(self.served) else 0
        # A target that had fewer calls stays where it is
        path = torch.where(self.served < grid[:, None], self.best, self._path)
        if len(grid) and most > int(grid[-1]):
            grid = torch.cat([grid, torch.tensor([float(most)]).double()])
            path = torch.cat([path, self.best[None]])
        return History(
            torch.stack(error), torch.tensor(calls), torch.tensor(seconds).double(), path,
            grid.long(), self._reached.clone(), self._reached_of_all.clone(),
            torch.tensor(self.shared / max(1, self.total), dtype=torch.float64),
        )  # fmt: skip
