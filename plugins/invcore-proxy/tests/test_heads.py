"""Outputs keep their range, start at the data's mean, and say exact zeros where they are."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy import ProxyConfig, fit_proxy
from invcore_proxy.heads import Head

from invcore import DataError
from invcore.plugin import FitEnvironment, Pairs

from .conftest import TINY, box, fitted, outputs

OUTPUTS = [{"output": "plain"}, {"output": "squash", "high": 5.0}, {"output": "non-negative"}]


@pytest.mark.parametrize("settings", OUTPUTS, ids=lambda s: s["output"])
@pytest.mark.parametrize("zero_part", [False, True])
def test_a_raw_output_of_zero_is_the_datas_mean(settings, zero_part):
    y = torch.tensor([[0.0, 4.0], [1.0, 2.0], [3.0, 1.5]], dtype=torch.float64)
    head = Head.fit(ProxyConfig(zero_part=zero_part, **settings), y)
    expected = torch.tensor([2.0 if zero_part else 4 / 3, 2.5], dtype=torch.float64)
    raw = torch.zeros(1, 2, dtype=torch.float64)
    torch.testing.assert_close(head.values(raw)[0], expected)
    torch.testing.assert_close(head.scaled(raw)[0], torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("settings", OUTPUTS[1:], ids=lambda s: s["output"])
def test_no_output_leaves_the_range(settings):
    y = torch.rand(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 5
    head = Head.fit(ProxyConfig(**settings), y)
    values = head.values(torch.linspace(-1e4, 1e4, 999)[:, None].expand(-1, 3))
    assert float(values.min()) >= 0
    assert bool(values.isfinite().all())
    if settings["output"] == "squash":
        assert float(values.max()) <= 5


def test_a_squashed_proxy_stays_in_its_range_where_a_plain_one_does_not():
    def step(x):
        return torch.sigmoid(20 * x[:, :1])

    far = torch.linspace(-6, 6, 200, dtype=torch.float64)[:, None].expand(-1, 2)
    plain = fitted(step)[0](far)
    squashed, report, _ = fitted(step, output="squash")
    assert float(plain.max()) > 1 or float(plain.min()) < 0
    inside = squashed(far)
    assert float(inside.min()) >= 0 and float(inside.max()) <= 1
    assert report.held_out.unexplained < 0.05


def test_the_hurdle_finds_where_a_known_function_is_zero():
    """max(x1 + x2 - 0.3, 0), moved away from 0: it jumps from 0 to 0.5 at a line."""

    def hurdle(x):
        level = x.sum(1, keepdim=True) - 0.3
        return torch.where(level > 0, level + 0.5, 0.0)

    proxy, report, _ = fitted(hurdle, rows=1500, zero_part=True)
    assert report.held_out.ensemble.zero_right > 0.97
    level = torch.linspace(-1.9, 1.9, 400, dtype=torch.float64)
    level = level[(level - 0.3).abs() > 0.1]  # not in the doubtful strip itself
    x = (level / 2)[:, None].expand(-1, 2)
    y = hurdle(x)
    mean, spread = proxy.predict(x)
    assert bool(((mean == 0) == (y == 0)).all())
    torch.testing.assert_close(mean, y, atol=0.08, rtol=0)
    edge = proxy.predict(torch.full((1, 2), 0.15, dtype=torch.float64)).spread
    assert float(edge) > 5 * float(spread.median())


def test_the_hurdles_loss_is_squares_of_the_others_and_cross_entropy():
    y = torch.tensor([[0.0], [2.0], [4.0], [0.0]], dtype=torch.float64)
    head = Head.fit(ProxyConfig(zero_part=True), y)
    wanted = head.part(Pairs(torch.zeros(4, 1), y))
    assert wanted.tolist() == [[0.0, 0.0], [-1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    raw = torch.tensor([[9.0, -1.0], [0.5, 2.0], [1.0, 0.5], [-9.0, 1.0]])
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        raw[:, 1], wanted[:, 1].clamp(5e-5, 1 - 5e-5)
    )
    expected = (1.5**2 + 0) / 2 + entropy
    torch.testing.assert_close(head.loss(raw, wanted), expected)


def test_a_logit_does_not_grow_without_end():
    """Of a row that is surely zero: the loss is least where the logit says 0.005%."""
    head = Head.fit(ProxyConfig(zero_part=True), torch.tensor([[0.0], [1.0], [2.0]]).double())
    logit = torch.linspace(-40, 0, 4001)
    wanted = torch.tensor([[0.0, 0.0]])
    losses = torch.stack([head.loss(torch.stack([v * 0, v])[None], wanted) for v in logit])
    assert float(logit[losses.argmin()]) == pytest.approx(-9.9, abs=0.05)


def test_a_curve_has_one_scale_and_is_learnt():
    def curve(x):
        return torch.cos(3 * x[:, :1] + x[:, 1:] * torch.linspace(0, 1, 19, dtype=torch.float64))

    for upsamplings in (1, 2):
        proxy, report, pairs = fitted(
            curve, sequence=True, upsamplings=upsamplings,
            training={"epochs": 12, "lr": 0.01},
        )  # fmt: skip
        assert proxy(pairs.x[:3]).shape == (3, 19)
        scale = proxy.state()["head.scale"]
        torch.testing.assert_close(scale, scale[:1].expand(19))
        assert min(m.mse for m in report.held_out.members) < 0.1 * float(pairs.y.var())


@pytest.mark.parametrize(
    ("settings", "value", "said"),
    [
        ({"output": "non-negative"}, -0.5, "row 8 of 'y1' is -0.5"),
        ({"output": "squash", "low": 0.5, "high": 3.0}, 3.5, "from 0.5 to 3"),
        ({"output": "squash", "low": 0.5, "high": 3.0, "zero_part": True}, 3.5, "is 3.5"),
    ],
)
def test_responses_out_of_the_outputs_range_are_refused(settings, value, said):
    x = box("a").sample(60, torch.Generator().manual_seed(0))
    y = x.square() + 1
    y[3] = 0.0 if settings.get("zero_part") else 1.0
    y[7] = value
    with pytest.raises(DataError, match=said):
        config = ProxyConfig.resolve({**TINY, **settings})
        fit_proxy(Pairs(x, y), box("a"), outputs(1), config, FitEnvironment())
