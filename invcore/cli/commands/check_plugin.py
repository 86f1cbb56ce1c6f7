"""``invcore check-plugin``: the conformance kit on what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from invcore.cli.options import json_option, setting_option

if TYPE_CHECKING:
    from invcore.testing import Report


@click.command("check-plugin")
@click.argument("what", metavar="PLUGIN|KIND/NAME")
@setting_option("One setting, e.g. surrogate.training.epochs=20, to be quick; may be repeated.")
@json_option
@click.pass_context
def check_plugin(ctx: click.Context, what: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Run the conformance kit on a plugin.

    Does what is installed keep its contracts? The exit code is 1 if it does not.
    Components run with their preset "quick".

    \b
    invcore check-plugin invcore-na
    invcore check-plugin method/na --set surrogate.training.epochs=20
    """  # noqa: D301 - click wants the character
    from invcore.cli.console import emit_json, progress
    from invcore.registry.loader import installed
    from invcore.testing import check_plugin as check

    with progress() as bars:
        reports = list(check(what, installed(), settings, bars))
    passed = all(report.passed for report in reports)
    if as_json:
        components = [report.document() for report in reports]
        emit_json({"what": what, "passed": passed, "components": components})
    else:
        for report in reports:
            show(report)
    ctx.exit(0 if passed else 1)


def show(report: Report) -> None:
    """A component's outcomes as a table for people."""
    from rich.text import Text

    from invcore.cli.console import stdout, table

    look = {"passed": "green", "failed": "bold red", "not applicable": "dim"}
    rows = table("check", "outcome", "why", title=f"{report.kind} {report.name} ({report.plugin})")
    for o in report.outcomes:
        rows.add_row(o.check.name, Text(o.result, look[o.result]), Text(o.why or o.check.meaning))
    counts = [sum(o.result == result for o in report.outcomes) for result in look]
    console = stdout()
    console.print(rows)
    console.print("{} passed, {} failed, {} not applicable".format(*counts))
