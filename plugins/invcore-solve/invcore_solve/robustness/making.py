"""What is told of designs that are made with tolerances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor

from invcore.results import Robustness
from invcore_solve.robustness.movers import Movers


@dataclass(frozen=True)
class Making:
    """Yields of the rows of a table of results.

    Args:
        robustness: of R designs.
        tolerances: texts that say how far made designs are off.
        by: who answers for what is made.
        movers: what moves the yield of the best design of each of the first targets.
    """

    robustness: Robustness
    tolerances: tuple[str, ...]
    by: Literal["judge", "simulator"] = "judge"
    movers: tuple[Movers, ...] = ()

    def rows(self, keep: Tensor) -> Making:
        """Of some rows, by their positions."""
        return replace(self, robustness=self.robustness.rows(keep))

    def columns(self) -> dict[str, list[float]]:
        """Columns of the table of results."""
        own = self.robustness
        names = ("yield", "yield low", "yield high", "worst 5%")
        parts = (own.share, own.low, own.high, own.worst)
        return {name: part.tolist() for name, part in zip(names, parts, strict=True)}

    def cell(self, row: int) -> str:
        """The yield of a row with its interval, for people."""
        own = self.robustness
        share, low, high = (
            100 * float(part[row]) for part in (own.share, own.low, own.high)
        )  # fmt: skip
        return f"{share:.0f}% ({low:.0f} .. {high:.0f}%)"

    def note(self) -> str:
        """What stands below the designs."""
        return (
            f"yield: share of made designs that meet what is wanted, by the {self.by}, made with "
            f"{', '.join(self.tolerances)}"
        )

    def document(self) -> dict[str, Any]:
        """Plain data, beside the columns."""
        return {
            "tolerances": [*self.tolerances], "by": self.by,
            "movers": [each.document() for each in self.movers],
        }  # fmt: skip
