"""``invcore campaign ask``: rows to make and measure."""

from __future__ import annotations

import shlex

import click

from invcore.cli.kit import emit_json, json_option
from invcore_closed_loop.campaign.commands.options import folder_argument, pairs, show_rows


@click.command()
@folder_argument
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1),
    help="Rows at most; else as many as the loop has use for at once.",
)
@click.option(
    "--out", metavar="FILE", help="Write them to a file to be filled in: .csv, .tsv or .xlsx."
)
@click.option(
    "--fix",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value that a design has in this batch; may be repeated.",
)
@click.option(
    "--pending",
    is_flag=True,
    help="Ask for nothing new: the rows that are pending, or known in part.",
)
@click.option(
    "--repeat",
    multiple=True,
    metavar="ID|best",
    help="A row to make and measure once more; may be repeated.",
)
@json_option
def ask(
    folder: str, count: int | None, out: str | None, fix: tuple[str, ...], pending: bool,
    repeat: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Ask for rows to make and measure.

    Each has an id, its designs, an empty cell for each response, and what is expected of it, with
    an error that covers nine in ten measurements.

    \b
    invcore campaign ask alloy -n 5 --out next.xlsx
    invcore campaign ask alloy -n 3 --fix oven=B
    invcore campaign ask alloy --pending --out lacking.xlsx
    invcore campaign ask alloy --repeat 3 --repeat best
    """  # noqa: D301 - click wants the character
    fixed = pairs(fix, "fix")
    if pending and (fixed or count):
        raise click.UsageError("--pending shows rows that were asked for: no --fix or -n beside it")
    if repeat and (pending or fixed or count):
        raise click.UsageError("--repeat says which rows: no --pending, --fix or -n beside it")
    again = [_row(text) for text in repeat]
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.tables.batch import check_batch_file

    if out is not None:
        check_batch_file(out)
    campaign = Campaign.open(folder)
    if again:
        batch = campaign.again(*again)
    else:
        batch = campaign.pending() if pending else campaign.batch(count, fix=fixed)
    if out is not None and len(batch):
        batch.save(out)
    if as_json:
        emit_json({"rows": batch.records(), "out": out if len(batch) else None})
        return
    if not len(batch):
        click.echo(_why_none(campaign.status().finished, pending, len(campaign.journal.pending())))
        return
    columns = {
        n: c for n, c in batch.columns().items()
        if n not in campaign.measured or any(cell != "" for cell in c)
    }  # fmt: skip
    show_rows(columns)  # type: ignore[arg-type]
    if out is not None:
        names = " and ".join(campaign.measured)
        click.echo(f"written: {out}; fill in {names}, and tell it:")
        click.echo(f"invcore campaign tell {shlex.quote(folder)} {shlex.quote(out)}")


def _row(text: str) -> int | str:
    """An id, or ``best``.

    Raises:
        UsageError: it is neither.
    """
    if text == "best":
        return text
    if not text.isdecimal():
        raise click.UsageError(f"--repeat {text!r}: expected an id, or best")
    return int(text)


def _why_none(finished: bool, pending: bool, waiting: int) -> str:
    """Why there is no row."""
    if pending:
        return "no row is pending"
    if finished:
        return (
            "the loop has nothing more to ask: `invcore campaign status` says how sure the best "
            "design is; measure it again, or change what is wanted"
        )
    return f"the loop first has to be told of the {waiting} pending rows"
