"""Where localisation ends, the discrete part of designs goes on to better neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from invcore.base.types import Forward
from invcore.data.scaling import Scaling
from invcore.search.aim import Aim
from invcore.search.discrete_search import Polish, SearchLimits, discrete_search
from invcore.search.localisation_config import LocalisationConfig
from invcore.search.neighbours import Neighbours

if TYPE_CHECKING:
    from invcore.search.localisation import Localised

Move: TypeAlias = Callable[[Tensor, Aim, LocalisationConfig], "Localised"]
"""Localises inputs (M, F + C) for M aims."""

_WORTH = 1e-6  # squared error, scaled, below which no surrogate tells designs apart
_STEPS = 10  # of Levenberg-Marquardt, for a neighbour's continuous variables
_ADAM_STEPS = 40


def among_neighbours(
    forward: Forward, found: Localised, goals: Aim, scaling: Scaling,
    config: LocalisationConfig, move: Move, *, each: int, boxed: bool = True,
) -> Localised:  # fmt: skip
    """Change categories, levels and whole numbers of localised starts as long as that helps.

    Spaces of numbers alone, and images, are left as they are; so are starts whose error is below
    what counts. Where several starts of a target come to one design, the first has it, and the
    others stay where they were localised.

    Args:
        forward: frozen model on scaled features and context features, (N, F + C) to (N, Dy).
        found: where N starts were localised.
        goals: N of them, scaled.
        scaling: between designs and features.
        config: of the localisation; ``neighbours`` is the most changes of a start.
        move: localises, which is what is done with the continuous variables of a neighbour.
        each: how many starts in a row belong to one target.
        boxed: stay in the box of the training data.
    """
    designs = scaling.designs
    if not config.neighbours or designs.grid is not None or not Neighbours.of(designs).named:
        return found
    rows = (~(found.error <= max(_WORTH, config.tolerance))).nonzero()[:, 0]
    if not len(rows):
        return found
    device = found.x.device
    context = scaling.parts(found.x)[1]

    def inputs(x: Tensor, of: Tensor) -> Tensor:
        return torch.cat([scaling.encode(x).to(device), context[rows[of.to(device)]]], dim=1)

    def score(x: Tensor, of: Tensor) -> Tensor:
        with torch.no_grad():
            return goals[rows[of.to(device)]].error(forward(inputs(x, of)))

    short = {"steps": min(config.steps, _STEPS), "adam_steps": min(config.adam_steps, _ADAM_STEPS)}
    quick = config.model_copy(update=short)

    def polish(x: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
        own = goals[rows[of.to(device)]]
        moved = move(inputs(x, of), own, quick)
        values = scaling.decode(scaling.parts(moved.x)[0].cpu(), inside=boxed)
        return values, score(values, of)

    continuous: Polish | None = polish if bool(scaling.movable()[1].any()) else None
    start = scaling.decode(scaling.parts(found.x[rows])[0].cpu(), inside=boxed)
    usable = designs.contains(start)
    start = torch.where(usable[:, None], start, designs.project(start))
    x, error = discrete_search(
        designs, start, score, SearchLimits(rounds=config.neighbours), polish=continuous
    )
    before = found.error[rows].cpu().double().nan_to_num(nan=torch.inf)
    changed = error < before
    every = scaling.decode(scaling.parts(found.x)[0].cpu(), inside=boxed)
    every[rows[changed].cpu()] = x[changed]
    changed &= _first(every, each)[rows.cpu()]
    rows, of = rows[changed.to(device)], changed.nonzero()[:, 0]
    if not len(rows):
        return found
    features = torch.cat([scaling.encode(x[of]).to(device), context[rows]], dim=1)
    with torch.no_grad():
        y = forward(features)
    parts = {"x": features, "y": y, "error": goals[rows].error(y)}
    return replace(found, **{n: getattr(found, n).index_copy(0, rows, v) for n, v in parts.items()})


def _first(x: Tensor, each: int) -> Tensor:
    """Which designs (N, Dx), so many in a row for a target, repeat no earlier one: (N,), bool."""
    target = torch.arange(len(x))[:, None] // each
    group = torch.cat([target.to(x), x], dim=1).unique(dim=0, return_inverse=True)[1]
    first = torch.full((len(x),), len(x))
    first = first.scatter_reduce(0, group, torch.arange(len(x)), "amin")
    return first[group] == torch.arange(len(x))
