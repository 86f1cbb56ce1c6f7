"""Errors and reliability against values by hand."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy import evaluate_proxy
from invcore_proxy.reliability import rank_correlation, reliability

from invcore import DataError, ShapeError
from invcore.plugin import Pairs


def test_errors_are_those_of_the_definition(small):
    proxy, _, pairs = small
    part = pairs[torch.arange(40)]
    found = evaluate_proxy(proxy, part)
    off = (proxy(part.x) - part.y).abs()
    assert found.rows == 40
    assert found.ensemble.mse == pytest.approx(float(off.square().mean()))
    assert found.ensemble.mae == pytest.approx(float(off.mean()))
    assert found.ensemble.worst == pytest.approx(float(off.max()))
    share = off.square().mean(0) / part.y.var(0, correction=0)
    assert found.unexplained == pytest.approx(float(share.mean()))
    assert found.ensemble.zero_right is None
    first = (proxy.members(part.x)[0] - part.y).square().mean()
    assert found.members[0].mse == pytest.approx(float(first))


@pytest.mark.parametrize("rows", [40, 400])
def test_parity_is_of_some_of_the_numbers(small, rows):
    proxy, _, pairs = small
    part = pairs[torch.arange(rows)]
    found = evaluate_proxy(proxy, part, parity=500).parity
    numbers = part.y.numel()
    assert len(found.truth) == len(found.predicted) == min(numbers, 500)
    places = torch.linspace(0, numbers - 1, len(found.truth)).round().long()
    for shown, values in ((found.truth, part.y), (found.predicted, proxy(part.x))):
        expected = values.flatten()[places].double()
        torch.testing.assert_close(torch.tensor(shown).double(), expected, atol=0, rtol=1e-5)


def test_bins_are_by_spread_and_of_as_many_rows():
    spread = torch.arange(20.0).flip(0)[:, None]
    found = reliability(spread, -2 * spread)
    assert [b.rows for b in found.bins] == [2] * 10
    assert [b.spread for b in found.bins] == [0.5 + 2 * i for i in range(10)]
    assert [b.error for b in found.bins] == [1.0 + 4 * i for i in range(10)]
    assert found.rank_correlation == 1.0


def test_a_rows_error_is_the_root_mean_square_of_its_columns():
    found = reliability(torch.tensor([[3.0, 4.0]]), torch.tensor([[6.0, -8.0]]))
    assert found.bins[0].spread == pytest.approx(12.5**0.5)
    assert found.bins[0].error == pytest.approx(50**0.5)


def test_rank_correlation_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    numbers = torch.Generator().manual_seed(0)
    a = torch.randint(0, 6, (50,), generator=numbers).double()  # with ties
    b = a + torch.randn(50, generator=numbers).double()
    assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert rank_correlation(a, torch.ones(50)) is None


def test_a_column_that_does_not_vary_has_no_share(small):
    proxy, _, pairs = small
    one = evaluate_proxy(proxy, pairs[torch.arange(1)])
    assert one.unexplained is None
    assert one.reliability.rank_correlation is None


def test_pairs_that_nothing_can_be_measured_on_are_refused(small):
    proxy, _, pairs = small
    with pytest.raises(DataError, match="at least one"):
        evaluate_proxy(proxy, pairs[torch.arange(0)])
    with pytest.raises(DataError, match="finite"):
        evaluate_proxy(proxy, Pairs(pairs.x, pairs.y.log()))
    with pytest.raises(DataError, match="2 responses, the pairs 1"):
        evaluate_proxy(proxy, Pairs(pairs.x, pairs.y[:, :1]))
    with pytest.raises(ShapeError):
        evaluate_proxy(proxy, Pairs(pairs.x[:, :1], pairs.y))
