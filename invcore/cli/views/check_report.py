"""What the conformance kit found of a component, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore.base.text import counted

if TYPE_CHECKING:
    from rich.text import Text

    from invcore.testing import Outcome, Report

_LOOK = {
    "passed": "green", "failed": "bold red", "expected failure": "yellow", "not applicable": "dim",
}  # fmt: skip
_POOR = "poor quality"


def show(report: Report, *, debug: bool = False) -> None:
    """A component's outcomes as a table, one row a cause of failure, and what they come to.

    Args:
        report: of the component.
        debug: whether to show where what was raised came from.
    """
    from invcore.cli.console import stdout, table
    from invcore.testing.report import traceback_of

    console, causes = stdout(), report.causes
    rows = table("check", "outcome", "why", title=f"{report.kind} {report.name} ({report.plugin})")
    shown = [outcome for outcome in report.outcomes if not outcome.stopped]
    for o in shown:
        rows.add_row(o.check.name, _result(o), _why(o, causes.get(o.check.name, ())))
    console.print(rows)
    console.print(summary(report))
    if debug:
        for outcome in shown:
            if outcome.error is not None:
                console.print(f"\n{outcome.check.name}:\n{traceback_of(outcome)}", end="")


def summary(report: Report) -> str:
    """How many checks ended how, and how many did not come to their end."""
    outcomes = report.outcomes
    poor, stopped = sum(o.poor for o in outcomes), sum(o.stopped for o in outcomes)
    numbers = {result: sum(o.result == result for o in outcomes) for result in _LOOK}
    numbers["failed"] -= poor + stopped
    parts = [f"{numbers['passed']} passed", f"{numbers['failed']} failed"]
    parts += [f"{stopped} stopped by these failures"] * bool(stopped)
    parts += [f"{poor} of {_POOR}"] * bool(poor)
    parts += [counted(n, "expected failure") for n in [numbers["expected failure"]] if n]
    parts += [f"{numbers['not applicable']} not applicable"]
    parts += [f"{len(report.not_run)} not run"] * bool(report.not_run)
    return ", ".join(parts)


def poor_quality(report: Report) -> str:
    """That a component is not good, in one line: whatever else, it may keep its contract."""
    names = ", ".join(outcome.check.name for outcome in report.outcomes if outcome.poor)
    verdict = "conforms" if report.conforms else "does not conform"
    return f"{report.kind} {report.name} {verdict}, and its quality is poor: {names}" + (
        "" if report.strict else " (--strict makes that a failure)"
    )


def _result(o: Outcome) -> Text:
    from rich.text import Text

    return Text(_POOR, "yellow") if o.poor else Text(o.result, _LOOK[o.result])


def _why(o: Outcome, stopped: tuple[str, ...]) -> Text:
    from rich.text import Text

    more = f" (stops {len(stopped)} more: {', '.join(stopped)})" if stopped else ""
    return Text((o.why or o.check.meaning) + more)
