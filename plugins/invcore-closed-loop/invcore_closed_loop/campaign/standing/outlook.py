"""How sure it is that the best design meets what is wanted, and what a next batch may bring."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.plugin import Targets
from invcore_closed_loop.campaign.standing.expectation import Expectation, Normal

_DRAWS = 2000
_SCREENED = 256  # draws by which designs are chosen that a next batch may have
_CANDIDATES = 512
_NEAR = 0.05  # of the ranges: candidates around the best design


@dataclass(frozen=True)
class Best:
    """The design that is best, by what is known of all.

    Args:
        place: among the designs that were made.
        chance: that its true response meets all that is wanted.
        error: expected violation, as errors of targets are.
        goals: by response, the goal's true value that is expected of it.
    """

    place: int
    chance: float
    error: float
    goals: dict[str, float]


@dataclass(frozen=True)
class Gain:
    """What a batch may bring.

    Args:
        count: rows in it.
        chance_better: that one of its rows is truly better than the best one by now.
        chance_met: that by then some design truly meets all that is wanted.
        error: expected violation of the best one then.
        goals: by response, what the goal of the best one is expected to be then.
    """

    count: int
    chance_better: float
    chance_met: float
    error: float
    goals: dict[str, float]


def chances(said: Normal, targets: Targets) -> Tensor:
    """The probability of each design (N,) that its true response meets all that is wanted.

    Responses are taken for independent of each other.
    """
    low, high = targets.low[0] - targets.slack[0], targets.high[0] + targets.slack[0]
    wanted = targets.wanted[0]
    std = said.std.clamp(min=1e-300)
    above = torch.special.ndtr((high - said.mean) / std)
    below = torch.special.ndtr((low - said.mean) / std)
    inside = (above - below).clamp(0.0, 1.0)
    exact = (said.mean >= low) & (said.mean <= high)
    inside = torch.where(said.std <= 0, exact.double(), inside)
    inside = torch.where(said.mean.isnan() | said.std.isnan(), torch.nan, inside)
    return torch.where(wanted, inside, 1.0).prod(dim=1)


def best_of(
    expectation: Expectation, targets: Targets, confidence: float, allowed: Tensor
) -> Best | None:
    """The best of the designs that were made; None where of none enough is known.

    Without goals it is the one that most probably meets all; with goals the one whose goals are
    best among those that meet it with the stated confidence, or, if there are none, the most
    probable one.

    Args:
        expectation: of the campaign's rows.
        targets: one.
        confidence: that counts as sure.
        allowed: (M,), which of the designs may be made by now.
    """
    said = expectation.made
    chance = torch.where(allowed, chances(said, targets), torch.nan)
    goals = targets.goals(said.mean[None])[0] / targets.spread * targets.weight[0]
    goals = goals.sum(dim=1)
    usable = chance.isfinite() & (goals.isfinite() if targets.has_goals else True)
    if not bool(usable.any()):
        return None
    error = targets.error(said.mean[None])[0].nan_to_num(nan=torch.inf)
    sure = usable & (chance >= confidence)
    if targets.has_goals and bool(sure.any()):
        place = int(torch.where(sure, goals, torch.inf).argmin())
    else:
        score = torch.where(usable, chance, -torch.inf)
        top = score >= score.max() - 1e-12
        place = int(torch.where(top, error, torch.inf).argmin())
    drawn = _drawn(said[torch.tensor([place])], _DRAWS)[:, 0]
    return Best(
        place, float(chance[place]), float(targets.error(drawn[None])[0].mean()),
        _named_goals(expectation, targets, said.mean[place]),
    )  # fmt: skip


def gain_of(expectation: Expectation, targets: Targets, best: Best, x: Tensor) -> Gain:
    """What rows of designs (N, Dx) may bring beside the best one, by draws of true responses."""
    first = _drawn(expectation.made[torch.tensor([best.place])], _DRAWS)  # (S, 1, Dy)
    rest = _drawn(expectation.at(x), _DRAWS, 1)
    every = torch.cat([first, rest], dim=1)
    value = targets.objective(every[None])[0]
    value = torch.where(value.isnan(), torch.inf, value)
    chosen = value.argmin(dim=1)
    then = every[torch.arange(len(every)), chosen]
    error = targets.error(then[None])[0]
    both = _meeting(targets, then) & _meeting(targets, first[:, 0])  # else goals do not compare
    change = (
        (then - first[:, 0])[both].mean(dim=0) if bool(both.any()) else torch.zeros_like(then[0])
    )
    goals = _named_goals(expectation, targets, change)
    return Gain(
        len(x), float((value[:, 1:].amin(dim=1) < value[:, 0] - 1e-12).double().mean()),
        float(_meeting(targets, every.flatten(0, 1)).view(len(every), -1).any(1).double().mean()),
        float(error.mean()), {name: value + goals[name] for name, value in best.goals.items()},
    )  # fmt: skip


def promising(expectation: Expectation, targets: Targets, best: Best, count: int) -> Tensor:
    """Designs (count, Dx) from which most is to be gained, as a next batch may have them."""
    space = expectation.problem.designs
    generator = torch.Generator().manual_seed(0)
    spread = space.sample(_CANDIDATES, generator)
    width = (space.high - space.low).nan_to_num(posinf=1.0)
    around = torch.randn(_CANDIDATES // 4, space.dim, generator=generator, dtype=torch.float64)
    near = space.project(expectation.x[best.place] + _NEAR * width * around)
    x = torch.cat([spread, near])
    first = _drawn(expectation.made[torch.tensor([best.place])], _SCREENED)
    now = targets.objective(first[None])[0]
    then = targets.objective(_drawn(expectation.at(x), _SCREENED, 1)[None])[0]
    gain = (now - then).clamp(min=0).nan_to_num().mean(dim=0)
    return x[gain.argsort(descending=True, stable=True)[:count]]


def _meeting(targets: Targets, y: Tensor) -> Tensor:
    """Which responses (S, Dy) meet all (S,)."""
    return targets.met(y[None])[0]


def _drawn(said: Normal, count: int, seed: int = 0) -> Tensor:
    """Draws (S, N, Dy) of responses, the same at every call."""
    generator = torch.Generator().manual_seed(seed)
    normals = torch.randn(count, *said.mean.shape, generator=generator, dtype=torch.float64)
    return said.mean + said.std.nan_to_num() * normals


def _named_goals(expectation: Expectation, targets: Targets, y: Tensor) -> dict[str, float]:
    sign = targets.goals(torch.ones_like(targets.low))[0]
    names = expectation.problem.responses.names
    return {
        name: float(value) for name, value, own in zip(names, y, sign, strict=True) if float(own)
    }
