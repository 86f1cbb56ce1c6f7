"""``invcore doctor``: is everything here that a run needs, and if not, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from invcore.cli.options import json_option, store_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from invcore.cli.views.doctor_checks import Check

_NAME = 28  # cells of the names' column
_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@store_option
@click.option("--repair", is_flag=True, help="Mend what faults have left in the store.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, store_path: str, repair: bool, as_json: bool) -> None:
    """Check versions, devices, plugins and the store.

    Every component is imported, and every file of the store is read. --repair looks at the store
    alone, or at the folder of a loop or campaign that --store names: what was left unfinished is
    removed, what is damaged is moved to its folder damaged/. The exit status is 1 if there is a
    problem.
    """
    from itertools import chain
    from pathlib import Path

    from invcore.base.progress import terminal_progress
    from invcore.cli.console import emit_json, stdout
    from invcore.cli.views.doctor_checks import check_all
    from invcore.cli.views.store_findings import check_findings
    from invcore.registry.loader import installed

    console = stdout()
    checks: list[Check] = []
    general = () if repair else check_all(installed(), store_path)

    def stored() -> Iterator[Check]:
        with terminal_progress() as progress:  # its bar is gone before lines are shown
            found = [*check_findings(Path(store_path), repair=repair, progress=progress)]
        yield from found

    for check in chain(general, stored()):
        checks.append(check)
        if not as_json:
            _show(check, console)
    counts = {state: sum(check.state == state for check in checks) for state in _MARKS}
    if as_json:
        emit_json({"ok": not counts["problem"], "checks": [vars(check) for check in checks]})
    else:
        summary = f"{counts['problem']} problems, {counts['warning']} warnings"
        console.print(f"\n{summary if counts['problem'] + counts['warning'] else 'all is well'}")
    ctx.exit(1 if counts["problem"] else 0)


def _show(check: Check, console: Console) -> None:
    """One line of the list, and what to do below it."""
    from rich.text import Text

    from invcore.cli.text_table import wrap

    mark, colour = _MARKS[check.state]
    lines = wrap(check.found, console.width - _NAME - 2)
    console.print(Text.assemble((mark, colour), f" {check.name:<{_NAME - 2}} {lines[0]}"))
    for line in lines[1:]:
        console.print(" " * (_NAME + 1) + line)
    if check.advice:
        console.print(Text(" " * (_NAME + 1) + f"-> {check.advice}", style=colour))
