"""Incompressible flow: its solver against mathematics, and the task's promises."""

from __future__ import annotations

import itertools
import math

import invcore_physics.incompressible_flow as module
import numpy as np
import pytest
import torch
from invcore_physics.drawing import draw_landscape
from invcore_physics.flow_solver import FlowSolver
from invcore_physics.incompressible_flow import IncompressibleFlow, IncompressibleFlowConfig
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

from invcore import ShapeError, Uniform
from invcore.plugin import generator

TURN = 2 * math.pi


def task_of(**settings):
    return IncompressibleFlow(IncompressibleFlowConfig(**settings))


def brief(**settings):
    return task_of(time=0.1, steps=4, **settings)


def draws(task, rows, name="flow"):
    return task.designs.sample(rows, generator(0, name))


def lattice(grid):
    """X and y of the grid's points."""
    line = torch.arange(grid, dtype=torch.float64) / grid
    return torch.meshgrid(line, line, indexing="ij")


def two_vortices(solver, rows=3):
    random = generator(0, "flow")
    places = torch.rand(rows, 2, 2, generator=random, dtype=torch.float64)
    strengths = 0.5 + torch.rand(rows, 2, generator=random, dtype=torch.float64)
    return solver.vortices(places, strengths, 0.1)


def energy(solver, vorticity):
    u, v = solver.velocity(vorticity)
    return 0.5 * (u**2 + v**2).mean(dim=(1, 2))


# The solver


@pytest.mark.parametrize("waves", [1, 3])
@pytest.mark.parametrize("viscosity", [0.0, 2e-3])
def test_taylor_green_vortices_only_decay(waves, viscosity):
    """u = cos(kx) sin(ky) e^(-2 nu k² t), v = -sin(kx) cos(ky) e^(-2 nu k² t)."""
    k, time = TURN * waves, 1.5
    x, y = lattice(32)
    solver = FlowSolver(32, viscosity)
    start = solver.modes(-2 * k * ((k * x).cos() * (k * y).cos())[None])
    u, v = solver.velocity(solver.evolve(start, time, 30))
    decay = math.exp(-2 * viscosity * k**2 * time)
    assert torch.allclose(u[0], (k * x).cos() * (k * y).sin() * decay, atol=1e-12)
    assert torch.allclose(v[0], -(k * x).sin() * (k * y).cos() * decay, atol=1e-12)


def test_the_velocity_is_free_of_divergence_and_has_the_vorticity():
    solver = FlowSolver(32, 1e-3)
    late = solver.evolve(two_vortices(solver), 0.2, 10)
    kx, ky = solver.waves
    u, v = (solver.modes(part) for part in solver.velocity(late))
    assert (kx * u + ky * v).abs().max() < 1e-13
    assert torch.allclose(1j * kx * v - 1j * ky * u, late, atol=1e-12)
    assert late[:, 0, 0].abs().max() == 0


def test_an_independent_solution():
    """Collocation with u w_x + v w_y as it stands, all modes kept, by an adaptive method."""
    grid, viscosity, time = 48, 2e-3, 0.1
    solver = FlowSolver(grid, viscosity)
    start = two_vortices(solver, rows=1)
    one = TURN * np.fft.fftfreq(grid, 1 / grid)
    kx, ky = one[:, None], one[None, :]
    square = kx**2 + ky**2
    inverse = np.divide(1, square, out=np.zeros_like(square), where=square > 0)

    def back(modes):
        return np.fft.ifft2(modes).real

    def slope(_, w):
        modes = np.fft.fft2(w.reshape(grid, grid))
        u, v = back(1j * ky * inverse * modes), back(-1j * kx * inverse * modes)
        carried = u * back(1j * kx * modes) + v * back(1j * ky * modes)
        return (back(-viscosity * square * modes) - carried).ravel()

    first = solver.values(start)[0].numpy().ravel()
    wanted = solve_ivp(slope, (0, time), first, method="DOP853", rtol=1e-9, atol=1e-9).y[:, -1]
    got = solver.values(solver.evolve(start, time, 40))[0].numpy().ravel()
    assert np.abs(got - first).max() > 1.0  # they have moved
    assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("grid", [8, 9])
