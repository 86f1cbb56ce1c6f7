import itertools

import numpy as np
import pytest
from scipy import stats

from invcore.spaces.constraints.linear_sets.sampling.redundancy import irredundant, met
from invcore.spaces.constraints.linear_sets.sampling.together import together
from invcore.spaces.constraints.linear_sets.sampling.walks import Walk


def cross_polytope(dimension, stretch=1.0):
    """A sum of absolute values of at most 1, where one axis is stretched."""
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=dimension)))
    signs[:, 0] /= stretch
    norm = np.linalg.norm(signs, axis=1)
    return signs / norm[:, None], 1 / norm


def marginal(x, dimension):
    tail = 0.5 * (1 - np.abs(x)) ** dimension
    return np.where(x < 0, tail, 1 - tail)


@pytest.mark.parametrize("stretch", [1.0, 1e6])
def test_marginals_of_a_cross_polytope(stretch):
    walk = Walk(*cross_polytope(4, stretch))
    points = walk.sample(4000, np.random.default_rng(1)) / [stretch, 1.0, 1.0, 1.0]
    p = [stats.kstest(points[:, j], marginal, args=(4,)).pvalue for j in range(4)]
    assert min(p) > 0.01 / 4


def test_few_walks_have_these_marginals_too():
    normals, offsets = cross_polytope(3)
    generator = np.random.default_rng(2)
    few = np.concatenate([Walk(normals, offsets).sample(20, generator) for _ in range(50)])
    p = [stats.kstest(few[:, j], marginal, args=(3,)).pvalue for j in range(3)]
    assert min(p) > 0.01 / 3


def test_walks_that_start_at_a_corner_forget_it():
    normals, offsets = cross_polytope(3)
    shift = np.array([0.999, 0.0, 0.0])
    points = Walk(normals, offsets - normals @ shift).sample(4000, np.random.default_rng(3)) + shift
    p = [stats.kstest(points[:, j], marginal, args=(3,)).pvalue for j in range(3)]
    assert min(p) > 0.01 / 3


def test_samples_of_one_call_are_independent_of_one_another():
    points = Walk(*cross_polytope(3)).sample(4000, np.random.default_rng(4))
    halves = points[:2000, 0], points[2000:, 0]
    assert abs(np.corrcoef(*halves)[0, 1]) < 4 / 2000**0.5
    for lag in (1, 256):
        assert abs(np.corrcoef(points[lag:, 0], points[:-lag, 0])[0, 1]) < 4 / 4000**0.5


def test_rows_that_others_imply():
    square = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    corner, beyond = np.array([[1.0, 1.0]]) / 2**0.5, np.array([[1.0, -1.0]]) / 2**0.5
    normals = np.vstack([square, corner, beyond, square[:1]])
    offsets = np.array([1.0, 1.0, 1.0, 1.0, 2**0.5, 1.3, 1.0])
    needed = met(normals, offsets)
    assert needed.tolist() == [False, True, True, True, False, True, False]
    kept = irredundant(normals, offsets, needed)
    assert kept.sum() == 5 and not kept[4] and kept[0] != kept[6]


def test_walks_on_several_polytopes_at_once():
    walks = [Walk(*cross_polytope(d, stretch)) for d, stretch in ((3, 1.0), (2, 1.0), (3, 1e3))]
    requests = [(walk, 2 + i) for i, walk in enumerate(walks)] * 300
    found = together(requests, np.random.default_rng(5))
    assert [points.shape for points in found[:3]] == [(2, 3), (3, 2), (4, 3)]
    for i, (dimension, stretch) in enumerate(((3, 1.0), (2, 1.0), (3, 1e3))):
        points = np.concatenate(found[i::3]) / np.append(stretch, np.ones(dimension - 1))
        p = [stats.kstest(x, marginal, args=(dimension,)).pvalue for x in points.T]
        assert min(p) > 0.01 / dimension


def test_walks_in_portions(monkeypatch):
    from invcore.spaces.constraints.linear_sets.sampling import together as module

    walk = Walk(*cross_polytope(3))
    monkeypatch.setattr(module, "_CELLS", 100)
    found = together([(walk, 2)] * 7, np.random.default_rng(6))
    assert len(found) == 7
    for points in found:
        assert points.shape == (2, 3) and (np.abs(points).sum(axis=1) <= 1).all()
