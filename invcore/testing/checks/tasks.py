"""Checks of tasks: a forward system that keeps to its spaces."""

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from invcore.base.seeding import generator
from invcore.base.types import Context
from invcore.contracts.simulation.simulator import Simulator
from invcore.contracts.task import Task
from invcore.data.pairs import rows_of
from invcore.spaces.space import Space
from invcore.testing.cases.comparison import same, unchanged, untouched_generators
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.problems import EDGE
from invcore.testing.check import NotApplicable, only_if, require

_ROWS, _MANY = 48, 256


def check_spaces(subject: Subject) -> None:
    """Designs and responses are Spaces; each design variable has a prior."""
    task = _task(subject)
    require(isinstance(task.designs, Space), "designs is no Space")
    require(isinstance(task.responses, Space), "responses is no Space")
    bare = [v.name for v in task.designs.variables if v.prior is None]
    require(not bare, f"design variables without a prior: {', '.join(bare)}")
    require(isinstance(task.differentiable, bool), "differentiable is neither True nor False")
    require(isinstance(task.stochastic, bool), "stochastic is neither True nor False")


def check_response_shape(subject: Subject) -> None:
    """(N, Dx) designs give (N, Dy) responses, N = 1 too."""
    task = _task(subject)
    for count in (1, 2, _ROWS):
        y = task.simulate(*_draw(task, count))
        expected = (count, task.responses.dim)
        require(tuple(y.shape) == expected, f"N = {count}: {tuple(y.shape)}, expected {expected}")


def check_arguments_unchanged(subject: Subject) -> None:
    """Designs and contexts are as before."""
    task, x, context = _drawn(subject, _MANY)
    with unchanged("simulate", designs=x, **(context or {})):
        task.simulate(x, context)


def check_dtype(subject: Subject) -> None:
    """Responses have the designs' type: float32 and float64."""
    task, x, context = _drawn(subject)
    for dtype in (torch.float32, torch.float64):
        y = task.simulate(x.to(dtype), context)
        require(y.dtype == dtype, f"{dtype} designs give {y.dtype} responses")


def check_cuda(subject: Subject) -> None:
    """Designs on a CUDA device give responses there, equal to those on the CPU."""
    only_if(torch.cuda.is_available(), "no CUDA device here")
    task, x, context = _drawn(subject)
    there = context and {name: values.cuda() for name, values in context.items()}
    y = task.simulate(x.cuda(), there)
    require(y.is_cuda, f"designs on CUDA give responses on {y.device}")
    require(_close(y.cpu(), task.simulate(x, context)), "CUDA and CPU give different responses")


def check_repeats(subject: Subject) -> None:
    """The same designs give the same responses again; no random numbers are drawn."""
    task, x, context = _drawn(subject)
    with untouched_generators("simulate"):
        first = task.simulate(x, context)
    require(same(first, task.simulate(x, context)), "the same designs give other responses")
    again = _task(subject).simulate(x, context)
    require(same(first, again), "a task built again gives other responses")


