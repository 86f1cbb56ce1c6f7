"""Steps of the whole space: for each target the design with the largest expected improvement."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.steps.discrete import DiscreteNeighbours
from invcore_closed_loop.steps.improvement import SAMPLES, expected_log_improvement
from invcore_closed_loop.steps.least_squares import least_squares

_ONE, _MANY = (8, 24), (6, 6)  # starts from best rows, and from the prior, of one target or many
_ROUNDED = 2  # designs of each target whose neighbours are looked at
_MAKING_UP = 10  # iterations that make up for what was rounded
_FLOOR = 1e-9  # of the variance: errors below do not differ


def global_steps(knowledge: Knowledge, who: Places) -> tuple[Array, Flags]:
    """The next designs of targets.

    The surrogate's residuals are made small from the best rows and from draws of the prior, within
    the whole box, and from the best row within its own one; of where they end, the design is taken
    whose expected improvement of the logarithm of the error is the largest.

    Args:
        knowledge: of this round; rows that are asked for are added to ``taken``.
        who: (M,), the targets.

    Returns:
        Coordinates (M, D), and which are near the target's best row (M,).
    """
    searches, coordinates = knowledge.searches, knowledge.coordinates
    start, low, high, owner, near = _starts(knowledge, who)
    u = _ends(knowledge, start, low, high, owner)
    if coordinates.discrete.any():
        more, whose = _rounded(knowledge, u, owner)
        u, owner = np.concatenate([u, more]), np.concatenate([owner, whose])
        near = np.r_[near, np.zeros(len(more), dtype=bool)]
    score, spread = _scores(knowledge, u, owner)
    chosen, close = np.empty((len(who), coordinates.dim)), np.zeros(len(who), dtype=bool)
    for i, target in enumerate(who):
        mine = np.nonzero(owner == target)[0]
        order = mine[np.lexsort((spread[mine], -score[mine]))]
        place = knowledge.choice(order, u)
        if place is None:
            chosen[i] = _anywhere(knowledge)
        else:
            chosen[i] = u[place]
            knowledge.hope[int(target)] = float(score[place])
            away = np.abs(u[place] - knowledge.told.u[searches.row[target]]).max()
            close[i] = near[place] or away <= searches.box[target]
        knowledge.taken.append(chosen[i])
    return chosen, close


def _starts(knowledge: Knowledge, who: Places) -> tuple[Array, Array, Array, Places, Flags]:
    """Coordinates (S, D) to start from, their boxes, whose they are, and which are near."""
    searches, told = knowledge.searches, knowledge.told
    best, draws = _ONE if len(searches) == 1 else _MANY
    parts, lows, highs, owners, nears = [], [], [], [], []
    for target in who:
        error = knowledge.errors[target, knowledge.rows]
        known = min(best, int(np.isfinite(error).sum()))
        top = knowledge.rows[np.argsort(error, kind="stable")[:known]]
        start = [told.u[top], knowledge.drawn(draws)]
        size = known + len(start[1])
        low, high = np.zeros((size, told.u.shape[1])), np.ones((size, told.u.shape[1]))
        if searches.row[target] >= 0:
            centre = told.u[searches.row[target]]
            start.append(centre[None])
            low = np.concatenate([low, np.maximum(0.0, centre - searches.box[target])[None]])
            high = np.concatenate([high, np.minimum(1.0, centre + searches.box[target])[None]])
        parts.append(np.concatenate(start))
        lows.append(low)
        highs.append(high)
        owners.append(np.full(len(parts[-1]), target))
        nears.append(np.arange(len(parts[-1])) >= size)
    category = knowledge.coordinates.category
    low, high = np.concatenate(lows), np.concatenate(highs)
    low[:, category], high[:, category] = -np.inf, np.inf
    return np.concatenate(parts), low, high, np.concatenate(owners), np.concatenate(nears)


def _ends(knowledge: Knowledge, start: Array, low: Array, high: Array, owner: Places) -> Array:
    """Where least squares on the surrogate come to: allowed coordinates (S, D)."""
    coordinates, surrogate = knowledge.coordinates, knowledge.surrogate
    context = knowledge.contexts.features[owner]

    def expected(u: Array, rows: Places) -> tuple[Array, Array]:
        return surrogate.mean_and_slopes(u, context[rows])

    residuals = knowledge.wants.residuals(owner, expected)
    nearest = coordinates.allowed if coordinates.tied else None
    moves = coordinates.movable(start)
    u, _ = least_squares(residuals, start, low, high, moves, nearest=nearest)
    if coordinates.smooth:
        return u
    return _made_up(knowledge, coordinates.allowed(u), low, high, owner)


def _made_up(knowledge: Knowledge, u: Array, low: Array, high: Array, owner: Places) -> Array:
    """The same, the continuous variables moved so that they make up for what was rounded."""
    coordinates, surrogate = knowledge.coordinates, knowledge.surrogate
    continuous = coordinates.movable(u, continuous=True)
    if not continuous.any():
        return u
    context = knowledge.contexts.features[owner]

    def expected(u: Array, rows: Places) -> tuple[Array, Array]:
        return surrogate.mean_and_slopes(u, context[rows])

    u, _ = least_squares(
        knowledge.wants.residuals(owner, expected), u, low, high, continuous, steps=_MAKING_UP,
        nearest=coordinates.allowed,
    )  # fmt: skip
    return coordinates.allowed(u)


def _rounded(knowledge: Knowledge, u: Array, owner: Places) -> tuple[Array, Places]:
    """Neighbours of the best of coordinates (S, D) of each target, and whose they are."""
    neighbours = DiscreteNeighbours(knowledge.coordinates)
    if not neighbours:
        return u[:0], owner[:0]
    score, spread = _scores(knowledge, u, owner)
    best = []
    for target in np.unique(owner):
        mine = np.nonzero(owner == target)[0]
        best.append(mine[np.lexsort((spread[mine], -score[mine]))[:_ROUNDED]])
    some = np.concatenate(best)
    near, whose = neighbours(u[some])
    whose = owner[some[whose]]
    ends = np.zeros_like(near), np.ones_like(near)
    for end, value in zip(ends, (-np.inf, np.inf), strict=True):
        end[:, knowledge.coordinates.category] = value
    return _made_up(knowledge, near, *ends, whose), whose


def _scores(knowledge: Knowledge, u: Array, owner: Places) -> tuple[Array, Array]:
    """Expected improvements (S,), and expected errors (S,) to tell equal ones apart."""
    surrogate, context = knowledge.surrogate, knowledge.contexts.features[owner]
    z, deviation = surrogate.mean(u, context), surrogate.deviation(u, context)
    normals = knowledge.random.normal(size=(SAMPLES, z.shape[1]))
    errors = knowledge.wants.sampled_errors(z, deviation, owner, normals)
    rows = np.maximum(knowledge.searches.row, 0)
    everyone = np.arange(len(rows))
    best = knowledge.wants.errors_of_rows(knowledge.told.y[rows], everyone)
    best = np.where(knowledge.searches.row >= 0, best, np.inf)[owner]
    best = np.where(np.isfinite(best), best, errors.max())
    score = expected_log_improvement(best, errors, _FLOOR * knowledge.scale)
    if knowledge.chance is not None:
        features = knowledge.coordinates.features(u)
        score = score * knowledge.chance(np.concatenate([features, context], axis=1))
    return score, errors.mean(axis=1)


def _anywhere(knowledge: Knowledge) -> Array:
    """A draw from the prior that is not known yet, if there is one."""
    draws = knowledge.drawn(64)
    place = knowledge.choice(range(len(draws)), draws)
    return draws[0 if place is None else place]
