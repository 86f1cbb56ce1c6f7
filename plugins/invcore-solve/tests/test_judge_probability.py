"""The judge's probability: the share of residuals that would meet a target, each a density."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from invcore_solve.judging.ensemble import Judge

from invcore.learning import Normaliser
from invcore.plugin import GOALS, ConfigError, Targets

RESIDUALS = torch.tensor([[-3.0, 0.0], [-1.0, 2.0], [0.0, -1.0], [1.0, 0.0], [2.0, 1.0]]).double()


class Given(Judge):
    """A judge whose mean is the design itself, and whose spread is one half everywhere."""

    def _scaled(self, designs):
        return designs.double(), torch.full_like(designs, 0.5).double()


def judge(residuals=RESIDUALS, coverage=0.9):
    y = Normaliser(torch.tensor([10.0, 0.0]).double(), torch.tensor([2.0, 4.0]).double())
    member = SimpleNamespace(scaling=SimpleNamespace(y=y))
    floor, factor = torch.full((2,), 0.5).double(), torch.full((2,), 3.0).double()
    return Given((member,), floor, factor, len(RESIDUALS), residuals, coverage)


def within(low, high, tolerance=torch.nan, goal="meet"):
    """One target: an interval of the first response (10 + 2 scaled), the second of any value."""
    ends = torch.tensor([[low, -torch.inf]]).double(), torch.tensor([[high, torch.inf]]).double()
    goals = torch.tensor([[GOALS.index(goal), GOALS.index("ignore")]])
    wide = torch.tensor([[tolerance, torch.nan]]).double()
    return Targets.of_parts(*ends, goals, torch.ones(1, 2).double(), wide)


def expected(x, target, draws=400_000):
    """The same by drawing: a row's residuals, drawn towards their mean, with a kernel around."""
    generator = torch.Generator().manual_seed(1)
    count = len(RESIDUALS)
    dims = int(target.wanted.any(dim=0).sum())
    width = min(0.9, (4 / ((dims + 2) * count)) ** (1 / (dims + 4)))
    centre, spread = RESIDUALS.mean(dim=0), RESIDUALS.std(dim=0, correction=0)
    rows = RESIDUALS[torch.randint(count, (draws,), generator=generator)]
    kernel = width * spread * torch.randn(draws, 2, generator=generator, dtype=torch.float64)
    errors = centre + (1 - width**2) ** 0.5 * (rows - centre) + kernel
    scaled = x + errors * (0.5 + 0.5)  # spread and floor are one half each
    y = torch.tensor([10.0, 0.0]) + torch.tensor([2.0, 4.0]) * scaled
    return float(target.met(y[None].double())[0].double().mean())


TARGETS = [
    within(10.0, 12.0), within(10.0, 10.0, tolerance=0.5), within(10.5, 11.5),
    within(10.5, 11.5, tolerance=0.5), within(-100.0, 9.0), within(13.0, 100.0, tolerance=1.0),
    within(10.0, 12.0, goal="minimise"),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_the_share_is_that_of_draws_around_the_residuals(target):
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
    value = judge().probability(x, target)
    assert value.shape == (1, 2)
    drawn = [expected(row, target) for row in x[0]]
    assert value[0].tolist() == pytest.approx(drawn, abs=0.004)


def test_what_has_a_goal_and_no_limit_is_met_by_any_value():
    free = within(-torch.inf, torch.inf, goal="maximise")
    assert judge().probability(torch.zeros(1, 3, 2), free).tolist() == [[1.0] * 3]


def test_a_point_without_a_tolerance_is_met_nearby():
    """Within a hundredth of the responses' standard deviation."""
    point = within(11.0, 11.0).measured_in(torch.tensor([50.0, 1.0]))
    around = within(10.5, 11.5)
    x = torch.zeros(1, 1, 2)
    assert float(judge().probability(x, point)) == float(judge().probability(x, around)) > 0.05


def test_responses_count_together():
    """Residuals of opposite sign never meet a square that each of them meets half the time."""
    sign = torch.tensor([1.0, -1.0]).repeat(50).double()
    opposite = judge(torch.stack([sign, -sign], dim=1) * (1 + 0.01 * torch.rand(100, 1)).double())
    low, high = torch.tensor([[10.0, 0.0]]).double(), torch.tensor([[100.0, 100.0]]).double()
    none = torch.full((1, 2), torch.nan).double()
    both = Targets.of_parts(low, high, torch.zeros(1, 2).long(), torch.ones(1, 2).double(), none)
    x = torch.zeros(1, 1, 2)
    assert float(opposite.probability(x, both)) < 0.05
    assert float(opposite.probability(x, within(10.0, 100.0))) == pytest.approx(0.5, abs=0.01)


def test_many_responses_take_residuals_as_they_are():
    """A curve of twenty: the share of rows whose whole curve lies within."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(200, 20, generator=generator, dtype=torch.float64).cumsum(dim=1) / 4
    y = Normaliser(torch.zeros(20).double(), torch.ones(20).double())
    member = SimpleNamespace(scaling=SimpleNamespace(y=y))
    half = torch.full((20,), 0.5).double()
    curve = Given((member,), half, half, 200, rows, 0.9)
    limit = torch.ones(1, 20).double()
    parts = (-limit, limit, torch.zeros(1, 20).long(), limit, torch.full((1, 20), torch.nan))
    share = float((rows.abs() <= 1).all(dim=1).double().mean())
    value = float(curve.probability(torch.zeros(1, 1, 20), Targets.of_parts(*parts)))
    assert 0.2 < share < 0.8 and value == pytest.approx(share, abs=0.02)


def test_each_target_has_its_own_ends():
    pair = [within(10.0, 12.0), within(-100.0, 100.0)]
    parts = (torch.cat([getattr(t, name) for t in pair]) for name in Targets.parts)
    value = judge().probability(torch.zeros(2, 3, 2), Targets.of_parts(*parts))
    assert len(set(value[0].tolist())) == 1 and 0.1 < float(value[0, 0]) < 0.6
    assert value[1].tolist() == pytest.approx([1.0] * 3)


def test_parts_of_many_designs_are_the_same(monkeypatch):
    x = torch.rand(1, 50, 2, generator=torch.Generator().manual_seed(0))
    whole = judge().probability(x, within(10.0, 13.0))
    monkeypatch.setattr("invcore_solve.judging.probability.scenarios._NUMBERS", 30)
    torch.testing.assert_close(judge().probability(x, within(10.0, 13.0)), whole)


def test_a_level_has_its_rank_among_the_residuals(complaint):
    """Sizes are 0, 1, 1, 2, 3 of the first: six times the level, rounded up, is the rank."""
    x = torch.zeros(1, 2)
    for level, size in ((0.1, 0.0), (0.3, 1.0), (0.5, 1.0), (0.6, 2.0), (0.8, 3.0)):
        assert float(judge().predict(x, level).error[0, 0]) == 2.0 * size
    assert float(judge().predict(x, 0.9).error[0, 0]) == 2.0 * 3.0  # its own factor
    assert "between 0 and 1" in complaint(ConfigError, judge().predict, x, 1.0)
    old = judge(residuals=None)
    assert "0.9 alone" in complaint(ConfigError, old.predict, x, 0.5)
    assert float(old.predict(x, 0.9).error[0, 1]) == 4.0 * 3.0
