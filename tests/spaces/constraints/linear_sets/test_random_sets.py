"""Sets of all kinds: verdicts, samples and nearest points."""

import numpy as np
import pytest
from scipy import optimize

from invcore.spaces.constraints.linear_sets.mixed import MixedSet

CONTINUOUS = ("plain", "equalities", "pressed", "single", "slab", "mixture", "order")
DISCRETE = ("levels", "whole", "few_parts", "all_kinds")


def lower_bound(system, given, point):
    """The Lagrangian's, with multipliers from least squares on the raw rows."""
    eye = np.eye(system.columns)
    normals = np.vstack([system.matrix, -system.matrix, eye, -eye])
    limits = np.concatenate([system.row_high, -system.row_low, system.high, -system.low])
    limits, normals = limits - normals @ point, normals * system.width
    norm = np.linalg.norm(normals, axis=1)
    limits, normals = limits / norm, normals / norm[:, None]
    active = limits <= 1e-9
    if not active.any():  # nothing pulls
        return 0.0
    way = (given - point) / system.width
    shares, _ = optimize.nnls(normals[active].T, way)
    pull = normals[active].T @ shares
    square = 2 * shares @ (normals[active] @ way - limits[active]) - pull @ pull
    return np.sqrt(max(square, 0.0))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", CONTINUOUS + DISCRETE)
def test_sets_with_points(drawn, far, at, kind, seed):
    system = drawn(kind, seed)
    chosen = MixedSet(system)
    assert chosen.feasible
    assert system.violation(chosen.feasible_point()[None])[0] <= 1e-9
    samples = chosen.sample(30, np.random.default_rng(seed))
    assert system.violation(samples.points).max() <= 1e-9
    given = far(system, 20, seed)
    found = chosen.project(given)
    assert found.proven.all()
    assert system.violation(found.points).max() <= 1e-9
    if kind in CONTINUOUS:
        for g, point, distance in zip(given, found.points, found.distance, strict=True):
            assert distance <= lower_bound(system, g, point) + 1e-10
    # None of what was drawn is nearer.
    gap = (given[:, None] - samples.points) / system.width * np.sqrt(system.weight)
    assert (found.distance <= np.linalg.norm(gap, axis=2).min(axis=1) + 1e-10).all()
    inside = chosen.project(samples.points)
    assert inside.distance.max() <= 1e-9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", CONTINUOUS + DISCRETE)
def test_sets_without_points(drawn, kind, seed):
    assert not MixedSet(drawn(kind, seed, empty=True)).feasible
