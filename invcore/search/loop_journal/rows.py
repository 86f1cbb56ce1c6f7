"""The rows of a journal, and what became of those that were told."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.contracts.loop import Results

NOBODY = -1
"""In the place of a number: nobody asked for it, or there is none."""

MOST_ASKED = 100_000
"""Most rows that are asked for at once."""


@dataclass(frozen=True)
class Rows:
    """Rows of a journal, one below the other, in the order in which they came up.

    Args:
        id: (N,), long, what each row is called when it is told; -1 for those nobody asked for.
        asked: (N, Dx), designs as they were asked for; NaN where nobody did.
        made: (N, Dx), as they were made; NaN while they are pending.
        responses: (N, Dy), NaN for what is unknown.
        failed: (N,), bool, rows that could not be made or have no response.
        target: (N,), long, whose row each is; -1 where it is for all targets, or nobody's.
        asked_in: (N,), long, number of the event that asked for it; -1 where none did.
        told_in: (N,), long, number of the event that told it last; -1 while it is pending.
        by_loop: (N,), bool, whether the journal's loop asked for it, not one for fixed choices.
        repeats: (N,), long, id of the row whose measurement it repeats; else -1.
    """

    id: Tensor
    asked: Tensor
    made: Tensor
    responses: Tensor
    failed: Tensor
    target: Tensor
    asked_in: Tensor
    told_in: Tensor
    by_loop: Tensor
    repeats: Tensor

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, rows: Tensor | slice) -> Rows:
        """Some of the rows."""
        return Rows(*(getattr(self, part.name)[rows] for part in fields(self)))

    @property
    def told(self) -> Tensor:
        """Which rows something is known of, or have failed (N,), bool."""
        return self.told_in >= 0

    @property
    def whole(self) -> Tensor:
        """Which rows have all responses (N,), bool."""
        return self.responses.isfinite().all(dim=1)


@dataclass(frozen=True)
class Told:
    """What became of rows that were told. The first five add up to all of them.

    Args:
        new: that were asked for, and told for the first time.
        completed: of which something was known, and now more is.
        replicated: measured again, with another result: a further row at that design.
        unasked: that nobody asked for.
        repeated: that say nothing new; they are left aside.
        partial: of those that count, those that lack some responses.
        failed: of those that count, those without any.

    Example:
        >>> Told(new=2, unasked=1, partial=1).counting
        3
    """

    new: int = 0
    completed: int = 0
    replicated: int = 0
    unasked: int = 0
    repeated: int = 0
    partial: int = 0
    failed: int = 0

    ways: ClassVar[tuple[str, ...]] = ("new", "completed", "replicated", "unasked", "repeated")

    @property
    def counting(self) -> int:
        """Rows that say something new."""
        return self.new + self.completed + self.replicated + self.unasked

    def plus(self, way: str, y: Tensor) -> Told:
        """The counts with one row more, of responses (Dy,)."""
        known = y.isfinite()
        more = {way: getattr(self, way) + 1}
        if way != "repeated":
            more["failed"] = self.failed + int(not bool(known.any()))
            more["partial"] = self.partial + int(bool(known.any()) and not bool(known.all()))
        return replace(self, **more)


@dataclass
class Entry:
    """One row, as it is known by now; see `Rows`.

    Args:
        own: the loop's own number of it; -1 where the journal's loop did not ask.
        context: what is known of the row's problem, a row of each.
    """

    id: int
    asked: Tensor | None
    target: int
    asked_in: int
    own: int
    context: Context | None
    made: Tensor | None = None
    responses: Tensor | None = None
    told_in: int = NOBODY
    repeats: int = NOBODY

    @property
    def failed(self) -> bool:
        """Whether it was told without any response."""
        return self.responses is not None and not bool(self.responses.isfinite().any())

    def says(self, x: Tensor, y: Tensor) -> tuple[bool, Tensor]:
        """Whether it agrees with a result (Dx,), (Dy,), and what both together say (Dy,)."""
        assert self.made is not None and self.responses is not None
        both = self.responses.isfinite() & y.isfinite()
        agrees = torch.equal(self.made, x) and torch.equal(self.responses[both], y[both])
        return agrees, torch.where(self.responses.isfinite(), self.responses, y)


def rows_of_entries(entries: list[Entry], dims: tuple[int, int]) -> Rows:
    """The rows, of Dx and Dy columns."""
    missing = [torch.full((dim,), torch.nan, dtype=torch.float64) for dim in dims]

    def stacked(parts: list[Tensor | None], empty: Tensor) -> Tensor:
        every = [empty if part is None else part for part in parts]
        return torch.stack(every) if every else empty.new_empty(0, len(empty))

    def numbers(name: str) -> Tensor:
        return torch.tensor([getattr(entry, name) for entry in entries], dtype=torch.long)

    return Rows(
        id=numbers("id"),
        asked=stacked([entry.asked for entry in entries], missing[0]),
        made=stacked([entry.made for entry in entries], missing[0]),
        responses=stacked([entry.responses for entry in entries], missing[1]),
        failed=torch.tensor([entry.failed for entry in entries], dtype=torch.bool),
        target=numbers("target"), asked_in=numbers("asked_in"), told_in=numbers("told_in"),
        by_loop=numbers("own") != NOBODY, repeats=numbers("repeats"),
    )  # fmt: skip


def plain_results(results: Results) -> Results:
    """The same on the CPU in float64, with an id for each; what is not finite is unknown."""
    x = results.designs.detach().cpu().double()
    y = results.responses.detach().cpu().double()
    y = torch.where(y.isfinite() & ~results.lost.cpu()[:, None], y, torch.nan)
    ids = torch.full((len(x),), NOBODY) if results.id is None else results.id.detach().cpu().long()
    return Results(ids, x, y)
