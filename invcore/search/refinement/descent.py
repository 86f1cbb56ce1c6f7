"""The descents of some targets at once: where each is, its linear model, and where it steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.data.pairs import rows_of
from invcore.search.refinement.broyden import broyden_update
from invcore.search.refinement.coordinates import RefinementCoordinates
from invcore.search.refinement.linear_step import linear_step
from invcore.search.refinement.wanted import WantedResponses

_BOX = 0.1  # ranges: the longest first step of a variable
_LONGEST = 0.3
_WIDER, _SHORTER, _HALF = 1.6, 0.4, 0.5
_LEAST = 1e-6
_STILL = 1e-13  # ranges: a step that is none
_TRIES = 4  # shorter steps where one ends at no allowed design
_BAD = 5  # steps one after the other that gain little, after which the next candidate is begun
_ANEW = 3  # of them, after which the surrogate is asked again
_DOZEN = 12
_PACE = 0.7  # of the logarithm of the error: less gain in a dozen steps is little
_GAIN = 0.01  # of an objective with goals, in which there is no half
_NEAR = 0.03  # ranges: candidates that are nearer to where one was are no others


class Descents:
    """One descent for each of B targets, from one candidate after the other.

    Args:
        coordinates: of the steps.
        wanted: what they go for.
        candidates: (B, K, Dx), in order.
        slopes: of a surrogate, see ``refine``.
        responses: (B, K, Dy), where they are known.
    """

    def __init__(
        self, coordinates: RefinementCoordinates, wanted: WantedResponses, candidates: Tensor,
        slopes: Callable[[Tensor, Context | None], Tensor], responses: Tensor | None,
    ) -> None:  # fmt: skip
        self.coordinates, self.wanted, self._slopes = coordinates, wanted, slopes
        self.context = wanted.targets.context
        count, places, dims = candidates.shape
        width = wanted.targets.low.shape[1]
        self._counts, self._scale = wanted.counts, wanted.scale
        self._candidates, self.designs = candidates, candidates.clone()
        self._known = candidates.new_full((count, places, width), torch.nan)
        if responses is not None:
            self._known = responses.detach().cpu().double().clone()
        self.responses = self._known.clone()
        self.begun = torch.zeros(count, places, dtype=torch.bool)
        self._open = candidates.isfinite().all(dim=2)  # candidates that may be begun
        self._place = torch.full((count,), -1)  # of the candidate at work; -1 for none
        self._going = torch.zeros(count, dtype=torch.bool)  # whether that has a response
        self._done = torch.zeros(count, dtype=torch.bool)
        self._x, self._y = candidates.new_zeros(count, dims), candidates.new_zeros(count, width)
        self._error = candidates.new_full((count,), torch.inf)
        self._best = candidates.new_full((count,), torch.inf)  # of it, as the target has it
        self._jacobian = candidates.new_zeros(count, width, dims)
        self._box = candidates.new_full((count,), _BOX)
        self._bad = torch.zeros(count, dtype=torch.long)
        self._steps = torch.zeros(count, dtype=torch.long)
        self._past = candidates.new_full((count, _DOZEN), torch.inf)

    def ask(self) -> tuple[Tensor, Tensor]:
        """What to simulate next: targets (n,), each at most once, and their designs (n, Dx)."""
        trial = torch.full_like(self._x, torch.nan)
        waiting = ~self._done
        while bool(waiting.any()):
            self._begin_next((waiting & (self._place < 0)).nonzero()[:, 0])
            waiting &= ~self._done
            new = waiting & ~self._going & (self._place >= 0)
            first = new.nonzero()[:, 0]
            trial[first] = self._candidates[first, self._place[first]]
            waiting &= ~new
            rows = (waiting & self._going).nonzero()[:, 0]
            step, moved = self._stepped(rows)
            trial[rows[moved]] = step[moved]
            waiting[rows[moved]] = False
            self._leave(rows[~moved])
        rows = trial.isfinite().all(dim=1).nonzero()[:, 0]
        return rows, trial[rows]

    def tell(self, rows: Tensor, x: Tensor, y: Tensor) -> None:
        """Take the responses (n, Dy) of what was asked for."""
        going = self._going[rows]
        self.begun[rows, self._place[rows]] = True
        self._begin(rows[~going], x[~going], y[~going])
        self._move(rows[going], x[going], y[going])

    def _begin_next(self, rows: Tensor) -> None:
        """Choose the next open candidate of targets; those whose response is known go on."""
        has = self._open[rows].any(dim=1)
        self._done[rows[~has]] = True
        rows = rows[has]
        place = self._open[rows].double().argmax(dim=1)  # the first one
        self._place[rows], self._going[rows] = place, False
        self._open[rows, place] = False
        y = self._known[rows, place]
        known = (y.isfinite() | ~self._counts[rows]).all(dim=1) & y.isfinite().any(dim=1)
        some = rows[known]
        self._begin(some, self._candidates[some, self._place[some]], y[known])

    def _begin(self, rows: Tensor, x: Tensor, y: Tensor) -> None:
        """Set out from designs (n, Dx) with responses (n, Dy); one without is left at once."""
        error = self.wanted.error(y, rows)
        good = error.isfinite()
        self._place[rows[~good]] = -1
        rows, x, y, error = rows[good], x[good], y[good], error[good]
        self._going[rows] = True
        self._best[rows] = torch.inf
        self._take(rows, x, y, error)
        self._box[rows], self._bad[rows], self._steps[rows] = _BOX, 0, 0
        self._past[rows] = torch.inf
        rows = rows[~self._done[rows]]
        self._jacobian[rows] = self._surrogate_slopes(rows)

    def _take(self, rows: Tensor, x: Tensor, y: Tensor, error: Tensor) -> None:
        """Be at designs (n, Dx), and keep those that are the best from their candidate."""
        self._x[rows], self._error[rows] = x, error
        self._y[rows] = torch.where(self._counts[rows], y, 0.0)
        value = self.wanted.error(y, rows, inside=False)
        best = value < self._best[rows]
        some = rows[best]
        self._best[some] = value[best]
        self.designs[some, self._place[some]] = x[best]
        self.responses[some, self._place[some]] = y[best]
        self._done[rows] |= self.wanted.reached(y, rows)

    def _surrogate_slopes(self, rows: Tensor) -> Tensor:
        """The surrogate's Jacobian (n, Dy, Dx) where targets are, in scaled responses by points."""
        if not len(rows):
            return self._jacobian[rows]
        x = self._x[rows]
        slopes = self._slopes(x, rows_of(self.context, rows)).detach().cpu().double()
        slopes = slopes * self.coordinates.slopes(x)[:, None] / self._scale[rows][..., None]
        return torch.where(self._counts[rows][..., None], slopes, 0.0).nan_to_num(0.0, 0.0, 0.0)

    def _stepped(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Where targets step (n, Dx), and whether that is a step (n,)."""
        result = self._x[rows].clone()
        moved = torch.zeros(len(rows), dtype=torch.bool)
        left = torch.arange(len(rows))
        for _ in range(_TRIES):
            if not len(left):
                break
            own = rows[left]
            end, allowed = self._allowed(self._x[own], self._step(own))
            far = self.coordinates.way(self._x[own], end).abs().amax(dim=1) > _STILL
            result[left] = torch.where(allowed[:, None], end, result[left])
            moved[left] = allowed & far
            left = left[~allowed]
            self._box[rows[left]] *= _SHORTER
        return result, moved

    def _step(self, rows: Tensor) -> Tensor:
        """The steps (n, Dx) of least squares, as points."""
        x, y, jacobian = self._x[rows], self._y[rows], self._jacobian[rows]
        aim, room = self.wanted.aim(y, rows), self.coordinates.room(x, self._box[rows])
        y = y / self._scale[rows]
        step = linear_step(aim, y, jacobian, *room, self.coordinates.ties(x))
        ties = self.coordinates.ties(x, step)
        return step if ties is None else linear_step(aim, y, jacobian, *room, ties)

    def _allowed(self, x: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest allowed designs (n, Dx) after steps, and whether there is one (n,) with the
        same whole numbers and categories.
        """
        own = self.coordinates
        end = own.designs.project(own.moved(x, step))
        same = ((end == x) | own.moves).all(dim=1)
        return end, same & own.designs.contains(end)

    def _move(self, rows: Tensor, x: Tensor, y: Tensor) -> None:
        """Learn from responses (n, Dy) after a step, and go there where they are better."""
        step = self.coordinates.way(self._x[rows], x)
        error, before = self.wanted.error(y, rows), self._error[rows]
        known, better = error.isfinite(), error < before
        self._update(rows[known], step[known], y[known])
        half = torch.where(before > 0, 0.5 * before, before - _GAIN)
        length = step.abs().amax(dim=1)
        shorter = (torch.where(known, _SHORTER, _HALF) * length).clamp(min=_LEAST)
        wider = torch.minimum(torch.tensor(_LONGEST).to(length), _WIDER * self._box[rows])
        self._box[rows] = torch.where(better, wider, shorter)
        self._bad[rows] = torch.where(error < half, 0, self._bad[rows] + 1)
        self._take(rows[better], x[better], y[better], error[better])
        place = self._steps[rows] % _DOZEN
        past = self._past[rows, place]
        self._past[rows, place] = self._error[rows]
        self._steps[rows] += 1
        stuck = (self._bad[rows] >= _BAD) | ~_gained(past, self._error[rows])
        anew = rows[(self._bad[rows] == _ANEW) & ~stuck]
        self._jacobian[anew] = self._surrogate_slopes(anew)
        self._leave(rows[stuck & ~self._done[rows]])

    def _update(self, rows: Tensor, step: Tensor, y: Tensor) -> None:
        """Let the linear models give what the simulator said of the steps (n, Dx)."""
        gained = (torch.where(self._counts[rows], y, 0.0) - self._y[rows]) / self._scale[rows]
        self._jacobian[rows] = broyden_update(self._jacobian[rows], step, gained)

    def _leave(self, rows: Tensor) -> None:
        """End descents; candidates near to where they began and ended are begun no more."""
        for x in (self._candidates[rows, self._place[rows]], self._x[rows]):
            near = self.coordinates.apart(x[:, None], self._candidates[rows]) <= _NEAR
            self._open[rows] &= ~near
        self._place[rows], self._going[rows] = -1, False


def _gained(past: Tensor, now: Tensor) -> Tensor:
    """Whether errors (n,) of a dozen steps ago have become much smaller since."""
    shrunk = now < past * torch.exp(torch.tensor(-_PACE))
    return torch.where(past > 0, shrunk | (now <= 0), past - now > _GAIN)
