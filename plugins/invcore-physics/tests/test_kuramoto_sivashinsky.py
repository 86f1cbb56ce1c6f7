"""The Kuramoto-Sivashinsky equation: its solver against mathematics, and the task's promises."""

from __future__ import annotations

import itertools
import math

import invcore_physics.kuramoto_sivashinsky as module
import mpmath
import numpy as np
import pytest
import torch
from invcore_physics.ks_solver import etdrk4_weights, solve_ks
from invcore_physics.kuramoto_sivashinsky import KuramotoSivashinsky, KuramotoSivashinskyConfig
from invcore_physics.marching import march
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

from invcore import DataError, ShapeError
from invcore.plugin import generator


def task_of(**settings):
    return KuramotoSivashinsky(KuramotoSivashinskyConfig(**settings))


def drawn(task, rows, name="ks"):
    """Designs and the context of so many problems."""
    random = generator(0, name)
    return task.designs.sample(rows, random), task.contexts(rows, random)


def rms(a, b):
    return (a - b).square().mean(dim=1).sqrt()


# The solver


def exact_weights(z):
    """Q, f1, f2, f3 as they are defined, with 60 digits."""
    z = mpmath.mpf(z)
    full = mpmath.exp(z)
    return (
        (mpmath.exp(z / 2) - 1) / z,
        (-4 - z + full * (4 - 3 * z + z**2)) / z**3,
        (2 + z + full * (z - 2)) / z**3,
        (-4 - 3 * z - z**2 + full * (4 - z)) / z**3,
    )


@pytest.mark.parametrize("z", [-400.0, -30.0, -2.0, -0.5, -1e-3, -1e-9, 1e-9, 1e-4, 0.3, 1.0, 4.0])
def test_the_weights_and_their_slopes(z):
    """Also where the formulas cancel; a slope by differences in many digits."""
    leaf = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    weights = etdrk4_weights(leaf)
    slopes = [torch.autograd.grad(w, leaf, retain_graph=True)[0].item() for w in weights[2:]]
    with mpmath.workdps(60):
        move = mpmath.mpf(10) ** -15
        wanted = exact_weights(z)
        either = zip(exact_weights(z + move), exact_weights(z - move), strict=True)
        tilted = [float((ahead - behind) / (2 * move)) for ahead, behind in either]
    got = [w.item() for w in weights]
    assert got[:2] == pytest.approx([math.exp(z), math.exp(z / 2)], rel=1e-14)
    assert got[2:] == pytest.approx([float(w) for w in wanted], rel=1e-11, abs=1e-14)
    assert slopes == pytest.approx(tilted, rel=1e-9, abs=1e-13)


def test_without_advection_each_wave_grows_on_its_own():
    length, time = 22.0, 3.0
    x = torch.arange(48, dtype=torch.float64) * (length / 48)
    strengths = torch.tensor([[0.0, 1.2, 0.8], [0.0, 0.7, 1.3]], dtype=torch.float64)
    waves = 2 * math.pi / length * torch.tensor([1.0, 3.0, 5.0], dtype=torch.float64)
    initial = (waves[:, None] * x + 0.3).sin().sum(dim=0).expand(2, -1)
    b, c = strengths[:, 1, None], strengths[:, 2, None]
    growth = ((b * waves**2 - c * waves**4) * time).exp()
    wanted = growth @ (waves[:, None] * x + 0.3).sin()
    assert torch.allclose(solve_ks(initial, strengths, length, time, 7), wanted, rtol=1e-11)


def test_an_independent_solution():
    """Collocation with u u_x as it stands, all modes kept, by an adaptive implicit method."""
    task = task_of(grid=64, time=1.0, steps=200)
    x, known = drawn(task, 2)
    wave = 2 * math.pi / 22.0 * np.fft.rfftfreq(64, 1 / 64)
    for row, start in zip(x.numpy(), known["initial"].numpy(), strict=True):

        def slope(_, u, row=row):
            v = np.fft.rfft(u)
            first = np.fft.irfft(1j * wave * v, 64)
            linear = np.fft.irfft((row[1] * wave**2 - row[2] * wave**4) * v, 64)
            return linear - row[0] * u * first

        wanted = solve_ivp(slope, (0, 1), start, method="LSODA", rtol=1e-9, atol=1e-10).y[:, -1]
        context = {"initial": torch.from_numpy(start)[None]}
        got = task.simulate(torch.from_numpy(row)[None], context)[0]
        assert np.abs(got.numpy() - wanted).max() < 1e-6