def test_the_way_back_is_the_adjoint(grid):
    """Against finite differences, at modes of no real field: these count by their real part."""
    solver = FlowSolver(grid, 1e-2)
    modes = two_vortices(solver, rows=1)
    noise = torch.randn(modes.shape, generator=generator(0, "flow"), dtype=modes.dtype)
    start = (modes + 0.1 * noise).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: solver.evolve(w, 0.1, 3), start)


def test_the_order_in_time_is_four():
    solver = FlowSolver(24, 1e-3)
    start = two_vortices(solver)
    *coarse, fine = (solver.evolve(start, 0.2, steps) for steps in (20, 40, 80, 240))
    errors = [(late - fine).abs().square().sum().sqrt().item() for late in coarse]
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert all(3.8 < order < 4.2 for order in orders)


def test_energy_decays_as_viscosity_says():
    """By twice nu times the enstrophy; without viscosity it stays."""
    still, viscous = FlowSolver(32, 0.0), FlowSolver(32, 1e-2)
    start = two_vortices(still)
    kept = energy(still, still.evolve(start, 0.2, 40))
    assert torch.allclose(kept, energy(still, start), rtol=1e-6)
    times = [0.0, 0.1, 0.2, 0.3, 0.4]
    states = [start] + [viscous.evolve(start, t, round(200 * t)) for t in times[1:]]
    levels = torch.stack([energy(viscous, s) for s in states])
    assert (levels[1:] < levels[:-1]).all()
    loss = torch.stack([2e-2 * 0.5 * viscous.values(s).square().mean(dim=(1, 2)) for s in states])
    weights = torch.tensor([7.0, 32.0, 12.0, 32.0, 7.0], dtype=torch.float64) * (0.4 / 90)  # Boole
    assert torch.allclose(levels[0] - levels[-1], weights @ loss, rtol=1e-4)


def test_vortices_are_sums_over_images_less_the_mean():
    """On a grid that resolves them; strengths of both signs."""
    solver = FlowSolver(64, 0.0)
    places = torch.tensor([[[0.1, 0.95], [0.6, 0.5]]], dtype=torch.float64)
    strengths, radius = torch.tensor([[1.2, -0.4]], dtype=torch.float64), 0.1
    x, y = lattice(64)
    wanted = torch.zeros(64, 64, dtype=torch.float64)
    for (px, py), strength in zip(places[0].tolist(), strengths[0].tolist(), strict=True):
        for right in range(-2, 3):
            for up in range(-2, 3):
                square = (x - px - right) ** 2 + (y - py - up) ** 2
                wanted += strength / (TURN * radius**2) * (-square / (2 * radius**2)).exp()
    got = solver.values(solver.vortices(places, strengths, radius))[0]
    assert torch.allclose(got, wanted - strengths.sum(), atol=1e-9)
    assert got.mean().abs() < 1e-12


def test_modes_and_values():
    """There and back; a wave that is too short is dropped."""
    solver, (x, y) = FlowSolver(16, 0.0), lattice(16)
    values = (TURN * (5 * x - 3 * y) + 0.4).cos() + (TURN * 2 * y).sin() + 0.5
    assert torch.allclose(solver.values(solver.modes(values)), values)
    assert solver.modes((TURN * 6 * x).cos() * (TURN * y).sin()).abs().max() < 1e-14


# The task


def test_the_default_resolution_is_fine_enough():
    """Against one and a half times the modes and twice the steps; the figures of the card."""
    coarse = IncompressibleFlow()
    fine = task_of(grid=48, steps=2 * coarse.config.steps)
    x = draws(coarse, 12)
    wanted = fine.simulate(x)
    off = (coarse.simulate(x) - wanted).square().mean(dim=1).sqrt() / wanted.std()
    assert off.median() < 2e-3 and off.max() < 1e-2


def test_symmetries():
    """Periodic places; vortices that change names; shifts by a sensor; a mirror."""
    task = brief()
    x = draws(task, 3)
    y = task.simulate(x)
    moved = x.clone()
    moved[:, :4] += torch.tensor([1.0, -2.0, 0.0, 3.0])
    assert torch.allclose(task.simulate(moved), y, atol=1e-12)
    assert torch.allclose(task.simulate(x[:, [2, 3, 0, 1, 5, 4]]), y, atol=1e-12)
    shifted = x.clone()
    shifted[:, [0, 2]] += 0.25
    field = y.reshape(3, 2, 4, 4)
    assert torch.allclose(task.simulate(shifted), field.roll(1, dims=2).flatten(1), atol=1e-12)
    mirrored = torch.cat([1 - x[:, [0]], x[:, [1]], 1 - x[:, [2]], x[:, [3]], -x[:, 4:]], dim=1)
    flipped = field.flip(2) * torch.tensor([-1.0, 1.0])[:, None, None]
    assert torch.allclose(task.simulate(mirrored), flipped.flatten(1), atol=1e-12)


