"""Rows that people choose: values that are fixed, designs to measure again, what is lacking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from invcore_solve.measured.measured_rows import FIRST
from torch import Tensor

from invcore.plugin import ConfigError, DataError, Requests, Space, close_names
from invcore.search import LoopJournal

if TYPE_CHECKING:
    from invcore_closed_loop.campaign.campaign import Campaign

BEST = "best"


def code_of(designs: Space, name: str, value: float | str) -> float:
    """A design's value as a number: of a category its place.

    Raises:
        ConfigError: it is none.
    """
    if name in designs.names:
        categories = designs.variables[designs.index(name)].categories
        if categories:
            text = str(value)
            alike = [c for c in categories if c.casefold() == text.casefold()]
            if text not in categories and len(alike) != 1:
                raise ConfigError(f"{name}: no {text!r}. {close_names(text, categories)}")
            return float(categories.index(text if text in categories else alike[0]))
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"{name}: expected a number, got {value!r}") from None


def designs_again(campaign: Campaign, which: Sequence[int | str]) -> Tensor:
    """Designs (N, Dx) of rows by their ids, as they were made; or the best one.

    Raises:
        DataError: no such row.
    """
    rows = campaign.journal.rows
    places = {int(n) + FIRST: i for i, n in enumerate(rows.id.tolist()) if n >= 0}
    chosen = []
    for each in which:
        if each == BEST:
            chosen.append(_best(campaign))
            continue
        if each not in places:
            there = f"ids go from {FIRST} to {max(places)}" if places else "none was yet"
            raise DataError(f"id {each} was never asked for; {there}")
        place = places[int(each)]
        chosen.append(rows.made[place] if bool(rows.told[place]) else rows.asked[place])
    return torch.stack(chosen) if chosen else rows.made[:0]


def _best(campaign: Campaign) -> Tensor:
    best, designs = campaign.status().best, campaign.problem.designs
    if best is None:
        raise DataError("nothing is known yet that could be the best design")
    return torch.tensor(
        [code_of(designs, name, best[name]) for name in designs.names], dtype=torch.float64
    )


def lacking_rows(journal: LoopJournal, measured: Sequence[str]) -> tuple[Requests, Tensor]:
    """Rows with an id of which responses are lacking, and what is known of these (N, Dy).

    Rows that failed are not among them. Designs are as they were made, where something was told.

    Args:
        journal: of the campaign.
        measured: names of the responses that are to be measured.
    """
    rows, names = journal.rows, journal.problem.responses.names
    own = [names.index(name) for name in measured]
    part = rows.told & ~rows.failed & ~rows.responses[:, own].isfinite().all(dim=1)
    some = rows[(rows.asked_in >= 0) & (~rows.told | part)]
    designs = torch.where(some.told[:, None], some.made, some.asked)
    return Requests(some.id, designs), some.responses
