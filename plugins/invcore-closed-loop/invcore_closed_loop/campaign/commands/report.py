"""``invcore campaign report``: a page of a campaign."""

from __future__ import annotations

import os
from typing import Any

import click

from invcore.cli.kit import emit_json, json_option
from invcore_closed_loop.campaign.commands.options import (
    confidence_option,
    count_option,
    folder_argument,
    worth_of,
    worth_options,
)


@click.command()
@folder_argument
@click.option(
    "--to",
    metavar="PAGE",
    type=click.Path(),
    help="The page, .html; default: the folder's name beside it.",
)
@confidence_option
@count_option
@worth_options
@json_option
def report(
    folder: str, to: str | None, confidence: float, count: int, as_json: bool, **options: Any
) -> None:
    """Write a page of a campaign: how it went, the best designs, what was learnt, what comes next.

    It is one file of HTML that needs nothing but itself.
    """
    worth = worth_of(options)
    from invcore_closed_loop.campaign.campaign import Campaign

    page = to or f"{os.path.normpath(folder)}.html"
    Campaign.open(folder).report(page, confidence=confidence, count=count, worth=worth)
    if as_json:
        emit_json({"page": page})
        return
    click.echo(page)
