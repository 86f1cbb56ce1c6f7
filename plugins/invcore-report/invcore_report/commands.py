"""The commands ``invcore report`` and ``invcore compare``: parse, call, print."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

_store = click.option(
    "--store",
    "--out",
    "store_path",
    default="runs",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder of the runs.",
)
_json = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for machines instead of words."
)


@click.command()
@_store
@click.option("--bench", metavar="NAME", help="A benchmark of the store; else all runs.")
@click.option(
    "--to",
    default="report",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the report; an earlier report there is replaced.",
)
@_json
def report(store_path: str, bench: str | None, to: Path, as_json: bool) -> None:
    """Write stored runs as one HTML page with pictures.

    The page needs nothing but itself. If the store has exactly one benchmark, that is reported.
    """
    from invcore.results import Store
    from invcore_report.report import make
    from invcore_report.wording import answer

    with _bar() as bar:
        made = make(Store(store_path), to, bench, bar)
    if as_json:
        _emit(made.document())
        return
    if bench is None and made.collection.bench:
        click.echo(f"note: reporting benchmark {made.collection.bench}, the only one", err=True)
    for one in made.boards:
        click.echo(_plain(answer(one)))
    if made.collection.left_out:
        count = len(made.collection.left_out)
        click.echo(f"note: the page ends with what is not shown ({count}), and why", err=True)
    click.echo(str(made.page))


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@_store
@_json
def compare(first: str, second: str, store_path: str, as_json: bool) -> None:
    """Compare two runs, target by target.

    Both must be runs on the same task with the same data. The first characters of an id will do.
    """
    from invcore.results import Store
    from invcore_report.compared import sentence, table
    from invcore_report.comparing import compare_runs

    found = compare_runs(Store(store_path), first, second)
    if as_json:
        _emit(found.document() | {"sentence": sentence(found)})
        return
    for line in table(found):
        click.echo(_plain(line))


@contextmanager
def _bar() -> Iterator[Callable[[int], Callable[[], None]]]:
    """A bar on standard error, where that is a terminal."""
    bars: list[Any] = []

    def begin(steps: int) -> Callable[[], None]:
        bar: Any = click.progressbar(
            length=steps, label="report", file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        bar.__enter__()
        bars.append(bar)
        return lambda: bar.update(1)

    try:
        yield begin
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)


def _plain(text: str) -> str:
    """One line without the control characters with which a file could steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _emit(document: Any) -> None:
    """Print JSON; numbers that it does not know become null."""
    click.echo(json.dumps(_known(document), indent=2, allow_nan=False))


def _known(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return value