def test_the_order_in_time_is_four():
    """In the limit of small steps: stiff modes come below it before."""
    x, known = drawn(KuramotoSivashinsky(), 8)
    *coarse, fine = (
        solve_ks(known["initial"], x, 22.0, 0.5, steps) for steps in (50, 100, 200, 800)
    )
    errors = [rms(late, fine).mean().item() for late in coarse]
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert all(3.8 < order < 4.1 for order in orders)
    assert errors[-1] < 1e-9


def test_the_default_resolution_is_fine_enough():
    """Against twice the modes and eight times the steps; the figures of the task's card."""
    coarse, fine = KuramotoSivashinsky(), task_of(grid=96, steps=1000)
    x, known = drawn(coarse, 100)
    again = drawn(fine, 100)[1]
    assert torch.allclose(again["initial"][:, ::2], known["initial"])
    wanted = fine.simulate(x, again)[:, ::2]
    off = rms(coarse.simulate(x, known), wanted) / wanted.std()
    assert off.median() < 1.5e-3 and off.quantile(0.9) < 4e-2


def test_symmetries():
    """A shift of the start shifts the end; a u obeys the equation with a = 1; the mean stays."""
    task = task_of(steps=50, time=5.0)
    x, known = drawn(task, 3)
    late = task.simulate(x, known)
    shifted = task.simulate(x, {"initial": known["initial"].roll(5, dims=1)})
    assert torch.allclose(shifted, late.roll(5, dims=1), atol=1e-10)
    a = x[:, :1]
    one = torch.cat([torch.ones_like(a), x[:, 1:]], dim=1)
    scaled = task.simulate(one, {"initial": a * known["initial"]})
    assert torch.allclose(scaled, a * late, atol=1e-10)
    raised = task.simulate(x, {"initial": known["initial"] + 0.7})
    assert torch.allclose(raised.mean(dim=1), torch.full((3,), 0.7, dtype=torch.float64))


# Gradients


def test_the_gradient_is_the_slope():
    task = task_of(time=3.0, steps=30)
    x, known = drawn(task, 4)
    weights = torch.linspace(1.0, 2.0, 48, dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad((task.simulate(leaf, known) * weights).sum(), leaf)
    for i in range(3):
        move = torch.zeros_like(x)
        move[:, i] = 1e-5
        ahead, behind = (task.simulate(x + s * move, known) @ weights for s in (1, -1))
        assert torch.allclose(slope[:, i], (ahead - behind) / 2e-5, rtol=1e-5, atol=1e-6)


def plainly(prepare, step, steps, state, knobs):
    """What march does, with all states kept."""
    coefficients = prepare(knobs)
    for _ in range(steps):
        state = step(state, coefficients)
    return state


@pytest.mark.parametrize("steps", [1, 2, 7, 16])
def test_marching_has_the_gradient_of_plain_steps(steps):
    """With respect to the start, which is complex, and to what the steps depend on."""
    random = torch.Generator().manual_seed(0)
    state = torch.randn(3, 4, generator=random, dtype=torch.complex128)
    knobs = torch.rand(3, 2, generator=random, dtype=torch.float64)
    still = torch.ones(3, 1, dtype=torch.float64)

    def prepare(k):
        return k[:, :1].exp(), torch.polar(k[:, 1:], k[:, 1:] ** 2), still

    def step(u, coefficients):
        real, turn, one = coefficients
        return turn * u + 0.1 * real * u.abs().square() * one

    answers = []
    for way in (march, plainly):
        leaves = state.clone().requires_grad_(), knobs.clone().requires_grad_()
        end = way(prepare, step, steps, *leaves)
        answers.append((end, *torch.autograd.grad(end.abs().square().sum(), leaves)))
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(*answers, strict=True))


def kept_numbers(steps, rows):
    """How many numbers a gradient of the task keeps on the way forward."""
    task = task_of(steps=steps, time=steps / 10)
    x, known = drawn(task, rows)
    sizes = {}

    def pack(tensor):
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes() / 8
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = task.simulate(x.requires_grad_(), known)
    assert y.requires_grad
    return sum(sizes.values())


