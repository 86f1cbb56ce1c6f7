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


def show(names: Sequence[str], rows: Sequence[Sequence[str]], *, wrapped: int) -> None:
    """Print a table as wide as the terminal at most; see ``columns``."""
    seen = [[harmless(cell) for cell in row] for row in rows]
    head, *rest = columns(names, seen, wrapped=wrapped, width=shutil.get_terminal_size().columns)
    # our own code for bold goes past what makes codes harmless
    out = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    click.echo(click.style(harmless(head), bold=True), file=out)
    for line in rest:
        click.echo(line if _prints(_RULE) else line.replace(_RULE, "-"))


def _prints(text: str) -> bool:
    """Whether the console's encoding has a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, wrapped: int, width: int
) -> Iterator[str]:
    """The lines of a table in the house's look; one column is wrapped to what room there is.

    Args:
        names: of the columns.
        rows: one text a column.
        wrapped: index of the column that gives way.
        width: in cells.

    Example:
        >>> for line in columns(["a", "what"], [["x", "one two three"]], wrapped=1, width=30):
        ...     print(line)
        a  what
        ────────────────
        x  one two three
    """
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    others = sum(widths) - widths[wrapped] + _GAP * (len(names) - 1)
    widths[wrapped] = min(widths[wrapped], max(_NARROWEST, width - others))
    yield _line(names, widths)
    yield _RULE * (sum(widths) + _GAP * (len(names) - 1))
    for row in rows:
        for i, part in enumerate(wrap(row[wrapped], widths[wrapped])):
            cells = [""] * len(row) if i else [*row]
            cells[wrapped] = part
            yield _line(cells, widths)


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


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [c + " " * (w - cell_len(c)) for c, w in zip(cells, widths, strict=True)]
    return (" " * _GAP).join(padded).rstrip()
