"""Networks trained on the problems at hand, through the simulator."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from invcore_optimisers import Evaluator
from torch import Tensor

from invcore.plugin import isolated
from invcore_jpo.config import JointConfig
from invcore_jpo.network import Networks


@dataclass(frozen=True)
class Joint:
    """What the networks found.

    Args:
        z: (B, D), the best point of each problem on the way.
        value: (B,), its value.
    """

    z: Tensor
    value: Tensor


def train_jointly(
    evaluator: Evaluator,
    inputs: Tensor,
    dim: int,
    config: JointConfig,
    seed: int,
    *,
    advance: Callable[[], None] = lambda: None,
) -> Joint:
    """Train networks N on the sum of their problems' values, f_i(N(input_i)).

    Problems share a network with those that stand beside them. Each step asks for one value and
    one gradient of each problem that it draws; the best point of each problem is kept, so that a
    step that spoils one costs it nothing.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119, section 3.

    Args:
        evaluator: values (M,) and gradients (M, D) of points, by the numbers of their problems.
        inputs: (B, I), a network's inputs for each problem; on the networks' device.
        dim: D.
        config: how.
        seed: of the weights, and of the batches.
        advance: called after each step.

    Example:
        >>> valley = Evaluator(lambda z, rows: (z - rows[:, None]).square().sum(1), 1000)
        >>> numbers = torch.arange(4.0)[:, None]
        >>> config = JointConfig(steps=300, lr=1e-2)
        >>> joint = train_jointly(valley, numbers, 1, config, 0)
        >>> bool((joint.z - numbers).abs().max() < 0.1)
        True
    """
    problems = len(inputs)
    size = min(config.joint or problems, problems)
    groups = -(-problems // size)
    places = torch.arange(groups * size, device=inputs.device)
    own = (places < problems).view(groups, size)  # the last network may have fewer problems
    places = places.clamp(max=problems - 1).view(groups, size)
    with isolated(seed):
        networks = Networks(config.network, groups, inputs.shape[1], dim).to(inputs.device)
    networks.spread_over(inputs[places], own, config.network.spread)
    draws = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(networks.parameters(), lr=config.lr, fused=True)
    best = torch.full((problems,), torch.inf, dtype=torch.float64)
    points = torch.zeros(problems, dim, dtype=torch.float64)
    for step in range(config.steps):
        rows, counted = _batch(places, own, config.batch, draws)
        z = networks(inputs[rows])  # (G, n, D)
        flat, numbers = z[counted], rows[counted]
        # Points of searches are float64 on the CPU, wherever the simulator works
        proposals, numbers = flat.detach().cpu().double(), numbers.cpu()
        value, slope = evaluator(proposals, numbers)
        better = value < best[numbers]
        best[numbers[better]] = value[better]
        points[numbers[better]] = proposals[better]
        optimiser.zero_grad(set_to_none=True)
        flat.backward(_clipped(slope, config.clip_problem).to(flat))
        if config.clip:
            networks.clip(config.clip)
        for group in optimiser.param_groups:
            group["lr"] = config.lr * _rate(config, step)
        optimiser.step()
        advance()
    return Joint(points, best)


def _batch(
    places: Tensor, own: Tensor, batch: int, draws: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The problems (G, n) of one step, and which of them count."""
    if not batch or batch >= places.shape[1]:
        return places, own
    order = torch.rand(places.shape, generator=draws).to(places.device)
    order = torch.where(own, order, 2.0).argsort(dim=1)[:, :batch]
    return places.gather(1, order), own.gather(1, order)


def _clipped(slope: Tensor, norm: float) -> Tensor:
    """Gradients (M, D), none longer than the norm; 0 clips none."""
    if not norm:
        return slope
    length = slope.norm(dim=1, keepdim=True).clamp(min=1e-30)
    return slope * (norm / length).clamp(max=1.0)


def _rate(config: JointConfig, step: int) -> float:
    if config.schedule == "constant":
        return 1.0
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * step / config.steps))