def test_what_a_gradient_keeps_grows_with_rows_and_the_root_of_steps(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 8)
    small, more_rows, more_steps = kept_numbers(64, 8), kept_numbers(64, 32), kept_numbers(1024, 8)
    assert more_rows < 4.1 * small
    assert more_steps < 4.1 * small
    states = 8 * 16 * 2  # rows, modes, two numbers each
    assert more_steps < 40 * states


def test_chunks_do_not_show(monkeypatch):
    task = task_of(steps=20, time=2.0)
    x, known = drawn(task, 5)
    answers = []
    for rows in (2, 100):
        monkeypatch.setattr(module, "_ROWS", rows)
        leaf = x.clone().requires_grad_()
        y = task.simulate(leaf, known)
        answers.append((y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]))
    assert all(torch.allclose(a, b, rtol=1e-11) for a, b in zip(*answers, strict=True))


# The task's promises


def test_rows_that_blow_up_are_lost_alone():
    """By design (c = 0, endless, overflowing) and in time (a start that no step can follow)."""
    task = task_of(steps=30, time=3.0)
    x, known = drawn(task, 8)
    x[1, 2], x[2, 0], x[3, 1], x[4, 2] = 0.0, math.inf, math.nan, -0.5
    x[5] = torch.tensor([1.0, 900.0, 1e-9])
    known["initial"][6] *= 1e4
    leaf = x.clone().requires_grad_()
    y = task.simulate(leaf, known)
    sound = torch.tensor([True, False, False, False, False, False, False, True])
    assert torch.equal(y.isnan().all(dim=1), ~sound) and y[sound].isfinite().all()
    loss = y[sound].square().sum() + y.nan_to_num().square().sum()
    (slope,) = torch.autograd.grad(loss, leaf)
    assert slope.isfinite().all() and (slope[~sound] == 0).all() and (slope[sound] != 0).all()
    alone = task.simulate(x[sound], {"initial": known["initial"][sound]})
    assert torch.allclose(alone, y[sound], rtol=1e-11)


def test_nothing_is_infinite_in_single_precision():
    """Without advection the waves grow beyond the largest single number."""
    task = task_of(time=100.0, steps=100)
    x = torch.tensor([[0.0, 1.6, 0.5]])
    known = task.contexts(1, generator(0, "ks"))
    assert task.simulate(x.double(), known).abs().max() > 3.5e38
    assert task.simulate(x, known).isnan().all()


def test_a_step_in_which_a_wave_grows_by_more_than_e_to_the_20_is_none():
    """The quickest wave grows at the rate b² / 4c; without advection any size is a result."""
    task = task_of(time=2.0, steps=2)
    b = torch.tensor([8.0, 8.9, 8.95, 9.0, 12.0], dtype=torch.float64)
    x = torch.stack([torch.zeros_like(b), b, torch.ones_like(b)], dim=1)
    x = torch.cat([x, x * 4])  # b² / 4c is four times as large
    x[5:, 1] = 2 * b  # and now as it was
    known = {"initial": task.contexts(1, generator(0, "ks"))["initial"].expand(10, -1)}
    kept = task.simulate(x, known).isfinite().all(dim=1)
    assert kept.tolist() == (b**2 / 4 <= 20).tolist() * 2 == [True, True, False, False, False] * 2


def test_a_wave_must_be_damped_and_need_not_grow():
    """c = 0 damps nothing and has no response; without growth any c above it has one."""
    task = task_of(grid=32, time=1.0, steps=2)
    _, known = drawn(task, 4)
    known = {"initial": known["initial"][:1].expand(4, -1)}
    x = torch.tensor([[0.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1e-6], [0.0, -1.0, 1e-6]])
    y = task.simulate(x.double(), known)
    assert y.isnan().all(dim=1).tolist() == [True, True, False, False]
    assert torch.allclose(y[2], known["initial"][0], atol=1e-3)


def test_a_finite_result_of_too_few_steps_is_none():
    x, known = drawn(task_of(), 200)
    fine = task_of().simulate(x, known)
    assert float(fine.abs().max()) < 9 and not fine.isnan().any()
    for steps in (1, 8, 12):
        y = task_of(steps=steps).simulate(x, known)
        lost = y.isnan().all(dim=1)
        assert bool(lost.any()) and float(y[~lost].abs().max() if not lost.all() else 0) < 40


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shape_dtype_and_untouched_arguments(dtype, rows):
    task = task_of(steps=20, time=2.0)
    x, known = drawn(task, rows)
    x = x.to(dtype)
    before, start = x.clone(), known["initial"].clone()
    y = task.simulate(x, known)
    assert y.shape == (rows, 48) and y.dtype == dtype
    assert torch.equal(x, before) and torch.equal(known["initial"], start)
    assert torch.equal(y, task.simulate(x.double(), known).to(dtype))


