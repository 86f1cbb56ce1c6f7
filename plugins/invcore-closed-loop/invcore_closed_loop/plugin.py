"""What this plugin adds; imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import Component, hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``campaign``; what is heavy is imported when it is called."""
    from invcore_closed_loop.campaign.commands.group import campaign

    group.add_command(campaign)


@hookimpl
def invcore_loops() -> list[Component]:
    """Return the loop of few calls."""
    return [
        Component(
            "closed-loop",
            "A surrogate of all rows, expected improvement, and a polish: for costly simulators.",
            "invcore_closed_loop.closed_loop:ClosedLoop",
            references=(
                "Jones, Schonlau, Welch, Efficient global optimization of expensive black-box "
                "functions, Journal of Global Optimization 13, 1998, "
                "https://doi.org/10.1023/A:1008306431147",
                "Broyden, A class of methods for solving nonlinear simultaneous equations, "
                "Mathematics of Computation 19, 1965, "
                "https://doi.org/10.1090/S0025-5718-1965-0198670-6",
            ),
            tags=("simulator", "optimisation", "ranked", "context"),
        ),
    ]
