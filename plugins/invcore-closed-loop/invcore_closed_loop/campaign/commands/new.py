"""``invcore campaign new``: begin a campaign."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from invcore.cli.kit import (
    ComponentName,
    bound,
    emit_json,
    json_option,
    setting_option,
    store_option_beside_out,
    warn,
)
from invcore_closed_loop.campaign.commands.options import (
    designs_in_words,
    folder_argument,
    numbers_by_name,
    pairs,
)


@click.command()
@folder_argument
@click.option(
    "--bounds",
    multiple=True,
    metavar="NAME=LOW:HIGH",
    help="A design that can be made between two values; may be repeated.",
)
@click.option("--category", multiple=True, metavar="NAME=A,B,…", help="A design of named choices.")
@click.option("--whole", multiple=True, metavar="NAME", help="A design of whole numbers.")
@click.option(
    "--levels",
    multiple=True,
    metavar="NAME=A,B,…|LOW:HIGH:STEP",
    help="The values of a design that can be made.",
)
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    metavar="TEXT",
    help="What designs have to satisfy, e.g. 'cu + mg <= 6'.",
)
@click.option("--among", metavar="FILE", help="Designs to choose from.")
@click.option("--space", metavar="FILE", help="Designs and responses from a TOML file, instead.")
@click.option(
    "--response",
    "responses",
    multiple=True,
    metavar="NAME|'NAME = EXPRESSION'",
    help="What is measured, perhaps with its unit, 'strength [MPa]'; or computed.",
)
@click.option(
    "--want",
    multiple=True,
    metavar="WISH",
    help="What is wanted of a response, e.g. 'strength>=300' or 'cost=min'; may be repeated.",
)
@click.option(
    "--known",
    metavar="FILE|FOLDER|RUN_ID",
    help="Rows that were measured before: a table, another campaign, a stored run.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="NAME",
    help="A column of --known that is no design, where it says what designs are.",
)
@click.option(
    "--noise",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Standard deviation of a response's measurement, where it is known.",
)
@click.option(
    "--loop",
    type=ComponentName("loop"),
    default="closed-loop",
    show_default=True,
    help="What asks for designs.",
)
@setting_option("A setting of the loop; may be repeated.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Root of all randomness."
)
@click.option("--yes", is_flag=True, help="Take what was found in a table, without asking.")
@store_option_beside_out
@json_option
def new(folder: str, as_json: bool, **options: Any) -> None:
    """Begin a campaign in FOLDER.

    Designs are said by --bounds, --category and --space; else they are the columns of --known that
    are no responses, as `invcore inspect` finds them. Nothing is asked for yet.

    \b
    invcore campaign new alloy --bounds cu=0:5 --bounds mg=0:3 --category oven=A,B \\
        --response 'strength [MPa]' --response 'cost = 2*cu + 4*mg' \\
        --want 'strength>=300' --want cost=min
    """  # noqa: D301 - click wants the character
    designs: dict[str, Any] = {}
    for text in options["bounds"]:
        name, ends = bound(text)
        _once(designs, name, "bounds")
        designs[name] = ends
    for name, names in pairs(options["category"], "category").items():
        _once(designs, name, "category")
        designs[name] = [part.strip() for part in names.split(",")]
        if len(designs[name]) < 2:
            raise click.UsageError(f"--category {name}={names}: expected NAME=A,B,…")
    noise = numbers_by_name(options["noise"], "noise")
    levels = pairs(options["levels"], "levels")
    if options["space"] and (designs or options["responses"]):
        raise click.UsageError(
            "--space says what designs and responses are: no --bounds, "
            "--category or --response beside it"
        )
    if not options["responses"] and not options["space"]:
        raise click.UsageError("say what is measured: --response strength")
    if not options["want"]:
        raise click.UsageError("say what is wanted: --want 'strength>=300'")
    if not designs and not options["space"] and not options["known"]:
        raise click.UsageError(
            "say what can be made: --bounds cu=0:5, --category, --space FILE or --known FILE"
        )
    from invcore.plugin import component_settings, installed

    config = installed().registry.load("loop", options["loop"]).Config
    settings = component_settings(list(options["settings"]), config)
    if options["known"] and not designs and not options["space"]:
        _show_found(options, as_json)
    from invcore.results import Store
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.spaces import read_space

    given, responses = (designs or None, list(options["responses"]))
    if options["space"]:
        given, responses = read_space(options["space"])  # type: ignore[assignment]
    campaign = Campaign.new(
        folder, given, responses, options["want"], known=options["known"], whole=options["whole"],
        levels=levels, constraints=options["constraints"], among=options["among"], noise=noise,
        ignore=options["ignore"], loop=options["loop"], settings=settings, seed=options["seed"],
        store=Store(options["store_path"]),
    )  # fmt: skip
    problem, facts = campaign.problem, campaign.facts
    if as_json:
        emit_json({
            "folder": folder, "designs": list(problem.designs.names),
            "responses": list(problem.responses.names), "measured": list(campaign.measured),
            "constraints": list(problem.designs.constraint_texts), "wanted": list(facts.want),
            "known": len(campaign.data()[0]), "loop": campaign.journal.loop.name,
            "notes": list(campaign.notes),
        })  # fmt: skip
        return
    from invcore_solve.measured.frames import with_unit

    from invcore.cli.kit import stdout

    console = stdout()
    for note in campaign.notes:
        console.print(note)
    console.print(f"campaign {campaign.name}")
    console.print(f"designs: {designs_in_words(problem.designs)}")
    named = [
        with_unit(v) + ("" if v.name in campaign.measured else " (computed)")
        for v in problem.responses.variables
    ]
    console.print(f"responses: {', '.join(named)}")
    console.print(f"wanted: {'; '.join(facts.want)}")
    console.print(f"next: invcore campaign ask {shlex.quote(folder)} -n 5 --out next.xlsx")


def _once(designs: dict[str, Any], name: str, option: str) -> None:
    if name in designs:
        raise click.UsageError(f"--{option}: design {name!r} is named twice")


def _show_found(options: dict[str, Any], as_json: bool) -> None:
    """Show what a table says of its columns; on a terminal, ask whether that is right."""
    import os

    from invcore_solve.measured.sources import read_known

    from invcore.cli.kit import safe
    from invcore_closed_loop.campaign.table_designs import found_designs

    known = options["known"]
    if not os.path.isfile(known) or options["yes"] or as_json or not sys.stdin.isatty():
        return
    measured = [text for text in options["responses"] if "=" not in text]
    lines = found_designs(
        read_known(known, None), measured, ignore=options["ignore"], whole=options["whole"]
    )[1]
    for line in lines:
        click.echo(safe(line))
    if not click.confirm("begin a campaign with these designs?", default=True):
        warn("nothing was begun; --bounds, --whole and --ignore say otherwise")
        raise click.Abort
