"""``invcore campaign change``: go on for something else."""

from __future__ import annotations

import click

from invcore.cli.kit import bound, emit_json, json_option, safe
from invcore_closed_loop.campaign.commands.options import (
    designs_in_words,
    folder_argument,
    numbers_by_name,
)


@click.command()
@folder_argument
@click.option(
    "--want",
    multiple=True,
    metavar="WISH",
    help="In the place of wishes of the same response; others stay. NAME=any takes one back.",
)
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    metavar="TEXT",
    help="Beside those that there are.",
)
@click.option(
    "--bounds", multiple=True, metavar="NAME=LOW:HIGH", help="In the place of those before."
)
@click.option(
    "--noise",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Standard deviation of a response's measurement.",
)
@json_option
def change(
    folder: str, want: tuple[str, ...], constraints: tuple[str, ...], bounds: tuple[str, ...],
    noise: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Change what is wanted or what can be made; all that was told stays known.

    \b
    invcore campaign change alloy --want 'strength>=320' --constraint 'mg <= 2'
    """  # noqa: D301 - click wants the character
    ends, stated = dict(bound(text) for text in bounds), numbers_by_name(noise, "noise")
    if not (want or constraints or ends or stated):
        raise click.UsageError("say what is to change: --want, --constraint, --bounds or --noise")
    from invcore_closed_loop.campaign.campaign import Campaign

    campaign = Campaign.open(folder)
    replaced = campaign.change(want=want, constraints=constraints, bounds=ends, noise=stated)
    designs, facts = campaign.problem.designs, campaign.facts
    if as_json:
        emit_json({
            "wanted": list(facts.want), "replaced": list(replaced),
            "constraints": list(designs.constraint_texts),
            "bounds": {
                v.name: list(v.bounds) for v in designs.variables if not v.categories
            },
            "noise": dict(facts.noise),
        })  # fmt: skip
        return
    if replaced:
        click.echo(safe(f"no longer wanted: {'; '.join(replaced)}"))
    click.echo(safe(f"wanted: {'; '.join(facts.want)}"))
    click.echo(safe(f"designs: {designs_in_words(designs)}"))
