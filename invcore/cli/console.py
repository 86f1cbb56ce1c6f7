"""What commands print with: tables for people, JSON for machines, bars on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from invcore.base.text import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from invcore.base.progress import Progress


def stdout() -> Console:
    """The console that results go to; it prints texts as they are, whatever brackets they hold."""
    from invcore.cli.harmless_console import HarmlessConsole

    return HarmlessConsole(highlight=False, soft_wrap=False, markup=False, emoji=False)


def stderr() -> Console:
    """The console that progress and remarks go to."""
    from invcore.cli.harmless_console import HarmlessConsole

    return HarmlessConsole(stderr=True, highlight=False, markup=False, emoji=False)


def table(*columns: str, title: str | None = None, right: tuple[str, ...] = ()) -> Table:
    """An empty table in the house's look; columns of numbers may stand at the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    result = Table(
        box=box.SIMPLE_HEAD, title=None if title is None else Text(harmless(title)),
        title_justify="left", title_style="", show_edge=False,
        pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for column in columns:
        justify: Any = "right" if column in right else "left"
        result.add_column(Text(harmless(column)), overflow="fold", justify=justify)
    return result


def add_row(rows: Table, *texts: str) -> None:
    """Add a row of texts as they are, whatever brackets they hold."""
    from rich.text import Text

    rows.add_row(*(Text(harmless(text)) for text in texts))


def emit_json(document: Any) -> None:
    """Print one JSON document; numbers that JSON does not know become null.

    It is the only way to standard output that a command with ``--json`` has.
    """
    from invcore.cli.json_output import emit
    from invcore.storage.json_text import dump

    emit(dump(document, indent=2))


def progress() -> Progress:
    """Bars on a terminal, remarks alone elsewhere."""
    from invcore.base.progress import terminal_progress

    return terminal_progress(stderr())


def warn(message: str) -> None:
    """A remark on standard error."""
    print(harmless(f"note: {message}"), file=sys.stderr)  # noqa: T201 - this is the console
