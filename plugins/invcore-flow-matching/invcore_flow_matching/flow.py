"""The flow along a network's velocities: its loss, its designs, its density."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from invcore_flow_matching.config import DensityConfig
from invcore_flow_matching.network import VelocityNetwork, spread

_SEED = 0  # of the probes, which are the same for every design: a density is a function


def matching_loss(
    network: VelocityNetwork, x: Tensor, conditions: Tensor, power: float,
    generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """Mean squared error of what the network tells of velocities, weighted by q: a number.

    Args:
        network: of velocities.
        x: designs' coordinates (N, F).
        conditions: (N, Dy + C + Dy), see ``VelocityNetwork.embedded``.
        power: of even numbers, which makes times of them.
        generator: of the noise and the times.
    """
    z = torch.randn(x.shape, generator=generator).to(x)
    even = (torch.arange(len(x))[:, None] + torch.rand(len(x), 1, generator=generator)) / len(x)
    s = even.to(x) ** power
    q = spread(s)
    at = (1 - s) * x + s * z
    wanted = q.sqrt() * (x - z) - (1 - 2 * s) / q.sqrt() * at
    return (network(at, s, network.embedded(conditions)) - wanted).square().mean()


def hidden_in_part(
    conditions: Tensor, responses: int, share: float, generator: torch.Generator
) -> Tensor:
    """Conditions (N, Dy + C + Dy) of which some rows lack some responses, though never all.

    Args:
        conditions: see ``VelocityNetwork.embedded``.
        responses: Dy.
        share: of the rows that lack some; how many they lack is even from one to all but one.
        generator: draws which.
    """
    if responses < 2 or not share:
        return conditions
    count = len(conditions)
    numbers = torch.rand(count, responses + 2, generator=generator).to(conditions)
    order = numbers[:, 2:].argsort(dim=1).argsort(dim=1)
    lacking = 1 + (numbers[:, :1] * (responses - 1)).floor()
    hidden = (order < lacking) & (numbers[:, 1:2] < share)
    before = conditions[:, -responses:]
    known = torch.where(hidden, 0.0, before)
    known = torch.where((known > 0).any(dim=1, keepdim=True), known, before)
    return torch.cat([conditions[:, :-responses], known], dim=1)


def designs_of(
    network: VelocityNetwork, z: Tensor, embedded: Tensor, steps: int, power: float
) -> Tensor:
    """Coordinates (N, F) where noise z (N, F) is carried to.

    A velocity tells of a point which design is expected at the end of its way. Were that the same
    all the way, a step could be made exactly; it is continued from the step before, linearly in
    log((1 - s) / s). So a step takes one evaluation of the network, and its error is of the second
    order.

    References:
        Lu, Zhou, Bao, Chen, Li, Zhu, DPM-Solver++, Machine Intelligence Research 22, 2025,
        https://arxiv.org/abs/2211.01095, algorithm 2.

    Args:
        network: of velocities.
        z: normal noise.
        embedded: conditions (N, width).
        steps: evaluations of the network.
        power: the times are it of even ones.
    """
    x, before, last = z, z, math.inf
    for now, then in pairwise(_times(steps, power).flip(0).tolist()):
        expected = x + now * network.velocity(x, _at(now, x), embedded)
        length = (
            math.inf if now == 1 or then == 0 else math.log(now / (1 - now) * (1 - then) / then)
        )
        slope = 0.5 * length / last if math.isfinite(length) else 0.0
        end = expected + slope * (expected - before)
        x = then / now * x + ((1 - then) - (1 - now) * then / now) * end
        before, last = expected, length
    return x


def log_density(
    network: VelocityNetwork, x: Tensor, embedded: Tensor, config: DensityConfig, power: float
) -> Tensor:
    """Log density in nats (N,) of coordinates x (N, F): along the way back to the noise, it falls
    by the velocities' divergence.

    References:
        Grathwohl, Chen, Bettencourt, Sutskever, Duvenaud, FFJORD, ICLR 2019,
        https://arxiv.org/abs/1810.01367.

    Args:
        network: of velocities, frozen.
        x: coordinates.
        embedded: conditions (N, width).
        config: steps, and how the divergence is computed.
        power: the times are it of even ones.
    """
    probes = _probes(x.shape[1], config).to(x)

    def change(state: Tensor, s: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = state[:, :-1].detach().requires_grad_(True)
            speed = network.velocity(leaf, s, embedded)
            total = torch.zeros_like(state[:, -1])
            for number, probe in enumerate(probes):
                again = number + 1 < len(probes)
                (slope,) = torch.autograd.grad((speed @ probe).sum(), leaf, retain_graph=again)
                total = total + slope @ probe
        return -torch.cat([speed.detach(), total[:, None]], dim=1)

    start = torch.cat([x, torch.zeros_like(x[:, :1])], dim=1)
    end = _integral(change, start, _times(config.steps, power))
    z, grown = end[:, :-1], end[:, -1]
    return grown - 0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)


def _probes(features: int, config: DensityConfig) -> Tensor:
    """Directions (P, F): all axes, or random signs whose squares have a mean of one over P."""
    if features <= config.exact:
        return torch.eye(features)
    source = torch.Generator().manual_seed(_SEED)
    signs = torch.randint(2, (config.probes, features), generator=source) * 2.0 - 1.0
    return signs / config.probes**0.5


def _times(steps: int, power: float) -> Tensor:
    """From the design (0) to the noise (1): (steps + 1,)."""
    return torch.linspace(0, 1, steps + 1, dtype=torch.float64) ** power


def _integral(change: Callable[[Tensor, Tensor], Tensor], state: Tensor, times: Tensor) -> Tensor:
    """The state at the last time, from that at the first, by Heun's rule."""
    for now, then in pairwise(times.tolist()):
        before = change(state, _at(now, state))
        after = change(state + (then - now) * before, _at(then, state))
        state = state + 0.5 * (then - now) * (before + after)
    return state


def _at(time: float, like: Tensor) -> Tensor:
    """One time for all points: (1, 1)."""
    return torch.full((1, 1), time).to(like)
