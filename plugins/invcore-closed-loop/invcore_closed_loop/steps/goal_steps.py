"""Steps towards goals: what is minimised or maximised, among designs that meet all limits."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.steps.discrete import DiscreteNeighbours
from invcore_closed_loop.steps.hypervolume import GoalGain
from invcore_closed_loop.steps.improvement import expected_log_improvement
from invcore_closed_loop.steps.space_limits import SpaceLimits

_SAMPLES = 128
_FEW_SAMPLES, _FEW_DESIGNS = 16, 100  # of several goals, where many designs are looked at
_DRAWS, _BEST = 512, 4  # draws of the prior that are looked at, and from which searches start
_ROWS = 3  # best rows that searches start from
_STEPS = 25
_TRIFLE = 1e-3  # of the goals beside the violation
_ROUNDED = 3  # designs whose neighbours are looked at
_FLOOR = 1e-9
_MARGINS = (0.0, 1.0)  # standard deviations that designs stay inside limits


_Ends = tuple[Places, Array, Array, Array]


class GoalStep:
    """The next design of one target with goals.

    The surrogate's goal, or for several a random weighting of them, is made small within the
    limits by sequential quadratic programming, from the best rows and the best draws of the prior;
    of the ends, the design with the largest expected gain is taken: of the goal, or of the
    dominated volume, times whether all limits are met. Before any row meets the limits, it is the
    expected improvement of the violation.

    References:
        | Schonlau, Welch, Jones, Global versus local search in constrained optimization of computer
          models, 1998, https://doi.org/10.1214/lnms/1215456182.
        | Nocedal, Wright, 2006, chapter 18.

    Args:
        knowledge: of this round.
        target: its place.
        limits: of the space.
        neighbours: in what comes in steps.
    """

    def __init__(
        self, knowledge: Knowledge, target: int, limits: SpaceLimits,
        neighbours: DiscreteNeighbours,
    ) -> None:  # fmt: skip
        self._knowledge, self._target, self._limits = knowledge, target, limits
        self._neighbours = neighbours
        aims, random = knowledge.aims, knowledge.random
        self._sign = aims.signs[target]
        self._goals = np.nonzero(self._sign)[0]
        spread = aims.spread
        weight = aims.weight[target, self._goals]
        if len(self._goals) > 1:
            weight = weight * random.dirichlet(np.ones(len(self._goals)))
        self._pull = np.zeros(len(self._sign))
        self._pull[self._goals] = self._sign[self._goals] * weight / spread[self._goals]
        self._limited = np.nonzero(aims.wanted[target])[0]
        self._context = knowledge.contexts.features[target]
        y = knowledge.told.y
        usable = np.isfinite(knowledge.errors[target]) & np.isfinite(y).all(axis=1)
        self._met = usable & aims.met(y, target)
        signed = self._sign[self._goals] * y[self._met][:, self._goals]
        self._gain = GoalGain(signed, spread[self._goals])

    def __call__(self) -> tuple[Array, bool]:
        """Coordinates (D,), and whether they are near the best row."""
        knowledge, searches = self._knowledge, self._knowledge.searches
        coordinates = knowledge.coordinates
        if coordinates.listed is None:
            u, near = self._pool()
        else:
            u, near = coordinates.listed, np.zeros(len(coordinates.listed), dtype=bool)
        score, merit = self._scores(u)
        order = np.lexsort((merit, -score))
        place = knowledge.choice(order, u, spread_out=True)
        if place is None:
            place = knowledge.choice(order, u)
        if place is None:
            chosen, close = knowledge.drawn(1)[0], False
        else:
            chosen = u[place]
            close = bool(near[place])
            if self._met.any():
                knowledge.hope[self._target] = float(score[place])
            if searches.row[self._target] >= 0:
                away = np.abs(chosen - knowledge.told.u[searches.row[self._target]]).max()
                close |= bool(away <= searches.box[self._target])
        knowledge.taken.append(chosen)
        return chosen, close

    def _pool(self) -> tuple[Array, Flags]:
        """Designs (M, D) to choose from, and which are near the best row (M,)."""
        coordinates = self._knowledge.coordinates
        start, near = self._starts()
        ends = []
        for i, u in enumerate(start):
            box = self._box() if near[i] else None
            margin = _MARGINS[i % len(_MARGINS)] if self._met.any() else 0.0
            ends.append(self._end(u, box, margin))
        u = coordinates.allowed(np.concatenate([np.array(ends), start]))
        more = self._rounded(u) if coordinates.discrete.any() else u[:0]
        near = np.r_[near, np.zeros(len(start) + len(more), dtype=bool)]
        return np.concatenate([u, more]), near

    def _rounded(self, u: Array) -> Array:
        """The best of coordinates (M, D), and of their neighbours, with the rest made up for what
        was rounded.
        """
        coordinates = self._knowledge.coordinates
        few = u[self._order(u)[:_ROUNDED]]
        pool = few
        if self._neighbours:
            pool = np.concatenate([few, self._neighbours(few)[0]])
        pool = pool[self._order(pool)[: 2 * _ROUNDED]]
        ends = [self._end(each, None, 0.0, continuous=True) for each in pool]
        return np.concatenate([pool, coordinates.allowed(np.array(ends))])

    def _order(self, u: Array) -> Places:
        score, merit = self._scores(u)
        return np.lexsort((merit, -score))

    def _box(self) -> tuple[Array, Array]:
        searches = self._knowledge.searches
        centre = self._knowledge.told.u[searches.row[self._target]]
        box = searches.box[self._target]
        return np.maximum(0.0, centre - box), np.minimum(1.0, centre + box)

    def _starts(self) -> tuple[Array, Flags]:
        knowledge, target = self._knowledge, self._target
        error = knowledge.errors[target]
        count = min(_ROWS, int(np.isfinite(error).sum()))
        best = knowledge.told.u[np.argsort(error, kind="stable")[:count]]
        draws = knowledge.drawn(_DRAWS)
        few = draws[self._order(draws)[:_BEST]]
        parts, near = [best, few], [np.zeros(count + len(few), dtype=bool)]
        if knowledge.searches.row[target] >= 0:
            centre = knowledge.told.u[[knowledge.searches.row[target]] * len(_MARGINS)]
            parts.append(centre)
            near.append(np.ones(len(centre), dtype=bool))
        return np.clip(np.concatenate(parts), 0.0, None), np.concatenate(near)

    def _end(
        self, start: Array, box: tuple[Array, Array] | None, margin: float,
        continuous: bool = False,
    ) -> Array:  # fmt: skip
        """Where a search on the surrogate ends (D,): near the goals, or near what is allowed."""
        surrogate = self._knowledge.surrogate
        moving = np.nonzero(self._knowledge.coordinates.movable(start[None], continuous)[0])[0]
        if not len(moving):
            return start
        low, high = box or (np.zeros(len(start)), np.ones(len(start)))
        bounds = [(low[i], high[i]) for i in moving]
        context = self._context[None]
        ends = self._ends(start, margin) if self._met.any() else None
        memory: dict[bytes, tuple[Array, Array]] = {}

        def whole(part: Array) -> Array:
            u = start.copy()
            u[moving] = part
            return u

        def expected(part: Array) -> tuple[Array, Array]:
            key = part.tobytes()
            if key not in memory:
                u = whole(part)[None]
                z, slopes = surrogate.mean_and_slopes(u, context)
                components = surrogate.components
                memory.clear()
                memory[key] = (
                    components.responses(z)[0], (components.basis @ slopes)[0][:, moving]
                )  # fmt: skip
            return memory[key]

        constraints: list[dict[str, Any]] = []
        if ends is not None:
            rows, sign, end, size = ends
            constraints.append({
                "type": "ineq",
                "fun": lambda part: sign * (end - expected(part)[0][rows]) / size,
                "jac": lambda part: -(sign / size)[:, None] * expected(part)[1][rows],
            })  # fmt: skip
        for each in self._limits.constraints():
            constraints.append({
                "type": each["type"],
                "fun": lambda part, own=each: own["fun"](whole(part)),
                "jac": lambda part, own=each: own["jac"](whole(part))[:, moving],
            })  # fmt: skip
        begin = np.clip(start[moving], [b[0] for b in bounds], [b[1] for b in bounds])
        try:
            found = minimize(
                lambda part: self._merit(*expected(part)), begin, jac=True, bounds=bounds,
                constraints=constraints, method="SLSQP", options={"maxiter": _STEPS},
            )  # fmt: skip
        except ValueError:  # a start from which its linear algebra finds no way
            return start
        return whole(np.asarray(found.x)) if np.isfinite(found.x).all() else start

    def _merit(self, y: Array, slopes: Array) -> tuple[float, Array]:
        """What is made small of warped responses (Dy,), and its slope: the goals, but before any
        row meets the limits the violation, with the goals as a trifle.
        """
        if self._met.any():
            return float(self._pull @ y), self._pull @ slopes
        warp, aims = self._knowledge.surrogate.warp, self._knowledge.aims
        low, high = warp(aims.low[self._target]), warp(aims.high[self._target])
        away = (y - np.clip(y, low, high)) * aims.share[self._target]
        away = np.where(aims.share[self._target] > 0, away, 0.0)
        square = float((y - np.clip(y, low, high))[self._limited] @ away[self._limited])
        size = 1.0 / max(self._knowledge.searches.error[self._target], 1e-12)
        pull = _TRIFLE * self._pull
        return size * square + float(pull @ y), (2.0 * size * away + pull) @ slopes

    def _ends(self, start: Array, margin: float) -> _Ends | None:
        """Limits of the warped responses: which, the sign, the end, and the unit of each."""
        if not len(self._limited):
            return None
        knowledge, surrogate = self._knowledge, self._knowledge.surrogate
        aims, target = knowledge.aims, self._target
        low = surrogate.warp(aims.low[target])[self._limited]
        high = surrogate.warp(aims.high[target])[self._limited]
        spread = aims.spread[self._limited]
        doubt = surrogate.deviation(start[None], self._context[None])[0]
        inside = margin * np.sqrt(np.square(surrogate.components.basis[self._limited]) @ (doubt**2))
        inside = np.minimum(inside, 0.25 * np.where(np.isfinite(high - low), high - low, np.inf))
        below, above = np.isfinite(high), np.isfinite(low)
        rows = np.r_[self._limited[below], self._limited[above]]
        sign = np.r_[np.ones(below.sum()), -np.ones(above.sum())]
        end = np.r_[(high - inside)[below], (low + inside)[above]]
        return rows, sign, end, np.r_[spread[below], spread[above]]

    def _scores(self, u: Array) -> tuple[Array, Array]:
        """Expected gains (M,), and for designs without one how far they are from it (M,)."""
        knowledge, surrogate = self._knowledge, self._knowledge.surrogate
        target, aims = self._target, knowledge.aims
        context = np.broadcast_to(self._context, (len(u), len(self._context)))
        z, deviation = surrogate.mean(u, context), surrogate.deviation(u, context)
        random = np.random.default_rng([knowledge.seed, target])
        count = _FEW_SAMPLES if len(u) > _FEW_DESIGNS and len(self._goals) > 1 else _SAMPLES
        normals = random.normal(size=(_SAMPLES, z.shape[1]))[:count]
        samples = surrogate.components.responses(z[:, None] + deviation[:, None] * normals)
        y = surrogate.warp.back(samples)
        error = aims.errors(y.reshape(-1, y.shape[2]), np.full(y.shape[0] * y.shape[1], target))
        error = error.reshape(y.shape[:2])
        middle = surrogate.warp.back(surrogate.components.responses(z))
        away = aims.errors(middle, np.full(len(u), target))
        merit = away * 1e3 + (self._pull * middle).sum(axis=1)
        if self._met.any():
            met = aims.met(y.reshape(-1, y.shape[2]), target).reshape(error.shape)
            goals = self._sign[self._goals] * y[..., self._goals]
            score = (self._gain(goals) * met).mean(axis=1)
        else:
            best = np.full(len(u), max(float(knowledge.errors[target].min()), _FLOOR))
            score = expected_log_improvement(best, error, _FLOOR)
        if knowledge.chance is not None:
            features = knowledge.coordinates.features(u)
            score = score * knowledge.chance(np.concatenate([features, context], axis=1))
        return score, merit


def goal_steps(knowledge: Knowledge, who: Places) -> tuple[Array, Flags]:
    """The next designs of targets with goals: coordinates (M, D), and which are near (M,)."""
    limits = SpaceLimits(knowledge.coordinates)
    neighbours = DiscreteNeighbours(knowledge.coordinates)
    found = [GoalStep(knowledge, int(target), limits, neighbours)() for target in who]
    return np.array([u for u, _ in found]), np.array([near for _, near in found])
