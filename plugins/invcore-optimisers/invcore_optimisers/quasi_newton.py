"""The loop that BFGS and L-BFGS share: every problem moves on at its own pace.

One call of the objective serves each problem that still runs: one is in the middle of its line
search while another begins its next. So the number of calls is that of the slowest problem's
evaluations, and no problem waits for the others' searches.
"""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import ShapeError
from invcore_optimisers import linesearch
from invcore_optimisers.config import QuasiNewtonConfig
from invcore_optimisers.evaluation import Evaluator, Objective
from invcore_optimisers.linesearch import Array
from invcore_optimisers.minimum import Minimum, Reason, Recorder


class Curvature(ABC):
    """What has been learnt of the second derivatives of the problems that still run."""

    @abstractmethod
    def keep(self, which: Array) -> None:
        """Forget all problems but these places (M',)."""

    @abstractmethod
    def update(self, which: Array, step: Array, change: Array) -> None:
        """Learn from steps (m, D) of the problems ``which`` (m,), and their gradients' changes.

        The caller gives problems of positive curvature alone.
        """

    @abstractmethod
    def direction(self, which: Array, gradient: Array) -> Array:
        """Where to go (m, D) from the gradients (m, D) of the problems ``which`` (m,)."""

    @abstractmethod
    def first_step(self, gradient: Array, value: Array, old: Array, slope: Array) -> Array:
        """The first step (m,) that a line search tries.

        Args:
            gradient: (m, D).
            value: (m,).
            old: (m,), values one iteration ago; NaN before the first.
            slope: (m,), along the direction.
        """


def minimise(
    objective: Objective, start: Tensor, config: QuasiNewtonConfig, curvature: Curvature
) -> Minimum:
    """Run all problems to their ends.

    Args:
        objective: values (M,) of points (M, D) of the problems given by the second argument.
        start: (N, D).
        config: of the line search and the ends.
        curvature: of N problems, nothing learnt yet.

    Raises:
        ShapeError: start is not (N, D), or the objective gives other shapes.
    """
    run = _Run(objective, start, config, curvature)
    while len(run.rows):
        run.advance()
    return run.result()


