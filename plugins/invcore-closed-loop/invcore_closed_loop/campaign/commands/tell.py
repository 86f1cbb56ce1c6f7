"""``invcore campaign tell``: what came of rows."""

from __future__ import annotations

import click

from invcore.cli.kit import emit_json, json_option, safe
from invcore_closed_loop.campaign.commands.options import folder_argument


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
    from invcore_solve.measured.frames import row_id

    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.standing.status import in_words

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
    best = campaign.best(1)
    if len(best):
        row = {str(name): value for name, value in best.iloc[0].items() if name == "id" or
               value == value}  # fmt: skip
        click.echo(safe(f"best so far: {in_words({**row, 'id': row_id(row['id'])})}"))