def check_rows_independent(subject: Subject) -> None:
    """A design's response does not depend on the other designs, nor on its place among them."""
    task, x, context = _drawn(subject)
    y = task.simulate(x, context)
    order = torch.randperm(_ROWS, generator=generator(0, "kit-order"))
    for how, rows in (("in another order", order), ("without the others", slice(_ROWS // 2))):
        again = task.simulate(x[rows], rows_of(context, rows))
        require(_close(again, y[rows]), f"{how}, designs respond otherwise")


def check_missing_responses(subject: Subject) -> None:
    """A response that is missing or unknown is NaN, nothing is infinite, and some are known."""
    task, x, context = _drawn(subject, _MANY + 2)
    faces = torch.tensor([[EDGE], [1 - EDGE]], dtype=torch.float64).repeat(1, task.designs.dim)
    y = task.simulate(torch.cat([x[:_MANY], task.designs.from_unit(faces)]), context)
    require(not y.isinf().any(), "a response is infinite; say NaN where there is none")
    whole = ~y.isnan().any(dim=1)
    require(whole.any(), "no design drawn from the prior has all responses")


def check_gradient(subject: Subject) -> None:
    """If ``differentiable``, gradients agree with finite differences in float64."""
    task = _task(subject)
    only_if(task.differentiable, "the task says differentiable = False")
    designs, free = task.designs, (~task.designs.whole).nonzero().flatten()
    only_if(len(free) > 0, "all design variables are whole numbers")
    unit = torch.rand(24, designs.dim, generator=generator(0, "kit-gradient")).double()
    x, context = designs.from_unit(0.1 + 0.8 * unit), _draw(task, 24)[1]
    rows = task.simulate(x, context).isfinite().all(dim=1)
    x, context = x[rows], rows_of(context, rows)
    quarters = designs.from_unit(torch.tensor([[0.25], [0.75]]).double().repeat(1, designs.dim))
    step = 1e-6 * quarters.diff(dim=0)[0].abs().clamp(min=1e-12)  # (Dx,)
    if designs.constraints:  # which may have moved the quarters together
        step = 0.5e-6 * designs.layout.width
    leaf = x.clone().requires_grad_(True)
    y = task.simulate(leaf, context)
    require(y.requires_grad, "differentiable is True, but responses carry no gradient")
    bad = torch.zeros(len(x), dtype=torch.bool)
    scale = torch.linspace(1.0, 2.0, y.shape[1], dtype=torch.float64)
    scale = scale / y.detach().std(dim=0).clamp(min=1e-30)
    (gradient,) = torch.autograd.grad((y * scale).sum(), leaf)
    for i in free.tolist():
        move = torch.zeros_like(x)
        move[:, i] = step[i]
        ahead, behind = task.simulate(x + move, context), task.simulate(x - move, context)
        numeric = ((ahead - behind) * scale).sum(dim=1) / (2 * step[i])
        slack = 1e-3 * numeric.abs() + 1e-4 / (1e6 * step[i])
        bad |= ~((gradient[:, i] - numeric).abs() <= slack)
    share = float(bad.double().mean())
    # A few designs may sit at a kink.
    require(share <= 0.15, f"at {share:.0%} of the designs the gradient is not the slope")


def check_pairs(subject: Subject) -> None:
    """``pairs`` gives as many finite, allowed pairs as asked for; its generator decides which."""
    task = _task(subject)
    with untouched_generators("pairs"):
        first = task.pairs(_MANY, generator(3))
    again, other = task.pairs(_MANY, generator(3)), task.pairs(_MANY, generator(4))
    require(len(first) == _MANY, f"{_MANY} pairs asked for, {len(first)} given")
    require(first.x.dtype == first.y.dtype == torch.float64, "pairs are not float64")
    known = first.y.isfinite().any(dim=1)
    require(known.all() and not first.y.isinf().any(), "a pair has no finite response")
    require(task.designs.contains(first.x).all(), "a pair's design is out of bounds")
    require(same(first.x, again.x) and same(first.y, again.y), "equal generators give other pairs")
    require(not same(first.x, other.x), "another generator gives the same pairs")
    answered = task.simulate(first.x, first.context)
    require(_close(answered, first.y), "a pair's response is not what simulate gives")


def check_dataset(subject: Subject) -> None:
    """``dataset`` has the sizes asked for, one draw a seed, and no design in two splits."""
    task = _task(subject)
    first, again, other = (task.dataset(100, 20, seed) for seed in (0, 0, 1))
    sizes = len(first.train) + len(first.val), len(first.test)
    require(sizes == (100, 20), f"100 pairs and 20 targets asked for, {sizes} given")
    require(len(first.val) >= 10, f"{len(first.val)} of 100 pairs are for validation")
    for part in ("train", "val", "test"):
        one, two, three = (getattr(splits, part) for splits in (first, again, other))
        require(same(one.x, two.x) and same(one.y, two.y), f"{part}: one seed, two draws")
        require(not same(one.x, three.x), f"{part}: two seeds, one draw")
    levels = task.designs.layout.levels
    if all(bool(whole) or i in levels for i, whole in enumerate(task.designs.whole)):
        return  # so few designs may exist that two splits must share some
    rows = [set(map(tuple, s.x.tolist())) for s in (first.train, first.val, first.test)]
    shared = sum(len(one & two) for one, two in combinations(rows, 2))
    require(shared == 0, f"{shared} designs are in two splits")


def check_unit_cube(subject: Subject) -> None:
    """Designs map to the unit cube and back."""
    task, x, _ = _drawn(subject)
    unit = task.designs.to_unit(x)
    require(((unit >= 0) & (unit <= 1)).all(), "to_unit leaves the unit cube")
    if not task.designs.tied.any():  # else the map is onto what is allowed, and has no inverse
        require(_close(task.designs.from_unit(unit), x), "there and back, a design is another")
    require(task.designs.contains(x).all(), "the prior draws designs that are not allowed")


def check_contexts(subject: Subject) -> None:
    """``contexts`` gives the tensors that ``context_shapes`` announces, and they matter."""
    task = _task(subject)
    shapes = {name: tuple(shape) for name, shape in task.context_shapes.items()}
    first = task.contexts(_ROWS, generator(5))
    sizes = {name: tuple(values.shape) for name, values in (first or {}).items()}
    expected = {name: (_ROWS, *shape) for name, shape in shapes.items()}
    require(sizes == expected, f"contexts gives {sizes}, context_shapes says {expected}")
    if first is None:
        raise NotApplicable("problems differ by their targets alone")
    other = task.contexts(_ROWS, generator(6)) or {}
    for name, values in first.items():
        require(values.dtype == torch.float64, f"context {name!r} is {values.dtype}, no float64")
        require(values.isfinite().all(), f"context {name!r} is not finite")
    again = task.contexts(_ROWS, generator(5)) or {}
    require(all(same(first[n], again[n]) for n in shapes), "equal generators give other contexts")
    require(any(not same(first[n], other[n]) for n in shapes), "all contexts are one draw")
    x = task.designs.sample(_ROWS, generator(11, "kit-designs"))
    require(not same(task.simulate(x, first), task.simulate(x, other)), "contexts do nothing")


def check_measured(subject: Subject) -> None:
    """``observe`` keeps shape and type, leaves its argument, and adds as much as it says."""
    task, x, context = _drawn(subject, _MANY)
    y = task.simulate(x, context)
    y = y[y.isfinite().all(dim=1)]
    with unchanged("observe", responses=y):
        noisy = task.observe(y, generator(3))
    require(noisy.shape == y.shape and noisy.dtype == y.dtype, "observe changes shape or type")
    require(same(noisy, task.observe(y, generator(3))), "equal generators measure otherwise")
    added = float((noisy - y).square().mean())
    floor = task.noise_floor
    fault = f"observe adds {added:.3g} in the mean square, noise_floor says {floor:.3g}"
    require(abs(added - floor) <= 0.3 * floor + 1e-300, fault)


def check_counted(subject: Subject) -> None:
    """The simulator that methods get works on this task: counted, in the right shape."""
    task, x, context = _drawn(subject)
    made = int(task.feasible(x, context).sum())  # those that cannot be made are not simulated
    simulator = Simulator(task)
    y = simulator(x, context)
    require(simulator.calls == made, f"{made} designs were counted as {simulator.calls} calls")
    require(tuple(y.shape) == (_ROWS, task.responses.dim), f"shape {tuple(y.shape)}")
    require(task.gradient_calls >= 1, "gradient_calls is below 1: a gradient is never free")


def _task(subject: Subject) -> Task[Any]:
    task = subject.build()
    require(isinstance(task, Task), f"{subject.name} is no Task")
    return task


def _draw(task: Task[Any], count: int) -> tuple[Tensor, Context | None]:
    x = task.designs.sample(count, generator(11, "kit-designs"))
    return x, task.contexts(count, generator(11, "kit-contexts"))


def _drawn(subject: Subject, count: int = _ROWS) -> tuple[Task[Any], Tensor, Context | None]:
    """The task, designs of its prior, and as many contexts."""
    task = _task(subject)
    return (task, *_draw(task, count))


def _close(a: Tensor, b: Tensor) -> bool:
    """Equal up to what the order of a sum does."""
    tiny = 1e-9 * float(b.nan_to_num().abs().amax())
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-7, atol=tiny, equal_nan=True)
