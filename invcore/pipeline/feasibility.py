"""Candidates that the constraints allow: the nearest to those proposed, and what that took."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from invcore.base.seeding import generator
from invcore.base.types import Context
from invcore.contracts.candidates import Candidates
from invcore.contracts.task import Task
from invcore.data.pairs import rows_of
from invcore.spaces.space import Space
from invcore.storage.moves import Moves

_TRIES = 8  # draws for a candidate that became the same as another
_NEAR = 0.02  # ranges: the deviation of the first draw; each further one is half as wide again
_SAME = 1e-9  # ranges: what is moved by less is not counted
_ROUNDS = 12
_STARTS = 8
_ROWS = 65536

Residual = Callable[[Tensor, Tensor], Tensor]
"""From designs (N, Dx) and the numbers (N,) of their targets to (N, R), at most zero where good."""


def residual_of(task: Task[Any], context: Context | None) -> Residual | None:
    """The residual of a task's own constraints for some targets, if it has one."""
    if type(task).residual is Task.residual:
        return None
    return lambda x, owner: task.residual(x, rows_of(context, owner))


def within(
    candidates: Candidates, designs: Space, *, seed: int = 0, residual: Residual | None = None
) -> tuple[Candidates, Moves | None]:
    """Candidates that the space allows, and how far they were moved.

    Each candidate becomes the nearest allowed design; those that are allowed stay bit for bit. With
    a residual, steps of least squares follow until it is at most zero. A candidate that so becomes
    the same as another one of its target is drawn anew near there, and moved likewise, until it is
    a design of its own, or eight draws found none.

    Args:
        candidates: (B, K, Dx).
        designs: the space; one without constraints leaves everything as it is.
        seed: of the draws.
        residual: what a task's own code allows, if it has such.

    Returns:
        The candidates, of which those that were moved have no predictions (NaN); what was done, or
        None where nothing constrains them.
    """
    if not designs.constraints and residual is None:
        return candidates, None
    proposed = candidates.x
    flat = proposed.flatten(0, 1)
    owner = torch.arange(len(proposed)).repeat_interleave(proposed.shape[1])
    random = generator(seed, "moved candidates")
    near = _moved(flat, owner, designs, residual, random)
    moved = (near != flat).any(1) & ~flat.isnan().any(1)
    replaced = torch.zeros(len(flat), dtype=torch.bool)
    for attempt in range(_TRIES):
        again = _copies(near, owner, moved).nonzero()[:, 0]
        if not len(again):
            break
        drawn = _around(near[again], designs, _NEAR * 1.5**attempt, random)
        tried = near.index_copy(0, again, _moved(drawn, owner[again], designs, residual, random))
        still = _copies(tried, owner, moved)[again]
        near[again[~still]] = tried[again[~still]]
        replaced[again[~still]] = True
    predicted = candidates.predicted
    if predicted is not None:  # it was of where the candidate came from
        stayed = (near - flat).abs() <= _SAME * designs.layout.width
        stayed = stayed.all(dim=1).view(proposed.shape[:2])[..., None]
        predicted = torch.where(stayed, predicted, torch.nan)
    result = Candidates(near.view(proposed.shape), predicted)
    return result, _told(flat, near, replaced, designs)


def _moved(
    rows: Tensor, owner: Tensor, designs: Space, residual: Residual | None, random: torch.Generator
) -> Tensor:
    parts = [designs.project(part) for part in rows.split(_ROWS)]
    near = torch.cat(parts) if parts else rows.clone()
    if residual is None:
        return near
    left = near.isfinite().all(1).nonzero()[:, 0]
    begin = near[left]
    for attempt in range(_STARTS):  # where bounds are in the way, elsewhere near by
        good, found = _restored(begin, owner[left], designs, residual)
        near[left[good]] = found[good]
        left = left[~good]
        if not len(left):
            break
        begin = _around(near[left], designs, 0.1 * 1.4**attempt, random)
        begin = designs.project(begin)
    return near


