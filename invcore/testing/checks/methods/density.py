"""Checks of methods: a density is one, and that of the candidates."""

from dataclasses import replace

import torch
from torch import Tensor

from invcore.base.seeding import generator
from invcore.contracts.problem import Targets
from invcore.spaces.space import Space
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.check import only_if

_DRAWS = 6000  # of each of the two parts that designs are drawn from
_WIDTH = 0.03  # of a candidate's neighbourhood, as a part of the bounds
_TOLERANCE = 0.1


def check_density(subject: MethodSubject) -> None:
    """log_density integrates to one over the designs, and is higher where candidates are."""
    question = subject.ask("bowl", 3, 200)
    x = question.designs()
    has_density = question.log_density(x[:, 0]) is not None
    only_if(has_density, "log_density gives None: the model has no density")
    _integrates(question, x)
    own = _typical(question, x)
    others = _typical(replace(question, targets=Targets(question.targets.y.roll(1, 0))), x)
    fault = f"candidates have log-densities of {own:.3g} for their targets"
    question.require(own > others, f"{fault}, of {others:.3g} for others: is the target used?")
    drawn = question.case.train.x[:200].expand(len(x), -1, -1)
    prior = _typical(question, drawn)
    question.require(own > prior, f"{fault}, designs of the prior of {prior:.3g}: is it theirs?")


def _integrates(question: Question, x: Tensor) -> None:
    """Integrals by importance sampling: inside the bounds, and far beyond them.

    Half of the designs are uniform in the bounds three times as wide, half are near candidates,
    which finds narrow ridges. Beyond the bounds, where no design is, a density may be anything:
    so what it is inside must not be above one, and what it is in all not below.
    """
    space = question.case.task.designs
    for number, candidates in enumerate(x):
        drawn, density = _drawn(space, candidates)
        row = question.rows(slice(number, number + 1))
        many = replace(row, targets=Targets(row.targets.y.expand(len(drawn), -1)))
        log_density = many.log_density(drawn)
        assert log_density is not None
        ratio = log_density.detach().cpu().double().exp().nan_to_num(0.0) / density
        inside = torch.where(space.contains(drawn), ratio, 0.0)
        doubt = [3 * float(part.std()) / len(part) ** 0.5 for part in (inside, ratio)]
        remedy = "is the Jacobian of the scaling, or a constant, left out?"
        total, whole = float(inside.mean()), float(ratio.mean())
        fault = f"exp(log_density) integrates to {total:.3g} over the allowed designs, expected 1"
        question.require(total <= 1 + _TOLERANCE + doubt[0], f"{fault} at most: {remedy}")
        fault = f"exp(log_density) integrates to {whole:.3g} over all designs, expected 1"
        question.require(whole >= 1 - _TOLERANCE - doubt[1], f"{fault}: {remedy}")


def _drawn(space: Space, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Designs (N, Dx), and the density of what they are drawn from (N,)."""
    source, width = generator(0, "kit-density"), space.high - space.low
    shape = (_DRAWS, space.dim)
    flat = torch.rand(shape, generator=source, dtype=torch.float64)
    normal = torch.randn(shape, generator=source, dtype=torch.float64)
    rows = torch.randint(len(candidates), (_DRAWS,), generator=source)
    near = candidates[rows] + _WIDTH * width * normal
    x = torch.cat([space.low - width + 3 * width * flat, near])
    gaps = (x[:, None] - candidates) / (_WIDTH * width)  # (N, K, Dx)
    peak = (2 * torch.pi) ** (-0.5 * space.dim) / (_WIDTH * width).prod()
    of_near = peak * (-0.5 * gaps.square().sum(dim=2)).exp().mean(dim=1)
    beyond = ((x - space.low + width) / (3 * width) - 0.5).abs().amax(dim=1) > 0.5
    of_flat = torch.where(beyond, 0.0, 1 / (3 * width).prod())
    return x, 0.5 * (of_flat + of_near)


def _typical(question: Question, x: Tensor) -> float:
    """The median log-density of designs (B, K, Dx) for their targets."""
    y = question.targets.y.repeat_interleave(x.shape[1], dim=0)
    values = replace(question, targets=Targets(y)).log_density(x.flatten(0, 1))
    assert values is not None
    return float(values.detach().double().median())
