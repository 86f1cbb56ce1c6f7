"""What holds for all tasks, and for the plugin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from invcore_classic.arm_obstacles import RoboticArmObstacles
from invcore_classic.ballistics import Ballistics, landing_position
from invcore_classic.plugin import invcore_tasks
from invcore_classic.robotic_arm import RoboticArm, hand_position
from invcore_classic.sine_wave import SineWave, sine_wave
from torch import Tensor

from invcore import ClippedNormal, Normal, Poisson, Uniform
from invcore.plugin import Task, generator

TASKS = {
    "sine-wave": SineWave, "robotic-arm": RoboticArm, "robotic-arm-obstacles": RoboticArmObstacles,
    "ballistics": Ballistics,
}  # fmt: skip
MATHS = [(SineWave, sine_wave), (RoboticArm, hand_position), (Ballistics, landing_position)]
each_task = pytest.mark.parametrize("task_class", TASKS.values())


def test_plugin_names_and_targets() -> None:
    parts = {part.name: part for part in invcore_tasks()}
    assert {name: part.load() for name, part in parts.items()} == TASKS
    assert all(part.references and part.tags for part in parts.values())


def test_plugin_module_imports_no_torch() -> None:
    code = (
        "import invcore_classic.plugin as p, sys; p.invcore_tasks(); print('torch', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split().count("torch") == 1  # the printed word alone


@each_task
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_shape_dtype_and_untouched_argument(
    task_class: type[Task[Any]], dtype: torch.dtype, rows: int
) -> None:
    task = task_class()
    x = task.designs.sample(rows, generator(0, "shape")).to(dtype)
    before = x.clone()
    y = task.simulate(x)
    assert y.shape == (rows, task.responses.dim)
    assert y.dtype == dtype
    assert torch.equal(x, before)


@each_task
def test_float32_is_computed_in_float64(task_class: type[Task[Any]]) -> None:
    task = task_class()
    x = task.designs.sample(1000, generator(0, "narrow")).float()
    torch.testing.assert_close(task.simulate(x), task.simulate(x.double()).float(), rtol=0, atol=0)


@each_task
def test_wrong_number_of_columns(task_class: type[Task[Any]]) -> None:
    with pytest.raises(ValueError, match="expected"):
        task_class().simulate(torch.zeros(2, 9))


@each_task
def test_every_prior_draw_has_a_response(task_class: type[Task[Any]]) -> None:
    task = task_class()
    x = task.designs.sample(20_000, generator(0, "prior"))
    assert task.simulate(x).isfinite().all()
    pairs = task.pairs(50, generator(0, "pairs"))
    torch.testing.assert_close(task.simulate(pairs.x), pairs.y, rtol=0, atol=0)


@each_task
def test_a_million_rows_and_rows_do_not_mix(task_class: type[Task[Any]]) -> None:
    task = task_class()
    x = task.designs.sample(1000, generator(0, "many"))
    y = task.simulate(x.repeat(1000, 1))
    assert torch.allclose(y.view(1000, 1000, -1), task.simulate(x), rtol=1e-12, atol=1e-12)
    assert task.free_calls and task.differentiable


# torch's own forward mode calls what torch has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
@pytest.mark.parametrize(("task_class", "maths"), MATHS)
def test_torch_func(task_class: type[Task[Any]], maths: Callable[[Tensor], Tensor]) -> None:
    x = task_class().designs.sample(6, generator(0, "func"))
    assert torch.allclose(torch.vmap(maths)(x), maths(x))
    v = torch.ones_like(x)
    _, forward = torch.func.jvp(maths, (x,), (v,))
    reverse = torch.vmap(torch.func.jacrev(maths))(x)  # (6, Dy, Dx)
    assert torch.allclose(forward, reverse @ torch.ones(x.shape[1], dtype=x.dtype))
    wanted = torch.autograd.functional.jacobian(lambda z: maths(z).sum(0), x).movedim(1, 0)
    assert torch.allclose(reverse, wanted)
    twice = torch.vmap(torch.func.jacfwd(torch.func.jacrev(maths)))(x)
    assert torch.allclose(twice, torch.vmap(torch.func.jacrev(torch.func.jacrev(maths)))(x))


def test_priors_are_the_papers() -> None:
    assert [v.prior for v in SineWave.designs.variables] == [Uniform(low=-1.0, high=1.0)] * 2
    stds = [Normal(mean=0.0, std=s) for s in (0.25, 0.5, 0.5, 0.5)]
    assert [v.prior for v in RoboticArm.designs.variables] == stds
    start, height, angle, speed = (v.prior for v in Ballistics().designs.variables)
    assert start == Normal(mean=0.0, std=0.5)
    assert height == ClippedNormal(mean=1.5, std=0.5, low=0.0)
    assert speed == Poisson(rate=15.0)
    assert isinstance(angle, Uniform)
    degrees = torch.rad2deg(torch.tensor([angle.low, angle.high], dtype=torch.float64))
    assert degrees.tolist() == pytest.approx([9.0, 81.0])