class _Run:
    """The state of all problems: results for all N, the rest for those that still run."""

    def __init__(
        self, objective: Objective, start: Tensor, config: QuasiNewtonConfig, curvature: Curvature
    ) -> None:
        if start.ndim != 2:
            raise ShapeError(f"start: expected (N, D), got {tuple(start.shape)}")
        self._config, self._curvature, self._start = config, curvature, start
        self._evaluate = Evaluator(objective, config.rows_at_once)
        self._recorder = Recorder(config.history)
        count = len(start)
        self.rows = np.arange(count)
        self._x: Array = start.detach().cpu().numpy().copy()
        self._value, self._gradient = self._evaluated(self._x)
        self._best_x, self._best = self._x.copy(), self._value.copy()
        self._norm = _norm(self._gradient)
        self._steps = np.zeros(count, dtype=np.int64)
        self._evaluations = np.ones(count, dtype=np.int64)
        self._reason = np.full(count, int(Reason.STEPS))
        self._record()
        self._old = np.full_like(self._value, np.nan)
        self._moves = np.zeros(count, dtype=np.int64)
        self._direction = np.zeros_like(self._x)
        self._search = np.zeros((linesearch.ROWS, count))
        self._aim(self._end(self.rows, np.zeros(count, dtype=bool)))

    def _evaluated(self, x: Array) -> tuple[Array, Array]:
        """Values and gradients at points (M, D) of the problems that run."""
        like = self._start
        value, gradient = self._evaluate(
            torch.from_numpy(x).to(like.device), torch.from_numpy(self.rows).to(like.device)
        )
        return value.cpu().numpy(), gradient.cpu().numpy()

    def advance(self) -> None:
        """Judge one more point of every problem that still runs."""
        config = self._config
        step = self._search[0][:, None] * self._direction
        x = (self._x + step).astype(self._x.dtype, copy=False)
        value, gradient = self._evaluated(x)
        slope = (gradient * self._direction).sum(axis=1)
        outcome = linesearch.advance(
            self._search, value, slope, c1=config.c1, c2=config.c2, limit=config.search_steps
        )
        self._evaluations[self.rows] += 1
        over = np.flatnonzero(outcome != linesearch.SEARCHING)
        if len(over):
            # A search that failed may have come to a lower point all the same
            lower = (outcome[over] == linesearch.FOUND) | (value[over] < self._value[over])
            self._move(over[lower], x, value, gradient)
        self._record()
        if len(over):
            self._aim(self._end(over, ~lower))

    def _move(self, moved: Array, x: Array, value: Array, gradient: Array) -> None:
        """Take the points judged for ``moved`` (m,), and learn from the steps there."""
        step, change = x[moved] - self._x[moved], gradient[moved] - self._gradient[moved]
        self._old[moved] = self._value[moved]
        self._x[moved], self._value[moved] = x[moved], value[moved]
        self._gradient[moved] = gradient[moved]
        self._moves[moved] += 1
        rounding = np.finfo(x.dtype).eps * np.sqrt((step**2).sum(1) * (change**2).sum(1))
        curved = (step * change).sum(axis=1) > rounding
        self._curvature.update(moved[curved], step[curved], change[curved])
        rows = self.rows[moved]
        self._best_x[rows], self._best[rows] = x[moved], value[moved]
        self._norm[rows], self._steps[rows] = _norm(gradient[moved]), self._moves[moved]

    def _end(self, which: Array, stuck: Array) -> Array:
        """End the problems of ``which`` (m,) that are done; the places of the others, afterwards.

        Args:
            which: places among those that run.
            stuck: (m,), whose line search led nowhere.
        """
        rows = self.rows[which]
        reason = np.full(len(which), -1)
        reason[self._moves[which] >= self._config.steps] = Reason.STEPS
        reason[stuck] = Reason.STUCK
        reason[self._norm[rows] <= self._config.gtol] = Reason.CONVERGED
        reason[~np.isfinite(self._value[which])] = Reason.NO_VALUE
        done = reason >= 0
        if not done.any():
            return which
        self._reason[rows[done]] = reason[done]
        running = np.ones(len(self.rows), dtype=bool)
        running[which[done]] = False
        indices = np.flatnonzero(running)
        self.rows, self._x, self._value = self.rows[indices], self._x[indices], self._value[indices]
        self._gradient, self._old = self._gradient[indices], self._old[indices]
        self._moves, self._direction = self._moves[indices], self._direction[indices]
        self._search = self._search[:, indices]
        self._curvature.keep(indices)
        places: Array = running.cumsum() - 1
        return places[which[~done]]

    def _aim(self, which: Array) -> None:
        """Begin a line search for these."""
        if not len(which):
            return
        gradient, value = self._gradient[which], self._value[which]
        direction = self._curvature.direction(which, gradient)
        slope = (gradient * direction).sum(axis=1)
        wrong = ~(slope < 0)  # rounding can spoil the curvature; downhill is always right
        if wrong.any():
            direction = np.where(wrong[:, None], -gradient, direction)
            slope = (gradient * direction).sum(axis=1)
        step = self._curvature.first_step(gradient, value, self._old[which], slope)
        step = np.where(step > 0, np.minimum(step, 1.0), 1.0)
        self._direction[which] = direction
        self._search[:, which] = linesearch.begin(value, slope, step)

    def _record(self) -> None:
        if self._config.history:
            work, best = self._evaluate, torch.from_numpy(self._best)
            self._recorder.add(best, work.calls, work.values, work.gradients)

    def result(self) -> Minimum:
        """What was found, on the device of the start."""
        names = ("best_x", "best", "norm", "steps", "evaluations", "reason")
        x, value, norm, steps, evaluations, reason = (
            torch.from_numpy(getattr(self, f"_{name}")).to(self._start.device) for name in names
        )
        history = self._recorder.history()
        return Minimum(x, value, norm, steps, evaluations, reason, history)


def _norm(gradient: Array) -> Array:
    """The largest part of each gradient (M, D): (M,); 0 where there are no parts."""
    return np.abs(gradient).max(axis=1, initial=0.0)
