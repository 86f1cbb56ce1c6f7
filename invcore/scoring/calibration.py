"""Truths among independent draws: what calibration is judged by, and the ranks of TARP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Reference = Literal["candidate", "near", "random"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)
"""Where the points lie from which TARP measures distances; see ``coverage_ranks``."""
_MOST = 256  # draws of a target that are kept
_NUMBERS = 1 << 21  # held at once beside what is kept


@dataclass(frozen=True)
class CalibrationDraws:
    """Draws for each target beside the design that its response comes from.

    Args:
        conditions: (B, C), float64: the responses and what else is known of each target, in units
            of their spread over the targets.
        truth: (B, Dx), float64, in units of the spread of all designs here.
        draws: (B, K, Dx) in the same units; a target's finite ones come first, in an order that
            chance decides, then rows of NaN.
    """

    conditions: Tensor
    truth: Tensor
    draws: Tensor

    def __getitem__(self, rows: slice) -> CalibrationDraws:
        """Some of the targets."""
        return CalibrationDraws(self.conditions[rows], self.truth[rows], self.draws[rows])


def calibration_draws(
    candidates: Tensor,
    truth: Tensor,
    targets: Tensor,
    generator: torch.Generator,
    *,
    context: Mapping[str, Tensor] | None = None,
    least: int = 2,
    most: int = _MOST,
) -> CalibrationDraws:
    """The targets that have a truth and draws enough, as tests of calibration need them.

    Neither the order of the targets nor that of a target's candidates matters. Units come from
    truths and draws together, which a truth that is one of the draws does not change.

    Args:
        candidates: (B, K, Dx), independent draws for each target; rows that are not finite do
            not count.
        truth: (B, Dx).
        targets: (B, Dy), the responses of the truth.
        generator: on the CPU.
        context: what else is known of each target, (B, ...) by name.
        least: a target with fewer draws is left out.
        most: draws of a target that are kept; chance chooses them.

    Example:
        >>> x, y = torch.rand(9, 5, 2), torch.rand(9, 1)
        >>> calibration_draws(x, torch.rand(9, 2), y, torch.Generator()).draws.shape
        torch.Size([9, 5, 2])
    """
    known = [targets, *(value for _, value in sorted((context or {}).items()))]
    conditions = torch.cat([
        part.detach().double().cpu().reshape(len(part), math.prod(part.shape[1:])) for part in known
    ], dim=1)  # fmt: skip
    truth = truth.detach().double().cpu()
    enough = candidates.isfinite().all(dim=2).sum(dim=1).cpu() >= least
    usable = enough & truth.isfinite().all(dim=1) & conditions.isfinite().all(dim=1)
    rows = usable.nonzero()[:, 0]
    conditions = _standardised(conditions[rows])
    order = (conditions @ _oblique(conditions.shape[1])).argsort(stable=True)
    order = order[torch.randperm(len(order), generator=generator)]
    rows, conditions = rows[order], conditions[order]
    step = max(1, _NUMBERS // max(1, candidates[0].numel())) if len(candidates) else 1
    parts = [_shuffled(candidates[part], most, generator) for part in rows.split(step)]
    draws = torch.cat(parts) if parts else candidates[:0].double().cpu()
    designs = torch.cat((truth[rows], draws[draws.isfinite().all(dim=2)]))
    spread = _spread(designs)
    return CalibrationDraws(conditions, truth[rows] / spread, draws / spread)


def coverage_ranks(
    draws: CalibrationDraws, reference: Reference, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """How many draws of a target are nearer to a reference point than the truth is.

    The draws nearer to the point than some distance make a credible region around it. For draws of
    the posterior the ranks are uniform over 0 to count, and independent of each other, wherever the
    points are, if no point depends on its own target's truth nor on a later one's:

    * ``candidate``: one draw of the target itself, which then counts no more. A low rank is a truth
      that lies deeper among the draws than they say, a high one a truth too far out.
    * ``near``: the truth of the target with the nearest response, of those before it.
    * ``random``: the truth of any target before it, a draw of the prior.

    The first target has no point of the two latter kinds, and is left out.

    References:
        Lemos, Coogan, Hezaveh, Perreault-Levasseur, ICML 2023, https://arxiv.org/abs/2302.03026

    Args:
        draws: of B targets.
        reference: where points lie.
        generator: on the CPU; chooses points, and the place among equal distances.

    Returns:
        Ranks and counts, whole numbers (B,) or (B - 1,).

    Example:
        >>> y = torch.zeros(3, 1)
        >>> made = calibration_draws(y[:, None].expand(3, 4, 1), y + 1, y, torch.Generator())
        >>> coverage_ranks(made, "candidate", torch.Generator())  # each truth is beyond its draws
        (tensor([3, 3, 3]), tensor([3, 3, 3]))
    """
    x, truth = draws.draws, draws.truth
    if reference == "candidate":
        points, x = x[:, 0], x[:, 1:]
    else:
        choose = _nearest_before if reference == "near" else _any_before
        points, x, truth = truth[choose(draws.conditions, generator)], x[1:], truth[1:]
    distance = (x - points[:, None]).square().sum(dim=2)  # NaN of a row that is no draw
    own = (truth - points).square().sum(dim=1, keepdim=True)
    nearer, equal = (distance < own).sum(dim=1), (distance == own).sum(dim=1)
    place = torch.rand(len(equal), generator=generator, dtype=torch.float64)
    return nearer + (place * (equal + 1)).long(), (~distance.isnan()).sum(dim=1)


def _any_before(conditions: Tensor, generator: torch.Generator) -> Tensor:
    """For each target but the first, the place of one before it (B - 1,)."""
    before = torch.arange(len(conditions))[1:]
    place = torch.rand(len(before), generator=generator, dtype=torch.float64)
    return (place * before).long()


def _nearest_before(conditions: Tensor, _generator: torch.Generator) -> Tensor:
    """For each target but the first, the place of the nearest before it (B - 1,)."""
    places = []
    step = max(1, _NUMBERS // max(1, len(conditions)))
    for rows in torch.arange(len(conditions))[1:].split(step):
        distance = torch.cdist(conditions[rows], conditions[: rows[-1]])
        later = torch.arange(distance.shape[1]) >= rows[:, None]
        places.append(distance.masked_fill(later, torch.inf).argmin(dim=1))
    return torch.cat(places)


def _shuffled(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Draws (b, K, Dx) in an order of chance, finite ones first, at most so many of them."""
    x = x.detach().double().cpu()
    x = torch.where(x.isfinite().all(dim=2, keepdim=True), x, torch.nan)
    along = (x @ _oblique(x.shape[2])).nan_to_num(nan=torch.inf)
    x = x.take_along_dim(along.argsort(dim=1, stable=True)[..., None], dim=1)  # of its own order
    chance = torch.rand(x.shape[:2], generator=generator, dtype=torch.float64)
    order = torch.where(x.isnan().any(dim=2), 2.0, chance).argsort(dim=1)[:, :most]
    return x.take_along_dim(order[..., None], dim=1)


def _oblique(columns: int) -> Tensor:
    """A direction along which no two different rows are likely to be equal."""
    return (torch.arange(columns, dtype=torch.float64) + 2.0).sqrt()


def _spread(rows: Tensor) -> Tensor:
    """The standard deviation of each column; 1 of a constant one."""
    if not len(rows):
        return rows.new_ones(rows.shape[1])
    spread = rows.std(dim=0, correction=0)
    return torch.where(spread > 0, spread, 1.0)


def _standardised(rows: Tensor) -> Tensor:
    return (rows - rows.mean(dim=0)) / _spread(rows) if len(rows) else rows
