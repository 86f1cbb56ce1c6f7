"""What the commands print with: tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click


def emit_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=2, allow_nan=False))


def number(value: float | None) -> str:
    """Three digits for people; a dash where there is none.

    Example:
        >>> number(0.00012345), number(None), number(0.5)
        ('0.000123', '-', '0.5')
    """
    return "-" if value is None else f"{value:.3g}"


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, file=sys.stdout)
    console.print(title, markup=False)
    console.print(table)
    console.print()


def plain(text: str) -> str:
    """One line without the control characters with which a file could steer a terminal.

    Example:
        >>> plain("two lines" + chr(10) + "of text")
        'two lines?of text'
    """
    return "".join(c if c.isprintable() else "?" for c in text)
