"""``invcore check-plugin``: the conformance kit on what is installed."""

import click

from invcore.cli.options import json_option, setting_option


@click.command("check-plugin")
@click.argument("what", metavar="PLUGIN|KIND/NAME")
@setting_option("One setting, e.g. surrogate.training.epochs=20, to be quick; may be repeated.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failed check.")
@click.option("--strict", is_flag=True, help="Poor quality is a failure, not a warning.")
@json_option
@click.pass_context
def check_plugin(
    ctx: click.Context, /, what: str, settings: tuple[str, ...], fail_fast: bool, strict: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Run the conformance kit on a plugin.

    Does what is installed keep its contracts? The exit code is 1 if it does not. How good answers
    are is told apart, and counts with --strict. Components run with their preset "quick"; --debug
    shows where what they raised came from.

    \b
    invcore check-plugin invcore-na
    invcore check-plugin method/na --set surrogate.training.epochs=20
    """  # noqa: D301 - click wants the character
    from invcore.cli.console import emit_json, progress, warn
    from invcore.cli.views.check_report import poor_quality, show
    from invcore.registry.loader import installed
    from invcore.testing import check_plugin as check

    debug = bool(ctx.find_root().params.get("debug", False))
    with progress() as bars:
        found = check(what, installed(), settings, bars, fail_fast=fail_fast, strict=strict)
        reports = list(found)
    passed = all(report.passed for report in reports)
    if as_json:
        emit_json({
            "what": what, "passed": passed, "strict": strict,
            "conforms": all(report.conforms for report in reports),
            "components": [report.document(debug=debug) for report in reports],
        })  # fmt: skip
    else:
        for report in reports:
            show(report, debug=debug)
    for report in reports:
        if report.quality == "poor":
            warn(poor_quality(report))
    ctx.exit(0 if passed else 1)
