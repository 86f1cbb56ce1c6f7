"""Steps within a box around a row, on a process of the nearest rows alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from invcore_closed_loop.arrays import Array, Places
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.problem.aims import SurrogateAims
from invcore_closed_loop.steps.improvement import SAMPLES, expected_log_improvement
from invcore_closed_loop.steps.least_squares import least_squares
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.process import Limits, Process, tuned
from invcore_closed_loop.surrogates.warp import Warp

_BOX = 0.2  # first half width
_SMALLEST, _LARGEST = 2e-4, 0.5
_APART = 0.15  # of a new centre from those that were given up
_LIMITS = Limits(shortest=1e-3, longest=60.0, least_noise=1e-10)
_STARTS = 9  # beside the centre
_FLOOR = 1e-14


@dataclass
class LocalSearches:
    """A trust region for each of T targets.

    Args:
        centre: (T,), its row; -1 where one is to be chosen.
        error: (T,), of that row.
        box: (T,), half widths.
        length: (T, G), logarithms of the lengths of its last process; NaN before there was one.
        history: (T, H), errors of its centre after each step, the newest last; NaN before.
        given_up: (G, D), coordinates of centres that were given up.
        of_target: (G,), whose they are.
        exploring: (T,), whether the last step was for the slopes alone.
    """

    centre: Places
    error: Array
    box: Array
    length: Array
    history: Array
    given_up: Array
    of_target: Places
    exploring: Places

    @classmethod
    def begin(cls, count: int, designs: int, lengths: int) -> LocalSearches:
        """No centre is chosen yet."""
        return cls(
            np.full(count, -1), np.full(count, np.inf), np.full(count, _BOX),
            np.full((count, lengths), np.nan), np.full((count, 3 * designs + 4), np.nan),
            np.empty((0, designs)), np.empty(0, dtype=np.int64), np.zeros(count, dtype=np.int64),
        )  # fmt: skip

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return {f.name: torch.from_numpy(getattr(self, f.name).copy()) for f in fields(self)}

    @classmethod
    def of(cls, state: dict[str, Tensor], prefix: str) -> LocalSearches:
        """The searches that ``state`` came from."""
        return cls(*(state[f"{prefix}{f.name}"].numpy().copy() for f in fields(cls)))

    def _choose(self, knowledge: Knowledge, target: int) -> None:
        """The best row that is apart from all that were given up."""
        error, u = knowledge.errors[target], knowledge.told.u
        order = np.argsort(error, kind="stable")
        order = order[np.isfinite(error[order])]
        away = self.given_up[self.of_target == target]
        apart = np.ones(len(order), dtype=bool)
        if len(away):
            apart = (np.abs(u[order][:, None] - away).max(axis=2) > _APART).all(axis=1)
        first = int(order[int(np.argmax(apart))] if apart.any() else order[0])
        self.centre[target], self.error[target] = first, error[first]
        self.box[target], self.length[target] = _BOX, np.nan
        self.history[target] = np.nan
        self.history[target, -1] = error[first]

    def step(self, knowledge: Knowledge, target: int) -> Array:
        """The next coordinates (D,) of a target, and the row that they are a step from."""
        if self.centre[target] >= 0 and knowledge.searches.error[target] < 0.8 * self.error[target]:
            self.centre[target] = -1  # a better basin was found
        if self.centre[target] < 0:
            self._choose(knowledge, target)
        u, box = knowledge.told.u, self.box[target]
        centre = u[self.centre[target]]
        usable = np.nonzero(np.isfinite(knowledge.errors[target]))[0]
        away = np.abs(u[usable] - centre).max(axis=1)
        dim = len(centre)
        nearest = np.argsort(away, kind="stable")[: max(30, 5 * dim)]
        reach = max(4 * box, float(np.sort(away)[min(len(away) - 1, dim + 1)]))
        nearest = nearest[away[nearest] <= reach]
        close = int((away <= 1.5 * box).sum())
        needed = min(dim, knowledge.aims.low.shape[1]) + 1
        self.exploring[target] = (close < needed and len(nearest) < dim + 1) or len(nearest) < 3
        if self.exploring[target]:
            chosen = self._along_an_axis(knowledge, centre, box)
        else:
            chosen = self._on_process(knowledge, target, usable[nearest], centre)
        knowledge.taken.append(chosen)
        return chosen

    def _along_an_axis(self, knowledge: Knowledge, centre: Array, box: float) -> Array:
        moving = np.nonzero(knowledge.coordinates.moves)[0]
        end = centre.copy()
        if len(moving):
            axis = knowledge.random.choice(moving)
            end[axis] += box * knowledge.random.choice([-1.0, 1.0])
        return knowledge.coordinates.allowed(end[None])[0]

    def _on_process(self, knowledge: Knowledge, target: int, rows: Places, centre: Array) -> Array:
        coordinates, random = knowledge.coordinates, knowledge.random
        y = knowledge.told.y[rows]
        warp = Warp.none(y.shape[1])  # nearby, nothing has tails
        components = Components.of(y, None if knowledge.aims.exact else knowledge.aims.spread)
        x, z = coordinates.features(knowledge.told.u[rows]), components(y)
        box, groups = self.box[target], coordinates.groups
        length = self.length[target]
        if np.isnan(length).any():
            length = np.full(len(self.length[target]), np.log(max(3 * box, 1.0)))
        start = np.r_[length, np.log(1e-8)]
        _, parameters = tuned("rbf", x, z, [start], _LIMITS, steps=15, centre=length, groups=groups)
        self.length[target] = parameters[:-1]
        process = Process("rbf", x, z, parameters, groups)
        wants = SurrogateAims(knowledge.aims, warp, components)
        low, high = np.maximum(centre - box, 0.0), np.minimum(centre + box, 1.0)
        low, high = np.minimum(low, centre), np.maximum(high, centre)
        draws = low + (high - low) * random.random((_STARTS, len(centre)))
        begin = np.concatenate([centre[None], np.where(coordinates.moves, draws, centre)])
        who = np.full(len(begin), target)

        def expected(u: Array, _: Places) -> tuple[Array, Array]:
            mean, slopes = process.mean_and_slopes(coordinates.features(u))
            return mean, coordinates.slopes(u, slopes)

        u, _ = least_squares(
            wants.residuals(who, expected), begin,
            np.broadcast_to(low, begin.shape), np.broadcast_to(high, begin.shape),
            coordinates.movable(begin), steps=15,
            nearest=None if coordinates.smooth else coordinates.allowed,
        )  # fmt: skip
        features = coordinates.features(u)
        deviation = np.sqrt(np.outer(process.doubt(features), process.variance))
        normals = random.normal(size=(SAMPLES, z.shape[1]))
        errors = wants.sampled_errors(process.mean(features), deviation, who, normals)
        best = np.full(len(u), self.error[target])
        score = expected_log_improvement(best, errors, _FLOOR * knowledge.scale)
        place = knowledge.choice(np.lexsort((errors.mean(axis=1), -score)), u)
        if place is not None:
            return u[place]
        jitter = centre + 0.1 * box * random.normal(size=len(centre))
        return coordinates.allowed(np.where(coordinates.moves, jitter, centre)[None])[0]

    def tell(
        self, target: int, row: int, u: Array, error: float, scale: float, base: Array
    ) -> None:
        """What came of a target's step from ``base`` (D,): a row at ``u`` (D,) with an error."""
        if self.centre[target] < 0:
            return
        before = float(self.error[target])
        if not self.exploring[target]:
            far = np.abs(u - base).max() > 0.7 * self.box[target]
            if error < 0.5 * before:
                self.box[target] = min(_LARGEST, self.box[target] * (1.7 if far else 1.0))
            elif not error < 0.9 * before:
                self.box[target] *= 0.6
        if error < before:
            self.centre[target], self.error[target] = row, error
        self.history[target] = np.r_[self.history[target, 1:], self.error[target]]
        oldest = self.history[target, 0]
        slow = not np.isnan(oldest) and np.log(oldest / max(self.error[target], 1e-300)) < 0.7
        if self.error[target] > 1e-6 * scale and (slow or self.box[target] < _SMALLEST):
            self._give_up(target, base if self.centre[target] != row else u)

    def _give_up(self, target: int, centre: Array) -> None:
        self.given_up = np.concatenate([self.given_up, centre[None]])
        self.of_target = np.r_[self.of_target, target]
        self.centre[target] = -1
