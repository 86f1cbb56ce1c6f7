"""What this package adds to invcore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``report`` and ``compare``; what is heavy is imported when they are called."""
    from invcore_report.commands import compare, report

    group.add_command(report)
    group.add_command(compare)
