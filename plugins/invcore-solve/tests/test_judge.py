"""The judge: its error covers rows that it has not seen about as often as it says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from invcore_solve.judging.ensemble import Judge, JudgeConfig

from invcore import ConfigError, Space, Uniform, Variable
from invcore.data.pairs import Splits
from invcore.learning import SurrogateConfig, TrainingConfig
from invcore.plugin import FitEnvironment, Pairs
from invcore.plugin import generator as draw

SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
SMALL = SurrogateConfig(
    width=24, depth=2, training=TrainingConfig(epochs=30, batch_size=64, lr=0.01)
)
QUICK = SurrogateConfig(width=8, depth=1, training=TrainingConfig(epochs=2))


def rows(count, seed):
    """Two responses of unlike scale; the second is noisy."""
    x = SPACE.sample(count, draw(seed))
    noise = torch.randn(count, generator=draw(seed, "noise"), dtype=torch.float64)
    first = 1000 * torch.sin(2 * x[:, 0]) * x[:, 1]
    return Pairs(x, torch.stack([first, x[:, 0] ** 2 + 0.2 * noise], dim=1))


def fitted(seed=0, coverage=0.9):
    config = JudgeConfig(members=3, coverage=coverage, surrogate=SMALL)
    data = Splits(rows(400, 10 * seed + 1), rows(60, 10 * seed + 2), rows(100, 10 * seed + 3))
    return config, Judge.fit(config, SPACE, data, FitEnvironment(seed=seed))


@pytest.fixture(scope="module")
def example():
    return fitted()


def test_error_covers_fresh_rows_as_often_as_it_says(example):
    _, judge = example
    fresh = rows(3000, 99)
    verdict = judge(fresh.x)
    covered = ((verdict.response - fresh.y).abs() <= verdict.error).double().mean(0)
    # split conformal: Beta(91, 10) for 100 rows of calibration, mean 0.90, deviation 0.03
    assert bool(((covered > 0.8) & (covered < 1.0)).all()), covered


def test_error_is_no_wider_than_it_need_be(example):
    _, judge = example
    verdict, fresh = judge(rows(500, 98).x), rows(500, 98)
    spread = fresh.y.std(0)
    assert float(verdict.error[:, 0].median() / spread[0]) < 0.3
    assert 0.2 < float(verdict.error[:, 1].median()) < 0.6, "1.64 deviations of the noise are 0.33"
    assert float((verdict.response[:, 0] - fresh.y[:, 0]).square().mean().sqrt() / spread[0]) < 0.15


def test_error_grows_where_there_were_no_rows(example):
    _, judge = example
    inside = judge(SPACE.sample(200, draw(7))).error.mean(0)
    outside = judge(torch.full((1, 2), 3.0, dtype=torch.float64)).error[0]
    assert bool((outside > 1.5 * inside).all())


def test_greater_coverage_asks_for_wider_errors():
    narrow, wide = (fitted(coverage=share)[1].factor for share in (0.5, 0.99))
    assert bool((wide > 1.5 * narrow).all())


def test_few_rows_of_calibration_take_the_largest_difference():
    config = JudgeConfig(members=2, surrogate=SMALL)
    held = rows(3, 3)
    data = Splits(rows(40, 1), rows(5, 2), held)
    judge = Judge.fit(config, SPACE, data, FitEnvironment())
    verdict = judge(held.x)
    slack = verdict.error - (verdict.response - held.y).abs()
    assert judge.calibrated_on == 3
    assert bool((slack > -1e-9 * verdict.error).all()) and bool((slack.amin(0) < 1e-9 * 1000).all())


@pytest.mark.parametrize("coverage", [0.5, 0.9])
@pytest.mark.parametrize("count", [10, 15, 20, 31])
def test_the_error_covers_as_many_held_out_rows_as_one_more_row_asks_for(count, coverage):
    # A further row is as likely in each of the gaps between them: ceil((n + 1) c) of n are needed.
    config = JudgeConfig(members=2, coverage=coverage, surrogate=QUICK)
    held = rows(count, 4)
    judge = Judge.fit(config, SPACE, Splits(rows(40, 1), rows(20, 2), held), FitEnvironment())
    verdict = judge(held.x)
    within = (verdict.response - held.y).abs() <= verdict.error * (1 + 1e-9)
    assert within.sum(0).tolist() == [math.ceil((count + 1) * coverage)] * 2


def test_the_error_is_the_members_spread_with_a_floor_times_the_factor(example):
    _, judge = example
    val, fresh = rows(60, 2), SPACE.sample(50, draw(8))
    scale = judge.members[0].scaling.y.scale
    off = ((judge(val.x).response - val.y) / scale).square().mean(0).sqrt()
    torch.testing.assert_close(judge.floor, 0.1 * off, rtol=1e-6, atol=1e-8)

    features = judge.members[0].scaling.encode(fresh)
    each = np.stack([member(features).detach().double().numpy() for member in judge.members])
    expected = (np.std(each, axis=0, ddof=1) + judge.floor.numpy()) * judge.factor.numpy()
    np.testing.assert_allclose(judge(fresh).error, expected * scale.numpy(), rtol=1e-9)
    alike = replace(judge, members=judge.members[:1] * 3)  # no spread: the floor alone is left
    least = (judge.floor * judge.factor * scale).expand(50, 2)
    torch.testing.assert_close(alike(fresh).error, least)


def test_each_row_is_unknown_to_one_member():
    """Of eight rows, halved: a row shares its half with three of the others. Swapping the responses
    of two rows leaves the table's mean and variance, and the member alone that has seen neither.
    """
    x, sign = SPACE.sample(8, draw(3)), torch.tensor([1.0, 1, 1, 1, -1, -1, -1, -1]).double()
    config = JudgeConfig(members=2, surrogate=QUICK)

    def answers(first, second):
        y = torch.where((torch.arange(8) == first) | (torch.arange(8) == second), -sign, sign)
        data = Splits(Pairs(x, y[:, None]), Pairs(x, 0 * y[:, None]), Pairs(x, 0 * y[:, None]))
        judge = Judge.fit(config, SPACE, data, FitEnvironment())
        return [member(judge.members[0].scaling.encode(x)) for member in judge.members]

    plain = answers(-1, -1)
    alike = {
        (a, b): sum(torch.equal(*pair) for pair in zip(plain, answers(a, b), strict=True))
        for a in range(4)
        for b in range(4, 8)
    }
    assert set(alike.values()) == {0, 1}
    mine = [{b for b in range(4, 8) if alike[a, b]} for a in range(4)]
    # two halves, of four rows each: what is with a is not with the others
    for half in mine:
        assert sum(other == half for other in mine) + len(half) == 4
        assert all(other == half or other == set(range(4, 8)) - half for other in mine)


@pytest.mark.parametrize("coverage", [-0.1, 0.0, 1.0, 1.5])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ConfigError, match="coverage"):
        JudgeConfig.resolve({"coverage": coverage})


def test_judge_restores_bit_for_bit_and_repeats(example):
    config, judge = example
    x = SPACE.sample(100, draw(5))
    state = {k: v.clone() for k, v in judge.state().items()}
    again = Judge.restore(config, SPACE, state)
    _, same = fitted()
    for other in (again, same):
        assert torch.equal(other(x).response, judge(x).response)
        assert torch.equal(other(x).error, judge(x).error)
    assert again.calibrated_on == 100 and len(again.members) == 3
    weights = [member.state()["network.0.weight"] for member in judge.members]
    assert not torch.equal(weights[0], weights[1])


def test_chunks_change_nothing(example, monkeypatch):
    _, judge = example
    x = SPACE.sample(50, draw(6))
    whole = judge(x)
    monkeypatch.setattr("invcore_solve.judging.ensemble._ROWS", 7)
    torch.testing.assert_close(judge(x).response, whole.response, rtol=1e-5, atol=1e-3)
    assert judge(x).error.shape == (50, 2)
