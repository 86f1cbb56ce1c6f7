"""Rows that a search on a simulator begins with, at no call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invcore.plugin import Plugins, quoted
from invcore_solve.answers.proposal import Proposal
from invcore_solve.measured.columns import Columns
from invcore_solve.measured.known import KnownRows, among, known_rows
from invcore_solve.measured.sources import content_of, read_known, source_name
from invcore_solve.tables.raw_table import RawTable

if TYPE_CHECKING:
    from invcore.results import Store
    from invcore_solve.simulators.task import SimulatorTask


@dataclass(frozen=True)
class WarmStart:
    """A table of known rows, before it is known what the simulator's responses are.

    Args:
        table: that was read.
        source: what people call it.
    """

    table: RawTable
    source: str

    @classmethod
    def of(cls, known: Any, store: Store | None, plugins: Plugins) -> WarmStart | None:
        """From a table, the folder of a campaign, or the id of a run; of None, none.

        Raises:
            DataError: it cannot be read.
            StoreError: it is neither a file, nor a campaign, nor a run of the store.
        """
        if known is None:
            return None
        return cls(read_known(known, store, plugins), source_name(known))

    def document(self) -> dict[str, Any]:
        """Plain data for the record; ``content`` tells tables apart, whatever they are called."""
        return {
            "source": self.source, "rows": len(self.table), "content": content_of(self.table),
        }  # fmt: skip

    def rows(self, task: SimulatorTask) -> KnownRows:
        """The rows, for a simulator's designs and responses.

        Raises:
            DataError: the table lacks a design, or all responses; a cell is no number.
        """
        rows = known_rows(self.table, self.source, task.designs, task.responses, task.formulas)
        computed = {formula.name for formula in task.formulas}
        own = [v for v in task.responses.variables if v.name not in computed]
        place = Columns.of(self.table, own).place
        lacking = [quoted(v.name) for v in own if v.name not in place]
        notes = [rows.text, *(f"{rows.source}: {note}" for note in rows.notes)]
        if lacking:
            notes.append(
                f"{rows.source}: has no column {' nor '.join(lacking[:3])}: its rows are known in "
                "part, and none is a pair"
            )
        return replace(rows, notes=tuple(notes))


def marked(ranked: Proposal, known: KnownRows) -> tuple[Proposal, list[str]]:
    """The same designs, those marked that were known; and what one should know of these."""
    if ranked.responses is None:
        return ranked, []
    mine = among(known.pairs, ranked.designs, ranked.responses)
    first = mine[ranked.rank == 1]
    notes = []
    if bool(first.any()):
        whose = f"of {int(first.sum())} of {len(first)} targets" if len(first) > 1 else ""
        notes.append(f"the best design {whose} is a known row of {known.source}, at no call")
    return replace(ranked, measured=mine), [" ".join(note.split()) for note in notes]