def test_the_order_of_rows_does_not_matter():
    task = task_of(steps=20, time=2.0)
    x, known = drawn(task, 6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    mixed = task.simulate(x[order], {"initial": known["initial"][order]})
    assert torch.allclose(mixed, task.simulate(x, known)[order], rtol=1e-11)


def test_a_context_is_needed():
    task, x = KuramotoSivashinsky(), torch.ones(2, 3)
    with pytest.raises(DataError, match="context is missing"):
        task.simulate(x)
    with pytest.raises(DataError, match="context is missing"):
        task.simulate(x, {"start": torch.zeros(2, 48)})
    with pytest.raises(ShapeError, match=r"expected the context 'initial' \(2, 48\)"):
        task.simulate(x, {"initial": torch.zeros(2, 32)})
    with pytest.raises(ShapeError, match="expected"):
        task.simulate(torch.ones(2, 4), {"initial": torch.zeros(2, 48)})


def test_contexts():
    task = task_of(grid=32)
    known = task.contexts(2000, generator(0, "ks"))["initial"]
    assert known.shape == (2000, *task.context_shapes["initial"]) and known.dtype == torch.float64
    assert known.mean(dim=1).abs().max() < 1e-12
    power = torch.fft.rfft(known, norm="forward").abs().square().mean(dim=0)
    assert power[1:5].tolist() == pytest.approx([0.125] * 4, rel=0.1)  # (0.5² + 0.5²) / 4
    assert power[5:].max() < 1e-20


def test_noise_is_in_what_is_measured_alone():
    quiet, loud = task_of(steps=20, time=2.0), task_of(steps=20, time=2.0, noise=0.1)
    x, known = drawn(quiet, 200)
    y = loud.simulate(x, known)
    assert torch.equal(y, quiet.simulate(x, known))
    assert quiet.observe(y, generator(0)) is y and quiet.noise_floor == 0
    noise = loud.observe(y, generator(0)) - y
    assert loud.noise_floor == pytest.approx(0.01)
    assert noise.square().mean().item() == pytest.approx(0.01, rel=0.05)
    assert torch.equal(loud.observe(y, generator(0)) - y, noise)


def test_pairs_and_sizes():
    task = task_of(grid=32, steps=20, time=2.0)
    pairs = task.pairs(5, generator(3))
    assert pairs.x.shape == (5, 3) and pairs.y.shape == (5, 32) and task.responses.dim == 32
    assert torch.equal(task.simulate(pairs.x, pairs.context), pairs.y)
    assert KuramotoSivashinsky.reference == "bfgs" and KuramotoSivashinsky.differentiable
    assert task.places[-1].item() == pytest.approx(22 * 31 / 32)


@pytest.mark.parametrize("data", [{"grid": 8}, {"steps": 0}, {"noise": -1.0}, {"length": 0.0}])
def test_bad_config(data):
    with pytest.raises(ValueError, match="field"):
        KuramotoSivashinskyConfig.parse(data)


def test_the_picture():
    task, axes = task_of(steps=20, time=2.0), Figure().add_subplot()
    x, known = drawn(task, 1)
    x = task.designs.sample(7, generator(1))
    y = task.simulate(x, {"initial": known["initial"].expand(7, -1)})
    y[0] = torch.nan
    target = y[1] + 0.1
    assert task.draw(axes, target, x, y, known)
    axes.figure.canvas.draw()
    shown = {line.get_label(): torch.tensor(line.get_ydata()) for line in axes.lines}
    assert torch.equal(shown["wanted"], target) and torch.equal(shown["best candidate"], y[1])
    assert torch.equal(shown["initial"], known["initial"][0])
    assert torch.equal(shown["next 4 of 7"], y[2]) and len(axes.lines) == 7
    bare = Figure().add_subplot()
    assert task.draw(bare, target, x, torch.full_like(y, torch.nan))
    assert [line.get_label() for line in bare.lines] == ["wanted"]
