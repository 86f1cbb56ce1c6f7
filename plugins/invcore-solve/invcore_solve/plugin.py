"""What this package adds to invcore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``solve``; what is heavy is imported when it is called."""
    from invcore_solve.commands.solve import solve

    group.add_command(solve)
