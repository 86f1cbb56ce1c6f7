"""The density over responses: kernels in closed form, draws inside intervals, curves."""

import math

import pytest
import torch

from invcore.base.errors import DataError, ShapeError
from invcore.contracts.problem import Targets
from invcore.learning import ResponseDensity
from invcore.learning.response_density.kept_rows import kept_rows
from invcore.plugin import Pairs, generator

INF = math.inf


def targets(low, high, context=None):
    low, high = torch.tensor(low).double(), torch.tensor(high).double()
    return Targets.of_parts(
        low, high, torch.zeros_like(low).long(), torch.ones_like(low),
        torch.full_like(low, torch.nan), context=context,
    )  # fmt: skip


def points(targets, count, dim, seed=0):
    return torch.rand(targets, count, dim, generator=generator(seed, "points")).double()


def normal_pairs(count=3000, dims=2, seed=0):
    y = torch.randn(count, dims, generator=generator(seed, "y")).double()
    return Pairs(y, y)


def test_draws_are_inside_also_where_no_pair_is():
    density = ResponseDensity.fit(normal_pairs(), generator(0))
    wanted = targets(
        [[-1.0, -0.5], [3.0, -INF], [50.0, -INF], [0.5, 0.25], [-INF, -INF]],
        [[0.0, 0.5], [INF, 0.0], [50.001, INF], [0.52, 0.25], [INF, INF]],
    )
    y = density.draw(wanted, points(5, 400, 3), 0.1)
    assert y.shape == (5, 400, 2) and bool(y.isfinite().all())
    assert bool(((y >= wanted.low[:, None]) & (y <= wanted.high[:, None])).all())
    # At the shrunk ends, and where the interval is narrow, at most .8 of its half width inside
    assert float(y[0, :, 0].min()) >= -0.9 and float(y[0, :, 0].max()) <= -0.1
    assert float(y[1, :, 0].min()) >= 3.1 and float(y[1, :, 1].max()) <= -0.1
    assert float(y[3, :, 0].min()) >= 0.508 and float(y[3, :, 0].max()) <= 0.512
    assert bool((y[3, :, 1] == 0.25).all())
    assert len(y[0].unique(dim=0)) == 400


def test_draws_have_the_distribution_of_the_kernels():
    # Of two kernels far apart the share of each is its mass in the interval
    y = torch.tensor([[0.0], [10.0], [10.0], [10.0]]).double()
    density = ResponseDensity.fit(Pairs(y, y), generator(0))
    found = density.draw(targets([[-INF]], [[INF]]), points(1, 20_000, 2))[0, :, 0]
    assert float((found > 5).double().mean()) == pytest.approx(0.75, abs=0.01)
    width = 0.3 * 4 ** (-1 / 5) * float(y.std(correction=0))
    assert float(found[found < 5].std()) == pytest.approx(width, rel=0.03)
    half = density.draw(targets([[10.0]], [[INF]]), points(1, 5000, 2))[0, :, 0]
    assert float(half.min()) >= 10
    assert float((half - 10).square().mean().sqrt()) == pytest.approx(width, rel=0.05)


def test_a_response_that_may_be_anything_goes_with_the_others():
    random = generator(1)
    u = torch.randn(4000, generator=random).double()
    y = torch.stack([u, 2 * u + 0.1 * torch.randn(4000, generator=random).double()], dim=1)
    density = ResponseDensity.fit(Pairs(y, y), generator(0))
    found = density.draw(targets([[1.0, -INF]], [[1.05, INF]]), points(1, 500, 3))[0]
    assert float((found[:, 1] - 2 * found[:, 0]).mean()) == pytest.approx(0.0, abs=0.05)
    assert float((found[:, 1] - 2 * found[:, 0]).std()) < 0.35


def test_what_is_known_of_a_problem_decides_which_responses_there_are():
    random = generator(2)
    known = torch.rand(2000, 1, generator=random).double()
    y = known + 0.01 * torch.randn(2000, 1, generator=random).double()
    pairs = Pairs(y, y, {"offset": known[:, 0]})
    density = ResponseDensity.fit(pairs, generator(0))
    context = {"offset": torch.tensor([0.2, 0.8]).double()}
    found = density.draw(targets([[0.0]] * 2, [[1.0]] * 2, context), points(2, 300, 2))
    assert found.mean(dim=(1, 2)).tolist() == pytest.approx([0.2, 0.8], abs=0.03)
    with pytest.raises(ShapeError, match="expected 1 numbers a problem"):
        density.draw(targets([[0.0]], [[1.0]]), points(1, 3, 2))


def test_a_constant_response_is_no_obstacle():
    y = torch.stack([torch.arange(50.0), torch.full((50,), 3.0)], dim=1).double()
    density = ResponseDensity.fit(Pairs(y, y), generator(0))
    found = density.draw(targets([[10.0, -INF], [10.0, 4.0]], [[20.0, INF], [20.0, 5.0]]),
                         points(2, 50, 3))  # fmt: skip
    assert found[0, :, 1].tolist() == pytest.approx([3.0] * 50)
    assert bool((found[1, :, 1] >= 4).all())


