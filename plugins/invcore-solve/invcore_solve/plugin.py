"""What this package adds to invcore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import Component, hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``solve``, ``inspect`` and ``predict``; what is heavy is imported when they are called."""
    from invcore_solve.commands.inspect import inspect
    from invcore_solve.commands.predict import predict
    from invcore_solve.commands.solve import solve

    for command in (solve, inspect, predict):
        group.add_command(command)


@hookimpl
def invcore_judges() -> list[Component]:
    """Return the judges; ``solve`` asks the first on a table, the other beside a simulator."""
    return [
        Component(
            "stacked-surrogates",
            "Surrogates of several kinds, stacked; errors that hold for what is chosen.",
            "invcore_solve.judging.stacked_surrogates:StackedSurrogates",
            references=(
                "Breiman, Stacked regressions, Machine Learning 24, 1996",
                "Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, "
                "https://arxiv.org/abs/1604.04173",
            ),
            tags=("table", "calibrated", "few rows"),
        ),
        Component(
            "conformal-ensemble",
            "Networks whose spread is calibrated on held-out rows.",
            "invcore_solve.judging.conformal_ensemble:ConformalEnsemble",
            references=(
                "Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, "
                "https://arxiv.org/abs/1604.04173",
            ),
            tags=("table", "calibrated"),
        ),
    ]
