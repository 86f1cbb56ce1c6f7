"""What holds for both tasks, and for the plugin."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from invcore_optics.mie import scattering_efficiency
from invcore_optics.nanoshell import Nanoshell, NanoshellConfig, shell_wavelengths, titania
from invcore_optics.plugin import invcore_tasks
from invcore_optics.thin_film import ThinFilm
from matplotlib.figure import Figure

from invcore import ShapeError, Uniform
from invcore.plugin import generator

TASKS = [ThinFilm, Nanoshell]
each_task = pytest.mark.parametrize("task_class", TASKS)


def draws(task, rows):
    return task.designs.sample(rows, generator(0, "optics"))


def test_plugin_names_and_targets():
    parts = {part.name: part for part in invcore_tasks()}
    assert [parts[n].load() for n in ("thin-film", "nanoshell")] == TASKS
    assert all(part.references and part.tags for part in parts.values())


def test_plugin_module_imports_no_torch():
    code = "import invcore_optics.plugin as p, sys; p.invcore_tasks(); print('torch', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split().count("torch") == 1  # the printed word alone


def test_sizes_and_priors():
    assert (ThinFilm.designs.dim, ThinFilm.responses.dim) == (5, 256)
    assert (Nanoshell.designs.dim, Nanoshell.responses.dim) == (8, 201)
    assert {v.prior for v in ThinFilm.designs.variables} == {Uniform(low=5.0, high=50.0)}
    assert {v.prior for v in Nanoshell.designs.variables} == {Uniform(low=30.0, high=70.0)}
    assert Nanoshell.designs.variables[1].description == "thickness of shell 2, TiO2"


@each_task
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shape_dtype_and_untouched_argument(task_class, dtype, rows):
    task = task_class()
    x = draws(task, rows).to(dtype)
    before = x.clone()
    y = task.simulate(x)
    assert y.shape == (rows, task.responses.dim) and y.dtype == dtype
    assert torch.equal(x, before)
    assert torch.allclose(y, task.simulate(x.double()).to(dtype), rtol=1e-7)


@each_task
@pytest.mark.parametrize("columns", [0, 4, 9])
def test_wrong_number_of_columns(task_class, columns):
    with pytest.raises(ShapeError, match="expected"):
        task_class().simulate(torch.ones(2, columns))


@each_task
def test_chunks_do_not_show(task_class, monkeypatch):
    """Neither in responses nor in gradients."""
    task, module = task_class(), sys.modules[task_class.__module__]
    x = draws(task, 5)

    def answers():
        leaf = x.clone().requires_grad_()
        y = task.simulate(leaf)
        (slope,) = torch.autograd.grad(y.square().sum(), leaf)
        return y.detach(), slope

    monkeypatch.setattr(module, "_ROWS", 2)
    some = answers()
    monkeypatch.setattr(module, "_ROWS", 100)
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(some, answers(), strict=True))


@each_task
def test_the_picture(task_class):
    task, axes = task_class(), Figure().add_subplot()
    x = draws(task, 9)
    y = task.simulate(x)
    y[4] = torch.nan
    target = y[0] + 0.01
    assert task.draw(axes, target, x, y)
    axes.figure.canvas.draw()
    shown = {line.get_label(): torch.tensor(line.get_ydata()) for line in axes.lines}
    assert len(axes.lines) == 6
    assert torch.equal(shown["wanted"], target) and torch.equal(shown["best candidate"], y[0])
    assert torch.equal(shown["next 4 of 9"], y[1])
    assert axes.get_xlabel() == "wavelength (nm)" and axes.get_ylabel()
    assert all((line.get_xdata()[1:] > line.get_xdata()[:-1]).all() for line in axes.lines)


def test_a_picture_without_candidates():
    task, axes = ThinFilm(), Figure().add_subplot()
    y = task.simulate(draws(task, 1))
    assert task.draw(axes, y[0], draws(task, 1), torch.full_like(y, torch.nan))
    assert [line.get_label() for line in axes.lines] == ["wanted"]


def test_titania():
    """Devore's rutile at 589.3 nm has the ordinary index 2.613."""
    assert titania(torch.tensor(589.3)).sqrt().item() == pytest.approx(2.613, abs=2e-3)


def test_settings_of_the_nanoshell():
    x = draws(Nanoshell(), 2)
    both = [Nanoshell(NanoshellConfig(silica=p, water=2.04)).simulate(x) for p in (1.0, 2.04)]
    inside = torch.full((201,), 2.04, dtype=torch.float64), titania(shell_wavelengths())
    wanted = scattering_efficiency(x, shell_wavelengths(), list(inside) * 4, medium=2.04)
    assert torch.allclose(both[1], wanted, rtol=1e-12)
    assert (both[0] - wanted).abs().mean() > 0.1


@pytest.mark.parametrize("data", [{"silica": 0.5}, {"water": 9.0}, {"titania": 6.0}])
def test_bad_config(data):
    with pytest.raises(ValueError, match="field"):
        NanoshellConfig.parse(data)
