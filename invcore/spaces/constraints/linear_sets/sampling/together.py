"""A few walks on each of many polytopes, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from invcore.spaces.constraints.linear_sets.sampling.walks import Walk, sweeps_of_few
from invcore.spaces.constraints.linear_sets.system import Floats

_LEAST = 1e-14
_CELLS = 20_000_000  # numbers at once


def together(requests: Sequence[tuple[Walk, int]], generator: np.random.Generator) -> list[Floats]:
    """What ``walk.sample(count, generator)`` gives for small counts, but for the random numbers.

    Walks on polytopes of one dimension take the same steps; rows that some lack never bind.

    Args:
        requests: walks, and how many points (count, k) of each.
        generator: of all.
    """
    results: list[Floats] = [np.zeros((0, 0))] * len(requests)
    for dimension in sorted({walk.dimension for walk, _ in requests}):
        same = [i for i, (walk, _) in enumerate(requests) if walk.dimension == dimension]
        rows = max(len(requests[i][0].normals) for i in same)
        portion = max(1, _CELLS // (rows * dimension * max(count for _, count in requests)))
        for at in range(0, len(same), portion):
            part = same[at : at + portion]
            for i, points in zip(
                part, _walked([requests[i] for i in part], generator), strict=True
            ):
                results[i] = points
    return results


def _walked(requests: Sequence[tuple[Walk, int]], generator: np.random.Generator) -> list[Floats]:
    k, rows = requests[0][0].dimension, max(len(walk.normals) for walk, _ in requests)
    normals = np.zeros((len(requests), rows, k))
    limits = np.ones((len(requests), rows))
    for i, (walk, _) in enumerate(requests):
        coordinates = walk.ellipsoid
        own = coordinates.normals @ coordinates.transform
        norm = np.linalg.norm(own, axis=1)
        normals[i, : len(norm)] = own / norm[:, None]
        limits[i, : len(norm)] = coordinates.slack / norm
    which = np.repeat(np.arange(len(requests)), [count for _, count in requests])
    normals, limits = normals[which], limits[which]
    points = np.zeros((len(which), k))
    moves, ratio = np.empty((k, len(which))), np.empty(limits.shape)
    for _ in range(sweeps_of_few(k)):
        basis = np.linalg.qr(generator.standard_normal((k, k)))[0]
        speeds = np.ascontiguousarray((normals @ basis).transpose(2, 0, 1))
        shares = generator.random((k, len(which)))
        slack = np.maximum(limits - (normals @ points[:, :, None])[..., 0], _LEAST)
        for i in range(k):
            np.divide(speeds[i], slack, out=ratio)
            ahead, behind = 1.0 / ratio.max(axis=1), 1.0 / ratio.min(axis=1)
            moves[i] = behind + (ahead - behind) * shares[i]
            slack -= np.multiply(speeds[i], moves[i][:, None], out=ratio)
            np.maximum(slack, _LEAST, out=slack)
        points += (basis @ moves).T
    ends = np.cumsum([count for _, count in requests])[:-1]
    return [
        walk.centre + own @ walk.ellipsoid.transform.T
        for (walk, _), own in zip(requests, np.split(points, ends), strict=True)
    ]