def test_sensors_see_the_velocity_at_their_places():
    task = brief()
    x = draws(task, 1)
    solver, _, late = task.vorticity(x)
    kx, ky = (k.flatten() for k in torch.broadcast_tensors(*solver.waves))
    parts = (solver.per_vorticity * late[0]).flatten(1)
    parts = torch.where(ky > 0, 2 * parts, parts)  # each stands for its conjugate too
    phase = 1j * (task.sensors[:, :1] * kx + task.sensors[:, 1:] * ky)
    wanted = (parts[:, None] * phase.exp()).real.sum(dim=2)
    assert torch.allclose(task.simulate(x)[0], wanted.flatten(), atol=1e-12)


def test_the_gradient_is_the_slope():
    task = brief()
    x, weights = draws(task, 3), torch.linspace(1.0, 2.0, 32, dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad((task.simulate(leaf) * weights).sum(), leaf)
    for i in range(6):
        move = torch.zeros_like(x)
        move[:, i] = 1e-5
        ahead, behind = (task.simulate(x + s * move) @ weights for s in (1, -1))
        assert torch.allclose(slope[:, i], (ahead - behind) / 2e-5, rtol=1e-5, atol=1e-6)


def test_what_a_gradient_keeps_grows_with_rows_and_the_root_of_steps():
    def kept(rows, steps):
        task, sizes = task_of(grid=16, time=0.01 * steps, steps=steps), {}
        x = draws(task, rows).requires_grad_()

        def pack(tensor):
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = task.simulate(x)
        assert y.requires_grad
        return sum(sizes.values())

    small = kept(4, 16)
    assert kept(16, 16) < 4.1 * small and kept(4, 256) < 4.1 * small


def test_chunks_do_not_show(monkeypatch):
    task, answers = brief(), []
    x = draws(task, 5)
    for rows in (2, 100):
        monkeypatch.setattr(module, "_ROWS", rows)
        leaf = x.clone().requires_grad_()
        y = task.simulate(leaf)
        answers.append((y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]))
    assert all(torch.allclose(a, b, rtol=1e-11) for a, b in zip(*answers, strict=True))


def test_rows_that_blow_up_are_lost_alone():
    """Too fast for the time steps; not a number; endless."""
    task = task_of(time=0.5, steps=20)
    x = draws(task, 5)
    x[1, 4], x[2, 0], x[3, 5] = 1e5, math.nan, math.inf
    leaf = x.clone().requires_grad_()
    y = task.simulate(leaf)
    sound = torch.tensor([True, False, False, False, True])
    assert torch.equal(y.isnan().all(dim=1), ~sound) and y[sound].isfinite().all()
    (slope,) = torch.autograd.grad(y.nan_to_num().square().sum(), leaf)
    assert slope.isfinite().all() and (slope[~sound] == 0).all() and (slope[sound] != 0).all()
    assert torch.allclose(task.simulate(x[sound]), y[sound], rtol=1e-11)


@pytest.mark.parametrize("steps", [1, 5, 10])
def test_a_finite_result_of_too_few_steps_is_none(steps):
    task = task_of(steps=steps)
    x = draws(task, 200)
    y = task.simulate(x)
    solver, initial, late = task.vorticity(x)
    grown = energy(solver, late) > 1.05 * energy(solver, initial)  # as no flow's can
    assert bool(grown.any()) and y[grown].isnan().all()
    assert not task_of().simulate(x).isnan().any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shape_dtype_and_untouched_argument(dtype, rows):
    task = brief()
    x = draws(task, rows).to(dtype)
    before = x.clone()
    y = task.simulate(x)
    assert y.shape == (rows, 32) and y.dtype == dtype and torch.equal(x, before)
    assert torch.equal(y, task.simulate(x.double()).to(dtype))


def test_the_order_of_rows_does_not_matter():
    task = brief()
    x, order = draws(task, 5), torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(task.simulate(x[order]), task.simulate(x)[order], rtol=1e-11)


