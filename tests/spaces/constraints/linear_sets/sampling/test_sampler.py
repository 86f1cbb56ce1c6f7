import numpy as np
import pytest
from scipy import stats

from invcore.spaces.constraints.linear_sets.polytope import Polytope
from invcore.spaces.constraints.linear_sets.sampling.sampler import Sampler
from invcore.spaces.constraints.linear_sets.sampling.simplices import Simplex
from invcore.spaces.constraints.linear_sets.sampling.walks import Walk
from invcore.spaces.constraints.linear_sets.system import LinearSystem

INF = np.inf


def samplers(matrix, row_low, row_high, low, high):
    polytope = Polytope(LinearSystem.of(matrix, row_low, row_high, low, high))
    return polytope, [Sampler(piece) for piece in polytope.pieces]


def shapes(*arguments):
    return [type(part.shape) for sampler in samplers(*arguments)[1] for part in sampler.parts]


@pytest.mark.parametrize("count", [2, 3, 20])
def test_sums_and_ordered_values_are_simplices(count):
    one, order = np.ones((1, count)), np.eye(count)[:-1] - np.eye(count)[1:]
    box = np.zeros(count), np.ones(count)
    assert shapes(one, [1.0], [1.0], *box) == [Simplex]
    assert shapes(one, [-INF], [1.0], *box) == [Simplex]
    assert shapes(order, np.full(count - 1, -INF), np.zeros(count - 1), *box) == [Simplex]
    # Lower bounds, and upper ones that never bind; and some that do.
    assert shapes(one, [1.0], [1.0], box[0] + 0.5 / count, box[1]) == [Simplex]
    assert shapes(one, [1.0], [1.0], box[0], box[1] - 0.2) == [Simplex if count == 2 else Walk]


@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_simplices_have_beta_marginals(spread):
    widths = 10 ** np.linspace(-spread, spread, 5)
    polytope, _ = samplers([1 / widths], [1.0], [1.0], 0 * widths, widths)
    points = polytope.sample(4000, np.random.default_rng(0)) / widths
    p = [stats.kstest(points[:, j], stats.beta(1, 4).cdf).pvalue for j in range(5)]
    assert min(p) > 0.01 / 5


def test_cones_and_strips_are_no_simplices():
    diagonal = 0.5**0.5
    down = np.array([[1.0, 0.0], [0.0, 1.0], [diagonal, diagonal]])
    assert Simplex.of(down, np.ones(3)) is None
    assert Simplex.of(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), np.ones(3)) is None
    assert Simplex.of(down[:2], np.ones(2)) is None
    up = Simplex.of(down * [[-1.0], [-1.0], [1.0]], np.array([0.0, 0.0, diagonal]))
    assert sorted(np.abs(up.corners).round(12).tolist()) == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]


def test_parts_that_a_fixed_column_ties_are_drawn_apart():
    # x + y + f = 1.2 and u + v - f = 0.5 where w = f = 0.2 by the last two rows.
    rows = [
        [1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, -1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, -1.0],
    ]
    levels = [1.2, 0.5, 0.4, 0.0]
    polytope, found = samplers(rows, levels, levels, np.zeros(6), np.ones(6))
    assert polytope.dimension == 2
    assert [len(sampler.parts) for sampler in found] == [2]
    points = polytope.sample(2000, np.random.default_rng(1))
    np.testing.assert_allclose(points[:, 4:], 0.2, atol=1e-12)
    assert stats.kstest(points[:, 0], stats.uniform(0, 1).cdf).pvalue > 0.01
    assert stats.kstest(points[:, 2], stats.uniform(0, 0.7).cdf).pvalue > 0.01
    assert abs(np.corrcoef(points[:, 0], points[:, 2])[0, 1]) < 4 / 2000**0.5
