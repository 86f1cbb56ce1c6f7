"""``invcore campaign tell``: what came of rows."""

from __future__ import annotations

import click

from invcore.cli.kit import emit_json, json_option, safe
from invcore_closed_loop.campaign.commands.options import echo_best, folder_argument


@click.command()
@folder_argument
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path())
@json_option
def tell(folder: str, files: tuple[str, ...], as_json: bool) -> None:
    """Tell what came of rows, from tables: CSV, Excel, or what else `invcore solve` reads.

    Rows are found by their ids; without an id a row counts as one that nobody asked for, and needs
    all its designs. Designs count as they were made. An empty cell is pending; a word such as
    failed or broken in its place, or in a column note, says that nothing came of the row. A table
    may be told twice.
    """
    from invcore_closed_loop.campaign.campaign import Campaign

    campaign = Campaign.open(folder)
    documents = []
    for file in files:
        result = campaign.tell(file)
        documents.append(result.document())
        if not as_json:
            for line in result.lines():
                click.echo(safe(line))
    if as_json:
        emit_json(documents[0] if len(files) == 1 else documents)
        return
    echo_best(campaign)
