"""The commands ``invcore report`` and ``invcore compare``: parse, call, print."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from invcore.cli.kit import BenchName, RunId, emit_json, json_option, printable, safe, store_option


@click.command()
@store_option
@click.option(
    "--bench", metavar="NAME", type=BenchName(), help="A benchmark of the store; else all runs."
)
@click.option(
    "--to",
    default="report",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the report; an earlier report there is replaced.",
)
@json_option
def report(store_path: str, bench: str | None, to: Path, as_json: bool) -> None:
    """Write stored runs as one HTML page with pictures.

    The page needs nothing but itself. If the store has exactly one benchmark, that is reported.
    """
    from invcore.results import Store
    from invcore_report.report import make
    from invcore_report.wording import answer

    with _bar() as bar:
        result = make(Store(store_path), to, bench, bar)
    if as_json:
        emit_json(result.document())
        return
    if bench is None and result.collection.bench:
        click.echo(f"note: reporting benchmark {result.collection.bench}, the only one", err=True)
    for one in result.boards:
        click.echo(safe(answer(one)))
    if result.collection.left_out:
        count = len(result.collection.left_out)
        click.echo(f"note: the page ends with what is not shown ({count}), and why", err=True)
    click.echo(str(result.page))


@click.command()
@click.argument("first", metavar="RUN", type=RunId())
@click.argument("second", metavar="RUN", type=RunId())
@store_option
@json_option
def compare(first: str, second: str, store_path: str, as_json: bool) -> None:
    """Compare two runs, target by target.

    Both must be runs on the same task with the same data. The first characters of an id will do.
    """
    from invcore.results import Store
    from invcore_report.comparison import compare_runs
    from invcore_report.comparison_text import sentence, table

    comparison = compare_runs(Store(store_path), first, second)
    if as_json:
        emit_json(comparison.document() | {"sentence": sentence(comparison)})
        return
    for line in table(comparison):
        click.echo(printable(line, 1000))  # aligned: blanks count


@contextmanager
def _bar() -> Iterator[Callable[[int], Callable[[], None]]]:
    """A bar on standard error, where that is a terminal."""
    bars: list[Any] = []

    def begin(steps: int) -> Callable[[], None]:
        # its label is ours, and it moves the cursor: past what keeps others from doing that
        file = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        hidden = not sys.stderr.isatty()
        bar: Any = click.progressbar(length=steps, label="report", file=file, hidden=hidden)
        bar.__enter__()
        bars.append(bar)
        return lambda: bar.update(1)

    try:
        yield begin
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)
