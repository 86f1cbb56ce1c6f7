"""``invcore campaign status``: how it stands, what comes next, when to stop."""

from __future__ import annotations

from typing import Any

import click

from invcore.cli.kit import emit_json, json_option, safe
from invcore_closed_loop.campaign.commands.options import (
    confidence_option,
    count_option,
    folder_argument,
    worth_of,
    worth_options,
)


@click.command()
@folder_argument
@confidence_option
@count_option
@worth_options
@json_option
def status(folder: str, confidence: float, count: int, as_json: bool, **options: Any) -> None:
    """Say how a campaign stands: the best design, how sure it is, what a next batch may bring.

    The probability is that of the best design's true response, by all rows and by the noise of
    measurements: a single lucky measurement does not count as sure.

    \b
    invcore campaign status alloy --confidence 0.95
    invcore campaign status alloy --cost-of-experiment 80 --worth 20000 --worth cost=500
    """  # noqa: D301 - click wants the character
    worth = worth_of(options)
    from invcore_closed_loop.campaign.campaign import Campaign

    found = Campaign.open(folder).status(confidence=confidence, count=count, worth=worth)
    if as_json:
        emit_json(found.document())
        return
    for line in found.lines():
        click.echo(safe(line))
