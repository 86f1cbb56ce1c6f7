"""Tables without rich's machinery, for the listings: importing that takes as long as they do."""

import shutil
import sys
from collections.abc import Iterator, Sequence

import click
from rich.cells import cell_len

from invcore.base.text import harmless

_GAP = 2
_NARROWEST = 20
_RULE = "─"


def show(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, wrapped: int | Sequence[int],
    right: Sequence[int] = (),
) -> None:  # fmt: skip
    """Print a table as wide as the terminal at most; see ``columns``."""
    width = shutil.get_terminal_size().columns
    seen = [[harmless(cell) for cell in row] for row in rows]
    head, *rest = columns(names, seen, wrapped=wrapped, width=width, right=right)
    # our own code for bold goes past what makes codes harmless
    out = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    click.echo(click.style(harmless(head), bold=True), file=out)
    text = "\n".join(rest)
    click.echo(text if _prints(_RULE) else text.replace(_RULE, "-"))


def _prints(text: str) -> bool:
    """Whether the console's encoding has a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, wrapped: int | Sequence[int],
    width: int, right: Sequence[int] = (),
) -> Iterator[str]:  # fmt: skip
    """The lines of a table in the house's look; some columns are wrapped to what room there is.

    Args:
        names: of the columns.
        rows: one text a column.
        wrapped: index of the column that gives way, or of several.
        width: in cells.
        right: indices of the columns that stand at the right.

    Example:
        >>> for line in columns(["a", "what"], [["x", "one two three"]], wrapped=1, width=30):
        ...     print(line)
        a  what
        ────────────────
        x  one two three
    """
    giving = (wrapped,) if isinstance(wrapped, int) else tuple(wrapped)
    widths = [max(map(_cells, column)) for column in zip(names, *rows, strict=True)]
    _narrow(widths, giving, width)
    yield _line(names, widths, right)
    yield _RULE * (sum(widths) + _GAP * (len(names) - 1))
    for row in rows:
        if all(_cells(row[i]) <= widths[i] for i in giving):
            yield _line(row, widths, right)
            continue
        parts = {i: wrap(row[i], widths[i]) for i in giving}
        for number in range(max(map(len, parts.values()))):
            cells = [""] * len(row) if number else [*row]
            for i, lines in parts.items():
                cells[i] = lines[number] if number < len(lines) else ""
            yield _line(cells, widths, right)


def _narrow(widths: list[int], giving: Sequence[int], width: int) -> None:
    """Take from the widest of the columns that give way until the table fits."""
    excess = sum(widths) + _GAP * (len(widths) - 1) - width
    least = _NARROWEST // len(giving)
    while excess > 0 and (widest := max(giving, key=lambda i: widths[i])) >= 0:
        if widths[widest] <= least:
            return
        widths[widest] -= 1
        excess -= 1


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most so many cells, at spaces; a longer word stays whole.

    Example:
        >>> wrap("one two three", 8)
        ['one two', 'three']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int] = ()) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if not cell.isascii():
            width += len(cell) - cell_len(cell)
        padded.append(cell.rjust(width) if i in right else cell.ljust(width))
    return (" " * _GAP).join(padded).rstrip()


def _cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)