def test_it_depends_on_points_and_targets_alone_whatever_else_is_asked(monkeypatch):
    density = ResponseDensity.fit(normal_pairs(), generator(0))
    wanted = targets([[-1.0, -INF], [0.2, 0.1], [2.0, -INF]], [[0.0, INF], [0.3, 0.4], [INF, 0.0]])
    own = points(3, 7, 3)
    together = density.draw(wanted, own, 0.05)
    alone = [density.draw(wanted[i : i + 1], own[i : i + 1], 0.05) for i in range(3)]
    assert torch.equal(together, torch.cat(alone))
    assert torch.equal(together[:, 2:4], density.draw(wanted, own[:, 2:4], 0.05))
    again = ResponseDensity.restore({k: v.clone() for k, v in density.state().items()})
    assert torch.equal(again.draw(wanted, own, 0.05), together)
    monkeypatch.setattr("invcore.learning.response_density.density._NUMBERS", 10)
    assert torch.equal(density.draw(wanted, own, 0.05), together)


def test_at_most_4096_rows_are_kept_and_the_ends_are_among_them():
    y = torch.randn(20_000, 2, generator=generator(0)).double()
    rows, stands_for = kept_rows(y, generator(1))
    assert len(rows) == 4096 and float(stands_for.sum()) == pytest.approx(20_000)
    for column in y.T:
        order = column.argsort()
        assert {*order[:64].tolist(), *order[-64:].tolist()} <= set(rows.tolist())
    share = float(stands_for[y[rows, 0] > 1].sum() / stands_for.sum())
    assert share == pytest.approx(float((y[:, 0] > 1).double().mean()), abs=0.02)
    density = ResponseDensity.fit(Pairs(y, y), generator(1))
    assert torch.equal(density.spread, y.std(dim=0, correction=0)) and len(density.y) == 4096
    few, ones = kept_rows(y[:9], generator(1))
    assert few.tolist() == list(range(9)) and bool((ones == 1).all())


def test_pairs_without_some_response_do_not_count():
    y = torch.tensor([[1.0, torch.nan], [2.0, 3.0]]).double()
    assert ResponseDensity.fit(Pairs(y, y), generator(0)).y.tolist() == [[2.0, 3.0]]
    with pytest.raises(DataError, match="no pair has all responses"):
        ResponseDensity.fit(Pairs(y[:1], y[:1]), generator(0))


def sines(count=1500, dims=60):
    rate, phase, size = torch.rand(3, count, 1, generator=generator(3)).double()
    place = torch.linspace(0, 1, dims).double()
    return (0.5 + size) * torch.sin(5 * rate * place + phase)


def test_curves_meet_an_envelope_and_stay_curves():
    y = sines()
    fresh, known, half = y[:4], y[4:], 0.1 * y.std(dim=0)
    density = ResponseDensity.fit(Pairs(known, known), generator(0))
    assert density.point_dim == 9
    low, high = torch.full_like(fresh, -INF), torch.full_like(fresh, INF)
    low[:, 20:35], high[:, 20:35] = (fresh - half)[:, 20:35], (fresh + half)[:, 20:35]
    wanted = targets(low.tolist(), high.tolist())
    found = density.draw(wanted, points(4, 20, 9), 0.02)
    assert float(wanted.met(found).double().mean()) > 0.95
    # Between neighbours they change as little as training curves do, and each is another
    assert float(found.diff(dim=2).diff(dim=2).abs().max()) < 3 * float(
        known.diff(dim=1).diff(dim=1).abs().max()
    )
    assert float(found[..., -1].std(dim=1).min()) > 1e-3
    alone = density.draw(wanted[1:2], points(4, 20, 9)[1:2], 0.02)
    torch.testing.assert_close(alone[0], found[1], rtol=1e-9, atol=1e-9)


def test_of_an_exact_curve_the_nearest_that_scores_can_be():
    y = sines()
    density = ResponseDensity.fit(Pairs(y[4:], y[4:]), generator(0))
    found = density.draw(targets(y[:4].tolist(), y[:4].tolist()), points(4, 3, 9))
    error = (found - y[:4, None]).square().mean(dim=2).sqrt() / y.std()
    assert float(error.max()) < 0.02


def test_wrong_sizes_are_refused():
    density = ResponseDensity.fit(normal_pairs(), generator(0))
    one = targets([[0.0, 0.0]], [[1.0, 1.0]])
    with pytest.raises(ShapeError, match="expected \\(1, K, 3\\)"):
        density.draw(one, points(1, 3, 2))
    with pytest.raises(ShapeError, match="expected \\(B, 2\\)"):
        density.draw(targets([[0.0]], [[1.0]]), points(1, 3, 3))
