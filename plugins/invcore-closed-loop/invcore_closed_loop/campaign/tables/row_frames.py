"""Rows of a campaign as data frames: all of them, and the best by what was measured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from invcore_solve.measured.frames import row_id, rows_frame, with_empty_cells, with_unit
from torch import Tensor

from invcore.plugin import write_table
from invcore_closed_loop.campaign.wanted import spread_of

if TYPE_CHECKING:
    import pandas

    from invcore.plugin import Targets
    from invcore_closed_loop.campaign.campaign import Campaign


def all_rows(campaign: Campaign) -> pandas.DataFrame:
    """All rows: see ``rows_frame``."""
    facts = campaign.facts
    return rows_frame(campaign.journal, facts.known_rest, facts.notes)


def ranked_frame(campaign: Campaign, count: int) -> pandas.DataFrame:
    """The best rows by what was measured, best first; those alone that may be made by now."""
    frame = all_rows(campaign)
    x, y = _numbers(campaign)
    value = scaled_targets(campaign, y).objective(y[None])[0]
    good = value.isfinite() & may_be_made(campaign, x)
    good &= torch.tensor((frame["state"] != "pending").tolist(), dtype=torch.bool)
    order = torch.where(good, value, torch.inf).argsort(stable=True)[: int(good.sum())][:count]
    return (
        frame.iloc[order.tolist()].drop(columns=["state", "source", "note"]).reset_index(drop=True)
    )


def save_rows(campaign: Campaign, path: str | os.PathLike[str]) -> int:
    """Write all rows as a table with units in its header, where what is unknown is an empty cell.

    Returns:
        The number of rows.

    Raises:
        DataError: an ending that is none of a table, or it cannot be written.
    """
    frame = all_rows(campaign)
    numbers = [row_id(value) for value in frame["id"]]
    frame = frame.assign(id=["" if number is None else str(number) for number in numbers])
    every = (*campaign.problem.designs.variables, *campaign.problem.responses.variables)
    labels = {variable.name: with_unit(variable) for variable in every}
    columns = with_empty_cells(frame.rename(columns=labels), path)
    write_table(path, [*columns], columns)
    return len(frame)


def scaled_targets(campaign: Campaign, y: Tensor) -> Targets:
    """The target, whose violations are measured in the deviations of responses (N, Dy)."""
    targets = campaign.journal.targets
    spread = spread_of(y)
    return targets.measured_in(spread) if bool(spread.isfinite().any()) else targets


def may_be_made(campaign: Campaign, x: Tensor) -> Tensor:
    """Which designs (N, Dx) are within the bounds and constraints, or a little beside (N,).

    What was asked for and came out a little otherwise may be asked for again.
    """
    designs = campaign.problem.designs
    near = designs.project(x.nan_to_num())
    width = designs.high - designs.low
    width = torch.where(width.isfinite() & (width > 0), width, 1.0)
    return ((near - x).abs() / width <= _BESIDE).all(dim=1)


_BESIDE = 0.05  # of a variable's range


def _numbers(campaign: Campaign) -> tuple[Tensor, Tensor]:
    rows, pairs = campaign.journal.rows, campaign.journal.pairs
    told = rows.told[:, None]
    x = torch.cat([pairs.x.cpu().double(), torch.where(told, rows.made, rows.asked)])
    return x, torch.cat([pairs.y.cpu().double(), rows.responses])