def _restored(
    x: Tensor, owner: Tensor, designs: Space, residual: Residual
) -> tuple[Tensor, Tensor]:
    """Steps of least squares, in ranges, to where the residual is at most zero, each projected.

    Returns:
        Where that was found (N,), bool, and the designs (N, Dx).
    """
    width, x = designs.layout.width, x.clone()
    numbers = torch.tensor([not v.whole and not v.categories for v in designs.variables])
    good = torch.zeros(len(x), dtype=torch.bool)
    for _ in range(_ROUNDS):
        rows = (~good).nonzero()[:, 0]
        off, slopes = _slopes(x[rows], owner[rows], residual)
        wrong = (off > 0).any(1)
        good[rows[~wrong]] = True
        rows, off = rows[wrong], off[wrong]
        if not len(rows):
            break
        jacobian = slopes[wrong] * (width * numbers) * (off > 0)[..., None]  # (N, R, Dx)
        step = torch.linalg.pinv(jacobian, rtol=1e-9) @ off.clamp(min=0)[..., None]
        # A little farther, so that a curved residual is below zero in the end
        x[rows] = designs.project(x[rows] - 1.01 * step[..., 0] * width)
    return good, x


def _slopes(x: Tensor, owner: Tensor, residual: Residual) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        moving = x.detach().clone().requires_grad_(True)
        off = residual(moving, owner)
        slopes = [
            torch.autograd.grad(column.sum(), moving, retain_graph=True)[0]
            for column in off.unbind(1)
        ]
    return off.detach(), torch.stack(slopes, 1).nan_to_num(nan=0.0)


def _copies(rows: Tensor, owner: Tensor, moved: Tensor) -> Tensor:
    """Which moved rows (N,) are the same as another one of their target: one that was not moved, or
    an earlier one.
    """
    keys = torch.cat([owner[:, None].to(rows), rows], 1)
    _, group = keys.unique(dim=0, return_inverse=True)
    # Unmoved rows first, then in order: the first of each group is no copy
    order = torch.argsort(moved.long(), stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    first = torch.full((int(group.max()) + 1,) if len(group) else (0,), len(order))
    first = first.scatter_reduce(0, group, place, "amin")
    return moved & (place != first[group])


def _around(rows: Tensor, designs: Space, deviation: float, random: torch.Generator) -> Tensor:
    """Draws near rows (N, Dx); categories are drawn anew as often as one in four."""
    noise = torch.randn(rows.shape, generator=random, dtype=torch.float64)
    drawn = rows + deviation * designs.layout.width * noise
    for i, variable in enumerate(designs.variables):
        if variable.categories:
            share = torch.rand(2, len(rows), generator=random, dtype=torch.float64)
            other = (share[1] * len(variable.categories)).floor()
            drawn[:, i] = torch.where(share[0] < 0.25, other, rows[:, i])
    return drawn


def _told(flat: Tensor, near: Tensor, replaced: Tensor, designs: Space) -> Moves:
    known = flat.isfinite().all(1)
    apart = (near - flat) / designs.layout.width
    named = torch.tensor([bool(v.categories) for v in designs.variables])
    way = torch.where(named, (apart != 0).double(), apart).norm(dim=1)[known]
    moved = way > _SAME
    violated = (designs.violation(flat[known]) > 0).double().mean(0)
    bind = designs.binding(near[known]).double().mean(0).nan_to_num(0.0)
    most = int(violated.argmax()) if len(violated) and float(violated.max()) > 0 else None
    return Moves(
        share=float(moved.double().mean()) if len(way) else 0.0,
        median=float(way[moved].median()) if bool(moved.any()) else 0.0,
        largest=float(way.max()) if len(way) else 0.0,
        most_violated="" if most is None else designs.constraint_texts[most],
        violated=0.0 if most is None else float(violated[most]),
        replaced=int(replaced.sum()),
        outside=int((~designs.contains(near[known])).sum()),
        binding={
            text: share
            for text, share in zip(designs.constraint_texts, bind.tolist(), strict=True)
            if share > 0
        },
    )
