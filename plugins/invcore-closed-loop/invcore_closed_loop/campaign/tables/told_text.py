"""What was understood of a table that was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from invcore_solve.measured.known import among
from invcore_solve.measured.measured_rows import MeasuredRows
from torch import Tensor

from invcore.plugin import Pairs, Results
from invcore.search import Told


@dataclass(frozen=True)
class TellResult:
    """What became of a table of results.

    Args:
        read: what it holds.
        told: what became of its rows.
        known: rows that were known at first already.
        pending: rows that are pending still.
    """

    read: MeasuredRows
    told: Told
    known: int
    pending: int

    @property
    def text(self) -> str:
        """A sentence.

        It has how many rows are new, how many were told before, and how many are pending.
        """
        told, waiting, count = self.told, self.read.waiting, self.read.count
        ways = [
            (told.new, "new"), (told.completed, "completed"),
            (told.replicated, "measured again"), (told.unasked, "not asked for"),
            (told.repeated + self.known, "told before"),
        ]  # fmt: skip
        said = ", ".join(f"{number:,} {what}" for number, what in ways if number)
        within = [(told.failed, "failed"), (told.partial, "in part")]
        also = " and ".join(f"{number:,} {what}" for number, what in within if number)
        parts = [f"{said}, of which {also}" if also else said, f"{waiting:,} without a result"]
        verb = "is" if self.pending == 1 else "are"
        parts = [part for part, there in zip(parts, (said, waiting), strict=True) if there]
        parts.append(
            f"{self.pending:,} {verb} still pending" if self.pending else "none is pending"
        )
        rows = f"{count:,} {'row' if count == 1 else 'rows'}"
        return f"{self.read.source}: {rows}: {'; '.join(parts)}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The sentence, and what one should know."""
        yield self.text
        yield from (f"note: {note}" for note in self.read.notes)

    def document(self) -> dict[str, Any]:
        """Plain data, for machines."""
        told = self.told
        return {
            "rows": self.read.count, "new": told.new, "completed": told.completed,
            "replicated": told.replicated, "unasked": told.unasked,
            "repeated": told.repeated + self.known, "partial": told.partial,
            "failed": told.failed, "without_result": self.read.waiting,
            "pending": self.pending, "notes": list(self.read.notes),
        }  # fmt: skip


def known_already(results: Results, pairs: Pairs) -> Tensor:
    """Which rows (N,) nobody asked for and say what was known at first to the last digit."""
    unasked = torch.ones(len(results), dtype=torch.bool) if results.id is None else results.id < 0
    return unasked & among(pairs, results.designs, results.responses)
