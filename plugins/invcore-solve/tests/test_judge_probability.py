"""The judge's probability: the share of residuals that would meet a target, counted by hand."""

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


# Spread and floor are one half each, so that a response is 10 + 2 (x + residual), x = 0 or 1
@pytest.mark.parametrize(
    ("target", "at_0", "at_1"),
    [
        (within(10.0, 12.0), 2 / 5, 2 / 5),  # residuals 0, 1 at x = 0, and -1, 0 at x = 1
        (within(10.0, 10.0), 1 / 5, 1 / 5),  # the ends count
        (within(10.5, 11.5), 0.0, 0.0),
        (within(10.5, 11.5, tolerance=0.5), 2 / 5, 2 / 5),
        (within(10.0, 12.0, tolerance=2.0), 4 / 5, 3 / 5),
        (within(-100.0, 9.0), 2 / 5, 1 / 5),
        (within(13.0, 100.0, tolerance=1.0), 2 / 5, 3 / 5),
        (within(10.0, 10.0, goal="minimise"), 1.0, 1.0),
    ],
)
def test_residuals_are_counted(target, at_0, at_1):
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
    value = judge().probability(x, target)
    assert value.shape == (1, 2)
    assert value[0].tolist() == pytest.approx([at_0, at_1])


def test_responses_count_together():
    """-1 <= first <= 1 holds for three rows, 0 <= second for four, and both for two."""
    low, high = torch.tensor([[8.0, 0.0]]).double(), torch.tensor([[12.0, 100.0]]).double()
    meets = torch.zeros(1, 2).long()
    targets = Targets.of_parts(
        low, high, meets, torch.ones(1, 2).double(), torch.full((1, 2), torch.nan).double()
    )
    assert float(judge().probability(torch.zeros(1, 1, 2), targets)) == pytest.approx(2 / 5)


def test_each_target_has_its_own_ends():
    pair = [within(10.0, 12.0), within(-100.0, 100.0)]
    parts = (torch.cat([getattr(t, name) for t in pair]) for name in Targets.parts)
    value = judge().probability(torch.zeros(2, 3, 2), Targets.of_parts(*parts))
    assert value.tolist() == [pytest.approx([0.4] * 3), [1.0] * 3]


def test_parts_of_many_designs_are_the_same(monkeypatch):
    x = torch.rand(1, 50, 2, generator=torch.Generator().manual_seed(0))
    whole = judge().probability(x, within(10.0, 13.0))
    monkeypatch.setattr("invcore_solve.judging.ensemble._NUMBERS", 30)
    assert torch.equal(judge().probability(x, within(10.0, 13.0)), whole)


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
