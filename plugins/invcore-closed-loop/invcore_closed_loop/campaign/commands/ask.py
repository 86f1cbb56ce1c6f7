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
@click.option("--pending", is_flag=True, help="Ask for nothing new: the rows that are pending.")
@json_option
def ask(
    folder: str, count: int | None, out: str | None, fix: tuple[str, ...], pending: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Ask for rows to make and measure.

    Each has an id, its designs, an empty cell for each response, and what is expected of it, with
    an error that covers nine in ten measurements.

    \b
    invcore campaign ask alloy -n 5 --out next.xlsx
    invcore campaign ask alloy -n 3 --fix oven=B
    """  # noqa: D301 - click wants the character
    fixed = pairs(fix, "fix")
    if pending and (fixed or count):
        raise click.UsageError("--pending shows rows that were asked for: no --fix or -n beside it")
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.tables.batch import check_batch_file

    if out is not None:
        check_batch_file(out)
    campaign = Campaign.open(folder)
    batch = campaign.pending() if pending else campaign.batch(count, fix=fixed)
    if out is not None and len(batch):
        batch.save(out)
    if as_json:
        emit_json({"rows": batch.records(), "out": out if len(batch) else None})
        return
    if not len(batch):
        click.echo(_why_none(campaign.status().finished, pending, len(campaign.journal.pending())))
        return
    columns = {n: c for n, c in batch.columns().items() if n not in campaign.measured}
    show_rows(columns)  # type: ignore[arg-type]
    if out is not None:
        names = " and ".join(campaign.measured)
        click.echo(f"written: {out}; fill in {names}, and tell it:")
        click.echo(f"invcore campaign tell {shlex.quote(folder)} {shlex.quote(out)}")


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
