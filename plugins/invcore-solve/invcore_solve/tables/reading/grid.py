"""Rows of cells, as text files and workbooks have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grid:
    """Rows of cells before it is known which of them are names, units or values.

    Args:
        rows: texts without blanks around them, or what a workbook holds; None and "" are empty.
        lines: of each row, its line in the file or row in the sheet.
        place: what messages begin with.
        notes: what was skipped or assumed so far.
        remark: a comment line that may hold the names, as cells.
        remark_line: its line.
        decimal: the decimal sign to assume where a column does not show it.
        ragged: whether short rows are normal, as in workbooks.
    """

    rows: list[list[Any]]
    lines: list[int]
    place: str
    notes: tuple[str, ...] = ()
    remark: Sequence[Sequence[str]] = ()
    remark_line: int = 0
    decimal: str = ""
    ragged: bool = False


def empty(cell: Any) -> bool:
    """Whether nothing is in a cell.

    Example:
        >>> empty(None), empty(" "), empty(0.0)
        (True, True, False)
    """
    return cell is None or (isinstance(cell, str) and not cell.strip())


def filled(row: Sequence[Any]) -> list[Any]:
    """The cells of a row that hold something."""
    return [cell for cell in row if not empty(cell)]


def numbered(lines: Sequence[int], word: str = "row") -> str:
    """Rows for a note.

    Example:
        >>> numbered([3]), numbered([1, 2, 3, 7]), numbered(range(1, 40, 2))
        ('row 3', 'rows 1-3, 7', 'rows 1, 3, 5, 7, 9, 11, … (20 in all)')
    """
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    texts = [str(a) if a == b else f"{a}-{b}" for a, b in runs]
    more = f", … ({len(lines)} in all)" if len(texts) > 6 else ""
    return f"{word}{'s' * (len(lines) != 1)} {', '.join(texts[:6])}{more}"
