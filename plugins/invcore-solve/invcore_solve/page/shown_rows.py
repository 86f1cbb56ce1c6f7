"""Which designs of a target are shown: of those that are measured already a few, then new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invcore_solve.answers.proposal import Proposal

SHOWN = 10
"""Designs that are shown of a target."""

_KNOWN = 3  # rows of the table that are shown, where there are designs that are new


def shown_rows(ranked: Proposal, rows: Sequence[int]) -> list[int]:
    """The first ten of a target's designs, of which at most three are measured already.

    What is proposed would otherwise not be seen where many rows of the table meet the target.
    """
    new = unmeasured(ranked, rows)
    known = [row for row in rows if row not in {*new}]
    few = known[: max(_KNOWN, SHOWN - len(new))]
    return sorted([*few, *new[: max(0, SHOWN - len(few))]])[:SHOWN]


def unmeasured(ranked: Proposal, rows: Sequence[int]) -> list[int]:
    """Those of a target's designs that are no rows of the table."""
    measured = ranked.measured
    return [row for row in rows if measured is None or not bool(measured[row])]
