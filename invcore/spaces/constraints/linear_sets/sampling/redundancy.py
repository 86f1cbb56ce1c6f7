"""Which rows of a polytope can bind, and which are implied by the others."""

from __future__ import annotations

import numpy as np

from invcore.spaces.constraints.linear_sets.programs import Program
from invcore.spaces.constraints.linear_sets.system import Booleans, Floats

_RAYS = 400
_IMPLIED = 1e-11  # by no more than this could a row that is left out be violated


def met(normals: Floats, offsets: Floats, rays: int = _RAYS) -> Booleans:
    """Which rows some ray from 0 meets first: those are needed; others may be.

    Args:
        normals: (m, k), of unit norm.
        offsets: (m,), positive.
        rays: how many, and as many again in the opposite directions.
    """
    if len(offsets) == 1:
        return np.ones(1, dtype=np.bool_)
    ways = np.random.default_rng(0).standard_normal((rays, normals.shape[1]))
    ways = np.vstack([ways, -ways, normals])
    speed = normals @ ways.T / np.maximum(offsets, 1e-300)[:, None]
    best, second = np.partition(speed, -2, axis=0)[[-1, -2]]
    clear = (best > 0) & (best > second + 1e-6 * np.abs(second))
    needed = np.zeros(len(offsets), dtype=np.bool_)
    needed[np.unique(speed.argmax(axis=0)[clear])] = True
    return needed


def irredundant(normals: Floats, offsets: Floats, needed: Booleans) -> Booleans:
    """Which rows the others do not imply, by a linear program for each that is not known.

    Args:
        normals: (m, k), of unit norm.
        offsets: (m,), positive.
        needed: (m,), rows that are known to be.
    """
    kept = np.ones(len(offsets), dtype=np.bool_)
    if needed.all():
        return kept
    free, none = np.full(normals.shape[1], np.inf), np.full(len(offsets), -np.inf)
    program = Program(normals, none, offsets, -free, free, presolve=False)
    for i in np.nonzero(~needed)[0].tolist():
        program.limit(i, -np.inf, offsets[i] + 1.0)
        found = program.minimise(-normals[i], sure=False).point
        if found is not None and normals[i] @ found <= offsets[i] + _IMPLIED:
            kept[i] = False
            program.limit(i, -np.inf, np.inf)
        else:
            program.limit(i, -np.inf, offsets[i])
    return kept
