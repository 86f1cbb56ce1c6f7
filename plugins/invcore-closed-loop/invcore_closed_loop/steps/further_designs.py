"""Steps of targets that are met: designs that meet them too, and differ from those that do."""

from __future__ import annotations

import numpy as np

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.steps.improvement import SAMPLES

APART = 0.02
"""Of a variable's range: designs that differ by less in every variable are one."""

_DRAWS, _AROUND = 400, 200  # of the prior, and around designs that meet the target
_WIDTHS = (0.03, 0.1, 0.3)  # of the ranges, how far around
_SURE = 0.8  # of the highest chance: designs that have as much count alike


def different(u: Array) -> Places:
    """Places of coordinates (N, D) that differ, each from all before it that do.

    Example:
        >>> different(np.array([[0.1, 0.2], [0.11, 0.19], [0.1, 0.5]])).tolist()
        [0, 2]
    """
    kept: list[int] = []
    for place, row in enumerate(u):
        if not kept or np.abs(u[kept] - row).max(axis=1).min() >= APART:
            kept.append(place)
    return np.array(kept, dtype=np.int64)


def further_step(knowledge: Knowledge, target: int, met: Flags) -> Array:
    """The next design (D,) of a target that is met: likely to meet it, and unlike the others.

    Of draws from the prior and from around the designs that meet the target, that one is taken
    which is the farthest from these and from what is pending, among those whose chance to meet it
    is nearly the highest.

    Args:
        knowledge: of this round; the design is added to ``taken``.
        target: which.
        met: (N,), rows that meet it.
    """
    coordinates, random = knowledge.coordinates, knowledge.random
    own = knowledge.told.u[met]
    base = own[random.integers(len(own), size=_AROUND)]
    width = random.choice(_WIDTHS, size=(_AROUND, 1))
    around = coordinates.allowed(base + width * random.normal(size=base.shape))
    u = np.concatenate([knowledge.drawn(_DRAWS), around])
    others = np.concatenate([own, *(part[None] for part in knowledge.taken)])
    away = np.abs(u[:, None] - others[None]).max(axis=2).min(axis=1)
    fresh = (away >= APART) & knowledge.fresh(u)
    if not fresh.any():
        fresh = knowledge.fresh(u)
    if not fresh.any():
        fresh[:] = True
    u, away = u[fresh], away[fresh]
    chance, error = _chances(knowledge, u, target)
    likely = chance >= _SURE * chance.max()
    order = np.lexsort((-away, ~likely)) if chance.max() > 0 else np.lexsort((-away, error))
    knowledge.taken.append(u[order[0]])
    return np.asarray(u[order[0]])


def _chances(knowledge: Knowledge, u: Array, target: int) -> tuple[Array, Array]:
    """Chances (M,) of coordinates to meet a target, and errors that are expected of them (M,)."""
    surrogate = knowledge.surrogate
    who = np.full(len(u), target)
    context = knowledge.contexts.features[who]
    z, deviation = surrogate.mean(u, context), surrogate.deviation(u, context)
    normals = knowledge.random.normal(size=(SAMPLES, z.shape[1]))
    errors = knowledge.wants.sampled_errors(z, deviation, who, normals)
    chance: Array = (errors <= 0).mean(axis=1)
    if knowledge.chance is not None:
        features = knowledge.coordinates.features(u)
        chance = chance * knowledge.chance(np.concatenate([features, context], axis=1))
    return chance, errors.mean(axis=1)
