"""An ensemble is what it says: means and spreads of networks, in a type, on a device, by rows."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy import Proxy, ProxyConfig, Shape
from invcore_proxy import ensemble as module
from invcore_proxy.networks import Member
from torch.func import functional_call

from invcore import ConfigError, ShapeError
from invcore.plugin import generator as draw

from .conftest import box, fitted


def alone(proxy, x, member):
    """A member's prediction by an ordinary network with its weights, plain output."""
    state, config = proxy.state(), proxy.config
    network = Member(config, config.member_shapes[member], proxy.designs.features, proxy.dim)
    prefix = f"member.{member}."
    weights = {k.removeprefix(prefix): v.double() for k, v in state.items() if prefix in k}
    raw = functional_call(network, weights, ((x - state["x.centre"]) / state["x.scale"],))
    return raw * state["head.scale"] + state["head.centre"]


def test_members_of_two_sizes_are_what_they_are_alone(small):
    proxy, _, pairs = small
    x = pairs.x[:50]
    each = torch.stack([alone(proxy, x, m) for m in range(3)])
    torch.testing.assert_close(proxy.members(x), each)
    mean, spread = proxy.predict(x)
    torch.testing.assert_close(mean, each.mean(0))
    torch.testing.assert_close(spread, each.std(0, correction=0))


def test_the_spread_of_a_hurdle_is_that_of_a_mixture():
    """A member says v with probability p and 0 else: over members, E[p v²] less E[p v]² squared."""

    def hurdle(x):
        level = x.sum(1, keepdim=True) - 0.3
        return torch.where(level > 0, level + 0.5, 0.0)

    proxy, _, _ = fitted(hurdle, rows=200, zero_part=True, training={"epochs": 4, "lr": 0.01})
    x = box("ab").sample(400, draw(5))
    state, shape = proxy.state(), proxy.config.member_shapes[0]
    features = (x - state["x.centre"]) / state["x.scale"]
    values, shares = [], []
    for member in range(2):
        network = Member(proxy.config, shape, 2, 1)
        prefix = f"member.{member}."
        weights = {k.removeprefix(prefix): v.double() for k, v in state.items() if prefix in k}
        raw = functional_call(network, weights, (features,))
        values.append(raw[:, :1] * state["head.scale"] + state["head.centre"])
        shares.append(torch.sigmoid(raw[:, 1:]))
    v, p = torch.stack(values), torch.stack(shares)
    doubtful = ((p > 0.2) & (p < 0.8)).all(0)[:, 0]
    assert 20 < int(doubtful.sum()) < 400
    variance = (p * v**2).mean(0) - (p * v).mean(0) ** 2
    torch.testing.assert_close(proxy.predict(x).spread, variance.sqrt(), rtol=1e-6, atol=1e-9)


def test_the_ensembles_mse_is_at_most_the_members_mean(small):
    """Jensen's inequality; the difference is the mean squared spread."""
    proxy, report, pairs = small
    errors = report.held_out
    mean = sum(m.mse for m in errors.members) / 3
    assert errors.ensemble.mse < mean
    gap = (proxy.members(pairs.x) - pairs.y).square().mean() - (
        proxy(pairs.x) - pairs.y
    ).square().mean()
    torch.testing.assert_close(gap, proxy.predict(pairs.x).spread.square().mean())


def test_the_spread_is_larger_off_the_data(small):
    proxy, _, pairs = small
    near = proxy.predict(pairs.x).spread.mean()
    far = proxy.predict(4 * pairs.x[pairs.x.abs().amax(1) > 0.7]).spread.mean()
    assert far > 5 * near


def test_chunks_change_nothing(small, monkeypatch):
    proxy, _, pairs = small
    whole = proxy.predict(pairs.x)
    monkeypatch.setattr(module, "_NUMBERS", 7 * 24 * 3)
    parts = proxy.predict(pairs.x)
    torch.testing.assert_close(parts.mean, whole.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(parts.spread, whole.spread, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_predictions_have_the_designs_type_and_no_row_may_be_there(small, dtype):
    proxy, _, pairs = small
    mean, spread = proxy.predict(pairs.x[:5].to(dtype))
    assert mean.dtype == spread.dtype == dtype
    torch.testing.assert_close(mean.double(), proxy(pairs.x[:5]), rtol=1e-4, atol=1e-5)
    assert proxy(pairs.x[:0].to(dtype)).shape == (0, 2)


def test_gradients_of_mean_and_spread_are_slopes(small):
    proxy, _, pairs = small
    x = pairs.x[:6].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: tuple(proxy.predict(x)), x)


def test_a_lone_member_has_no_spread_and_no_nan_slope():
    config = ProxyConfig(members=1, shapes=(Shape(width=4, depth=1),))
    weights = {
        k: torch.ones(*v.shape)
        for k, v in Member(config, config.shapes[0], 2, 1).state_dict(prefix="member.0.").items()
    }
    scales = {"x.centre": torch.zeros(2), "x.scale": torch.ones(2)}
    head = {f"head.{k}": torch.ones(1) for k in ("centre", "scale", "offset", "gain")}
    proxy = Proxy.restore(config, box("ab"), {**weights, **scales, **head})
    x = torch.rand(3, 2, requires_grad=True)
    mean, spread = proxy.predict(x)
    (slope,) = torch.autograd.grad((mean + spread).sum(), x)
    assert bool((spread == 0).all()) and bool(slope.isfinite().all())


def test_another_number_of_columns_is_refused(small):
    with pytest.raises(ShapeError, match="2 columns"):
        small[0](torch.zeros(4, 3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("member.1.body.0.weight"), "'member.1.body.0.weight' is missing"),
        (lambda s: s.pop("head.gain"), "'head.gain' is missing"),
        (lambda s: s.update({"member.9.body.0.bias": torch.ones(1)}), "belongs to no member"),
        (lambda s: s.update({"member.0.body.0.bias": torch.ones(3)}), r"\(3,\), expected \(24,\)"),
        (lambda s: s.update({"x.scale": torch.ones(5)}), r"\(5,\), expected \(2,\)"),
        (lambda s: s.update({"head.scale": torch.ones(2, 1)}), "head.scale"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(small, change, said):
    proxy = small[0]
    state = dict(proxy.state())
    change(state)
    with pytest.raises(ShapeError, match=said):
        Proxy.restore(proxy.config, proxy.designs, state)


@pytest.mark.parametrize(
    "settings",
    [
        {"low": 1.0},
        {"zero_part": True, "sequence": True},
        {"training": {"restarts": 2}},
        {"shapes": []},
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings):
    with pytest.raises(ConfigError):
        ProxyConfig.resolve(settings)


def test_weights_too_large_for_16_bits_are_said(small):
    proxy = small[0]
    state = {k: v * 1e6 if k == "member.0.body.0.bias" else v for k, v in proxy.state().items()}
    with pytest.raises(ConfigError, match="16 bits"):
        Proxy.restore(proxy.config, proxy.designs, state).rounded()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_designs_on_cuda_are_predicted_there(small):
    proxy, _, pairs = small
    there = proxy.predict(pairs.x.cuda())
    assert there.mean.is_cuda
    torch.testing.assert_close(there.mean.cpu(), proxy(pairs.x))
