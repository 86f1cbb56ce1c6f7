"""What is wrong with a table, all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from invcore.plugin import DataError, quoted

MOST = 10
"""Problems that a message lists."""


@dataclass
class CellProblems:
    """Collects what is wrong with the cells of a table, so that one message tells it all.

    Args:
        place: what messages call the table.

    Example:
        >>> problems = CellProblems("back.csv")
        >>> problems.add("cu", 4, "high", "a number")
        >>> try:
        ...     problems.check()
        ... except DataError as error:
        ...     print(error)
        back.csv: column 'cu', row 4 is 'high'; expected a number
    """

    place: str
    _found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, column: str, row: int, text: str, expected: str) -> None:
        """A cell that is not what is expected."""
        self.say(row, f"column {quoted(column)}, row {row} is {quoted(text, 60)}",
                 f"expected {expected}")  # fmt: skip

    def say(self, row: int, what: str, instead: str = "") -> None:
        """What is wrong with a row, and what to do."""
        self._found.append((row, what, instead))

    def about(self, row: int) -> bool:
        """Whether something is wrong with a row already."""
        return any(row == other for other, *_ in self._found)

    def check(self) -> None:
        """Tell what was found, by rows.

        Raises:
            DataError: something was.
        """
        if not self._found:
            return
        found = sorted(self._found, key=lambda each: each[0])
        if len(found) == 1:
            raise DataError(f"{self.place}: {'; '.join(part for part in found[0][1:] if part)}")
        shown = "; ".join(what for _, what, _ in found[:MOST])
        more = f"; and {len(found) - MOST:,} more" if len(found) > MOST else ""
        raise DataError(f"{self.place}: {len(found):,} cells are to be corrected: {shown}{more}")