def test_spaces():
    task = IncompressibleFlow()
    assert [v.name for v in task.designs.variables] == ["x1", "y1", "x2", "y2", "s1", "s2"]
    assert {v.prior for v in task.designs.variables[:4]} == {Uniform(low=0.2, high=0.8)}
    assert {v.prior for v in task.designs.variables[4:]} == {Uniform(low=-1.5, high=1.5)}
    assert task.responses.dim == 32 and task.sensors[1].tolist() == [0.125, 0.375]
    assert not task.context_shapes and task.reference == "bfgs" and task.differentiable
    with pytest.raises(ShapeError, match="expected"):
        task.simulate(torch.ones(2, 5))


def test_noise_is_in_what_is_measured_alone():
    quiet, loud = brief(), brief(noise=0.1)
    x = draws(quiet, 20)
    y = loud.simulate(x)
    assert torch.equal(y, quiet.simulate(x))
    assert quiet.observe(y, generator(0)) is y and quiet.noise_floor == 0
    noise = loud.observe(y, generator(0)) - y
    assert loud.noise_floor == pytest.approx(0.01)
    assert noise.square().mean().item() == pytest.approx(0.01, rel=0.15)
    assert torch.equal(loud.observe(y, generator(0)) - y, noise)


@pytest.mark.parametrize("data", [{"grid": 20}, {"steps": 0}, {"noise": -1.0}, {"radius": 0.0}])
def test_bad_config(data):
    with pytest.raises(ValueError, match="field"):
        IncompressibleFlowConfig.parse(data)


def test_the_picture():
    task, axes = brief(), Figure().add_subplot()
    x = draws(task, 3)
    y = task.simulate(x)
    target = y[2].clone()
    y[0] = torch.nan
    assert task.draw(axes, target, x, y)
    axes.figure.canvas.draw()
    wanted, best = axes.collections
    assert wanted.get_label() == "wanted" and best.get_label() == "best candidate"
    assert np.allclose(np.concatenate([wanted.U, wanted.V]), target)
    assert np.allclose(np.concatenate([best.U, best.V]), y[1])
    solver, _, late = task.vorticity(x[1:2])
    assert np.allclose(axes.images[0].get_array(), solver.values(late)[0].mT)
    bare = Figure().add_subplot()
    assert task.draw(bare, target, x, torch.full_like(y, torch.nan))
    assert len(bare.collections) == 1 and not bare.images


def test_the_landscape():
    """Where the target's design is among the points, the error is zero."""
    task, axes = brief(), Figure().add_subplot()
    x = draws(task, 1)[0]
    x[[0, 5]] = torch.tensor([0.62, -0.6], dtype=torch.float64)  # quantiles 0.7 and 0.3
    target = task.simulate(x[None])[0]
    assert draw_landscape(axes, task, target, across=(0, 5), centre=x, truth=x, points=5)
    mesh = axes.collections[0]
    corners = mesh.get_coordinates().data  # of the cells; variables by their columns and rows
    first, second = (corners[0, 1:] + corners[0, :-1]) / 2, (corners[1:, 0] + corners[:-1, 0]) / 2
    assert first[:, 0].tolist() == pytest.approx([0.26, 0.38, 0.5, 0.62, 0.74])
    assert second[:, 1].tolist() == pytest.approx([-1.2, -0.6, 0, 0.6, 1.2], abs=1e-12)
    error = 10 ** mesh.get_array()
    elsewhere = x.clone()
    elsewhere[[0, 5]] = torch.tensor([0.38, 1.2], dtype=torch.float64)
    wanted = (task.simulate(elsewhere[None])[0] - target).square().mean()
    assert error.argmin() == 5 * 1 + 3 and error.shape == (5, 5)
    assert error[4, 1] == pytest.approx(float(wanted))
    axes.figure.canvas.draw()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x1 (side)", "s2 (side²/time)")


def test_the_enstrophy_is_the_mean_square_on_the_grid():
    solver = FlowSolver(24, 1e-3)
    noise = torch.randn(3, 24, 24, generator=generator(0, "noise"), dtype=torch.float64)
    vorticity = solver.modes(noise)
    expected = solver.values(vorticity).square().mean(dim=(1, 2))
    torch.testing.assert_close(solver.enstrophy(vorticity), expected)
