"""A fit keeps its rows apart, repeats itself, and rounds its weights before it measures."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy import ProxyConfig, evaluate_proxy, fit_proxy
from invcore_proxy.fitting import split
from invcore_proxy.symmetry import group

from invcore import Categorical, ConfigError, DataError, Integers, ShapeError, Space, Variable
from invcore.plugin import FitEnvironment, Pairs, generator

from .conftest import TINY, box, fitted, outputs, waves


def test_the_report_is_of_rows_that_were_held_out(small):
    proxy, report, pairs = small
    assert (report.train_rows, report.val_rows, report.held_out.rows) == (320, 40, 40)
    assert report.symmetries == 1
    assert report.parameters == sum(
        v.numel() for k, v in proxy.state().items() if k.startswith("member.")
    )
    assert len(report.val_losses) == len(report.held_out.members) == 3
    parts = split(
        pairs, group([], proxy.designs), FitEnvironment(seed=0).generator("proxy", "split")
    )
    assert evaluate_proxy(proxy, parts.test, parity=500) == report.held_out
    assert report.held_out.unexplained < 0.01


def test_a_fit_repeats_itself_and_another_seed_is_another_fit(small):
    again = fitted(waves, shapes=[{"width": 24, "depth": 2}, {"width": 16, "depth": 1}], members=3)
    assert again[1] == small[1]
    for name, value in small[0].state().items():
        assert torch.equal(value, again[0].state()[name])
    assert (
        fitted(waves, seed=1, training={"epochs": 2})[1] != fitted(waves, training={"epochs": 2})[1]
    )


def test_members_differ(small):
    proxy, _, pairs = small
    a, b, c = proxy.members(pairs.x)
    assert float((a - c).abs().max()) > 1e-4  # of one size
    assert float((a - b).abs().max()) > 1e-4


def test_weights_are_rounded_before_they_are_measured():
    proxy, report, pairs = fitted(waves, half=True)
    state = proxy.state()
    weights = [v for k, v in state.items() if k.startswith("member.")]
    assert all(v.dtype == torch.float16 for v in weights)
    parts = split(
        pairs, group([], proxy.designs), FitEnvironment(seed=0).generator("proxy", "split")
    )
    back = type(proxy).restore(
        proxy.config, proxy.designs, {k: v.double() for k, v in state.items()}
    )
    assert evaluate_proxy(back, parts.test).ensemble == report.held_out.ensemble


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda x, y: (x[:, :1], y), ShapeError, "designs: expected 2 columns"),
        (lambda x, y: (x, y[:, :1]), ShapeError, "responses: expected 2 columns"),
        (lambda x, y: (x, y.masked_fill(y > 0.9, torch.nan)), DataError, "responses: row"),
        (lambda x, y: (x[:2], y[:2]), DataError, "too few"),
    ],
)
def test_pairs_that_cannot_be_learnt_from_are_refused(small, change, error, said):
    pairs = Pairs(*change(small[2].x, small[2].y))
    with pytest.raises(error, match=said):
        fit_proxy(pairs, box("ab"), outputs(2), ProxyConfig.resolve(TINY), FitEnvironment())


def test_a_wrong_symmetry_is_refused_before_training(small):
    config = ProxyConfig.resolve({**TINY, "symmetries": [["a", "x"]]})
    with pytest.raises(ConfigError, match="a x"):
        fit_proxy(small[2], box("ab"), outputs(2), config, FitEnvironment())


def test_categories_and_whole_numbers_are_designs_too():
    """y = (1, -1, 0.5)[kind] * count / 4."""
    designs = Space.of(
        Variable(name="kind", prior=Categorical(categories=("up", "down", "half"))),
        Variable(name="count", prior=Integers(low=0, high=4)),
    )
    x = designs.sample(300, generator(0, "tests"))
    slopes = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)
    y = slopes[x[:, 0].long()] * x[:, 1] / 4
    few = torch.cartesian_prod(torch.arange(3.0), torch.arange(5.0)).double()
    # 15 different designs alone: equal ones stay in one part
    proxy, report = fit_proxy(
        Pairs(x, y[:, None]), designs, outputs(1), ProxyConfig.resolve(TINY), FitEnvironment()
    )
    assert report.train_rows + report.val_rows + report.held_out.rows == 300
    known = slopes[few[:, 0].long()] * few[:, 1] / 4
    assert float((proxy(few)[:, 0] - known).abs().median()) < 0.1


def test_a_design_that_was_constant_says_nothing_also_when_the_proxy_is_restored():
    designs, x = box("ab"), torch.rand(200, 2, generator=generator(0), dtype=torch.float64)
    x[:, 1] = 0.5
    config = ProxyConfig.resolve({**TINY, "training": {"epochs": 2}})
    proxy, _ = fit_proxy(Pairs(x, waves(x)), designs, outputs(2), config, FitEnvironment())
    other = torch.stack([x[:, 0], torch.full((200,), 1e5)], dim=1)
    for known in (proxy, type(proxy).restore(config, designs, proxy.state())):
        assert torch.equal(known(other), proxy(x))
