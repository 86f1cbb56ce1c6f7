"""What this package adds to invcore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import Component, hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``solve``; what is heavy is imported when it is called."""
    from invcore_solve.commands.solve import solve

    group.add_command(solve)


@hookimpl
def invcore_judges() -> list[Component]:
    """Return the judge that ``solve`` asks where nobody else is named."""
    return [
        Component(
            "conformal-ensemble",
            "Networks whose spread is calibrated on held-out rows.",
            "invcore_solve.judge_component:ConformalEnsemble",
            references=(
                "Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, "
                "https://arxiv.org/abs/1604.04173",
            ),
            tags=("table", "calibrated"),
        )
    ]
