"""The wave packet: its formula, noise, gradient, and the landscape that makes it hard."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_physics.drawing import draw_landscape
from invcore_physics.wave_packet import (
    WINDOW,
    Packet,
    WavePacket,
    WavePacketConfig,
    packet_signal,
    sample_times,
)
from matplotlib.figure import Figure

from invcore import ShapeError
from invcore.plugin import generator

FREE = WavePacketConfig(frequency="free")


def draws(task, rows):
    return task.designs.sample(rows, generator(0, "wave-packet"))


def test_the_formula_by_hand():
    config = WavePacketConfig(frequency="free", amplitude=1.7, width=0.6)
    x = torch.tensor([[4.2, 0.9]], dtype=torch.float64)
    y = WavePacket(config).simulate(x)[0]
    for i in (0, 17, 50, 64, 127):
        late = (i + 0.5) * 10 / 128 - 4.2
        wanted = 1.7 * math.exp(-(late**2) / (2 * 0.36)) * math.cos(2 * math.pi * 0.9 * late)
        assert y[i].item() == pytest.approx(wanted, rel=1e-12, abs=1e-300)


def test_fixed_and_free_frequency_are_one_formula():
    fixed = WavePacket(WavePacketConfig(known_frequency=1.1))
    assert fixed.designs.names == ("arrival",) and WavePacket(FREE).designs.dim == 2
    x = draws(fixed, 9)
    both = torch.cat([x, torch.full_like(x, 1.1)], dim=1)
    assert torch.equal(fixed.simulate(x), WavePacket(FREE).simulate(both))
    assert (
        fixed.reference == "bfgs" and not fixed.context_shapes and fixed.contexts(3, None) is None
    )


@pytest.mark.parametrize("config", [WavePacketConfig(), FREE])
def test_gradient_against_finite_differences(config):
    task = WavePacket(config)
    x = draws(task, 30)
    weights = torch.randn(128, generator=generator(0, "weights"), dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((task.simulate(leaf) * weights).sum(), leaf)
    for column in range(task.designs.dim):
        move = torch.zeros_like(x)
        move[:, column] = 1e-5
        slope = (task.simulate(x + move) - task.simulate(x - move)) @ weights / 2e-5
        scale = gradient[:, column].abs().max()
        assert ((gradient[:, column] - slope).abs() <= 1e-5 * slope.abs() + 1e-7 * scale).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_shape_dtype_repeats_and_untouched_argument(dtype, rows):
    task = WavePacket()
    x = draws(task, rows).to(dtype)
    before = x.clone()
    y = task.simulate(x)
    assert y.shape == (rows, 128) and y.dtype == dtype and torch.equal(x, before)
    assert torch.equal(y, task.simulate(x))
    assert torch.equal(y, task.simulate(x.double()).to(dtype))
    with pytest.raises(ShapeError, match="expected 1 columns"):
        task.simulate(torch.zeros(2, 2))


def test_chunks_do_not_show(monkeypatch):
    task, x = WavePacket(FREE), draws(WavePacket(FREE), 11)

    def answers():
        leaf = x.clone().requires_grad_()
        y = task.simulate(leaf)
        return y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]

    whole = answers()
    monkeypatch.setattr("invcore_physics.wave_packet._ROWS", 4)
    assert all(torch.equal(a, b) for a, b in zip(whole, answers(), strict=True))
    order = torch.randperm(11, generator=generator(0, "order"))
    assert torch.equal(task.simulate(x[order]), whole[0][order])


def test_what_is_not_finite_has_no_response_and_spoils_no_gradient():
    task = WavePacket()
    x = torch.tensor([[5.0], [math.nan], [math.inf], [1e200]], dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    y = task.simulate(leaf)
    assert y.isnan().all(dim=1).tolist() == [False, True, True, False] and not y.isinf().any()
    (gradient,) = torch.autograd.grad(y.nansum(), leaf)
    assert gradient.isfinite().all() and gradient[1:3].abs().sum() == 0


def test_the_noise_is_white_and_of_the_stated_size():
    task = WavePacket(WavePacketConfig(noise=0.3))
    y = task.simulate(draws(task, 2000))
    noise = task.observe(y, generator(1)) - y
    assert task.noise_floor == pytest.approx(0.09)
    # standard errors: 0.09 √(2/256000) of the variance, 0.09/√254000 of the covariance
    assert noise.var().item() == pytest.approx(0.09, abs=5 * 0.09 * math.sqrt(2 / 256000))
    assert (noise[:, 1:] * noise[:, :-1]).mean().abs() < 5 * 0.09 / math.sqrt(254000)
    assert torch.equal(task.observe(y, generator(1)) - y, noise)
    quiet = WavePacket(WavePacketConfig(noise=0.0))
    assert torch.equal(quiet.observe(y, generator(1)), y) and quiet.noise_floor == 0
    data = task.dataset(20, 5, seed=3)
    assert torch.equal(data.train.y, task.simulate(data.train.x))
    off = (data.test.y - task.simulate(data.test.x)).square().mean()
    assert 0.06 < off < 0.12


def test_the_landscape_is_the_closed_form_with_a_minimum_a_period():
    packet, place = Packet(1.3, 0.8), torch.linspace(-1.8, 1.8, 3601, dtype=torch.float64)
    y = packet_signal(5.0 + place, 2.0, packet)
    error = (y - packet_signal(torch.tensor([5.0]).double(), 2.0, packet)).square().mean(dim=1)
    pace = 2 * math.pi * 2.0 * place
    size = packet.amplitude**2 * packet.width * math.sqrt(math.pi) / WINDOW
    wanted = size * (1 - torch.exp(-(place**2) / (4 * packet.width**2)) * pace.cos())
    assert (error - wanted).abs().max() < 1e-6
    inner = error[1:-1]
    minima = place[1:-1][(inner < error[:-2]) & (inner < error[2:])]
    assert len(minima) == 7  # at multiples of half a second, a little inwards
    away = torch.arange(-3, 4) / 2
    assert (minima - away).abs().max() < 0.03


def test_the_landscape_of_a_packet_shorter_than_its_period():
    """One valley, a rim, and a plain."""
    packet, place = Packet(1.0, 0.3), torch.linspace(-3.0, 3.0, 601, dtype=torch.float64)
    y = packet_signal(5.0 + place, 0.5, packet)
    error = (y - packet_signal(torch.tensor([5.0]).double(), 0.5, packet)).square().mean(dim=1)
    constant = math.exp(-((2 * math.pi * 0.5 * 0.3) ** 2))
    hill = torch.exp(-(place**2) / (4 * 0.3**2))
    size = 0.3 * math.sqrt(math.pi) / WINDOW
    wanted = size * (1 + constant - hill * ((math.pi * place).cos() + constant))
    assert (error - wanted).abs().max() < 1e-9
    assert error[200:401].max() > 1.01 * error[[0, 600]].max(), "a rim above the plain"


def test_the_picture():
    task, axes = WavePacket(), Figure().add_subplot()
    x = draws(task, 9)
    y = task.simulate(x)
    y[4] = torch.nan
    target = task.observe(y[:1], generator(2))[0]
    assert task.draw(axes, target, x, y)
    axes.figure.canvas.draw()
    shown = {line.get_label(): torch.tensor(line.get_ydata()) for line in axes.lines}
    assert torch.equal(shown["wanted"], target) and torch.equal(shown["best candidate"], y[0])
    assert len(axes.lines) == 6 and torch.equal(shown["next 4 of 9"], y[1])
    assert torch.equal(torch.tensor(axes.lines[0].get_xdata()), sample_times())


def test_landscapes_over_one_and_two_variables():
    task, axes = WavePacket(), Figure().add_subplot()
    target = task.simulate(torch.tensor([[5.0]], dtype=torch.float64))[0]
    assert draw_landscape(axes, task, target, truth=torch.tensor([5.0]), points=50)
    line = torch.tensor(axes.lines[0].get_xydata())
    assert len(line) == 50 and line[0, 0].item() == pytest.approx(2.06)
    errors = (task.simulate(line[:, :1]) - target).square().mean(dim=1)
    assert torch.allclose(line[:, 1], errors, rtol=1e-9)
    free, axes = WavePacket(FREE), Figure().add_subplot()
    assert draw_landscape(axes, free, target, points=20)
    axes.figure.canvas.draw()
    shown = torch.tensor(axes.collections[0].get_array().data).reshape(20, 20)
    at = torch.tensor([[2.0 + 6 * 4.5 / 20, 0.75 + 0.5 * 13.5 / 20]], dtype=torch.float64)
    error = (free.simulate(at)[0] - target).square().mean()
    assert shown[13, 4].item() == pytest.approx(error.log10().item())  # rows are the frequency


@pytest.mark.parametrize("data", [{"noise": -1.0}, {"width": 0.0}, {"frequency": "some"}])
def test_bad_config(data):
    with pytest.raises(ValueError, match="field"):
        WavePacketConfig.parse(data)
