"""``invcore campaign export``: all rows as a table."""

from __future__ import annotations

import click

from invcore.cli.kit import emit_json, json_option
from invcore_closed_loop.campaign.commands.options import folder_argument


@click.command()
@folder_argument
@click.argument("file", type=click.Path())
@json_option
def export(folder: str, file: str, as_json: bool) -> None:
    """Write all rows to FILE: .csv, .tsv, .xlsx or .parquet.

    Each has its id, designs as they were made, responses, its state (told, in part, failed,
    pending) and where it comes from.
    """
    from invcore.plugin import check_output
    from invcore_closed_loop.campaign.campaign import Campaign

    check_output(file)
    rows = Campaign.open(folder).export(file)
    if as_json:
        emit_json({"path": file, "rows": rows})
        return
    click.echo(f"{rows:,} rows: {file}")
