"""Rows that are known before a search or a campaign begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.plugin import (
    DataError,
    DerivedResponse,
    Pairs,
    Requests,
    Results,
    Space,
    printable,
    quoted,
)
from invcore_solve.measured.columns import Columns
from invcore_solve.measured.measured_rows import measured_rows
from invcore_solve.tables.raw_table import RawTable


@dataclass(frozen=True)
class KnownRows:
    """Rows that are known at first.

    Args:
        pairs: those with all responses.
        rest: those that failed, or have a part of them.
        source: where they come from.
        notes: what one should know.
    """

    pairs: Pairs
    rest: Results
    source: str
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """How many there are."""
        failed = int(self.rest.lost.sum())
        count = len(self.pairs) + len(self.rest)
        text = f"{self.source}: {count:,} {'row is' if count == 1 else 'rows are'} known"
        parts = [(failed, "failed"), (len(self.rest) - failed, "in part")]
        more = " and ".join(f"{number:,} {what}" for number, what in parts if number)
        return f"{text}, of which {more}" if more else text


def known_rows(
    table: RawTable, source: str, designs: Space, responses: Space,
    formulas: Sequence[DerivedResponse],
) -> KnownRows:  # fmt: skip
    """Rows of a table for designs and responses that are known by name.

    Args:
        table: that was read; a column of ids is left aside, since these are of something else.
        source: what people call it.
        designs: their space; rows beyond its bounds are known all the same.
        responses: their space, computed ones last.
        formulas: of the responses that are computed.

    Raises:
        DataError: it cannot be read, or lacks a design; the message has row and column.
    """
    nobody = Requests(torch.empty(0).long(), torch.empty(0, designs.dim).double())
    names = tuple("" if name.casefold() == "id" else name for name in table.names)
    kept = [i for i, name in enumerate(names) if name]  # its ids are of something else
    table = table.at(kept)
    place = Columns.of(table, designs.variables).place
    if missing := [name for name in designs.names if name not in place]:
        raise DataError(
            f"{table.place}: has no column {quoted(missing[0])} of the designs, which known rows "
            f"need; it has {', '.join(map(quoted, table.names[:8]))}"
        )
    read_rows = measured_rows(table, designs, responses, formulas, nobody)
    rows = read_rows.results
    whole = rows.responses.isfinite().all(dim=1)
    rest = Results(None, rows.designs[~whole], rows.responses[~whole], rows.lost[~whole])
    notes = [*read_rows.notes]
    if read_rows.waiting:
        notes.append(f"rows without any response that are left aside: {read_rows.waiting:,}")
    pairs = Pairs(rows.designs[whole], rows.responses[whole])
    return KnownRows(pairs, rest, printable(source), tuple(notes))


def nothing_known(designs: Space, responses: Space) -> KnownRows:
    """No rows."""
    x, y = (torch.empty(0, space.dim).double() for space in (designs, responses))
    return KnownRows(Pairs(x, y), Results(None, x, y), "", ())


def among(pairs: Pairs, designs: Tensor, responses: Tensor) -> Tensor:
    """Which rows, designs (N, Dx) and responses (N, Dy), are among known pairs (N,), bool.

    Example:
        >>> pairs = Pairs(torch.tensor([[0.5]]), torch.tensor([[1.0]]))
        >>> among(pairs, torch.tensor([[0.5], [0.5]]), torch.tensor([[1.0], [2.0]])).tolist()
        [True, False]
    """
    every = {row.tobytes() for row in torch.cat([pairs.x, pairs.y], dim=1).double().numpy()}
    rows = torch.cat([designs, responses], dim=1).double().numpy()
    return torch.tensor([row.tobytes() in every for row in rows], dtype=torch.bool)
