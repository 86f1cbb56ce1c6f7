"""``invcore campaign run``: a simulator answers what a campaign asks."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

import click

from invcore.cli.kit import (
    build_executor,
    emit_json,
    executor_options,
    json_option,
    progress,
    safe,
)
from invcore.plugin import installed
from invcore_closed_loop.campaign.commands.options import best_row, echo_best, folder_argument


@click.command()
@folder_argument
@click.option(
    "--simulator", required=True, metavar="SIMULATOR",
    help="module:function, or a simulator's .toml file.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1),
    help="Rows simulated at the same time; default 1, or an --executor's own number.",
)  # fmt: skip
@click.option(
    "--budget", type=click.IntRange(1),
    help="The most rows of the campaign in all, those asked for before among them; else no limit.",
)  # fmt: skip
@executor_options("", "--executor-set", jobs=False)
@json_option
def run(
    folder: str, simulator: str, workers: int | None, budget: int | None, executor: str | None,
    scheduler: str | None, executor_settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Have a simulator answer what the campaign asks, until all that is wanted is met.

    Rows are asked for while workers are free, and each result is told as it comes. It ends when a
    row meets all that is wanted, when the loop has nothing more to ask, or when the budget is
    spent. A run that was stopped goes on by the same command: rows that are pending are simulated
    first, and no row twice. A row without a response is told as failed.

    \b
    invcore campaign run wing --simulator wing.toml --budget 60 --workers 4
    invcore campaign run wing --simulator mine:simulate --executor dask --scheduler tcp://host:8786
    """  # noqa: D301 - click wants the character
    found = None
    if executor is not None or scheduler is not None or executor_settings:
        found = build_executor(
            installed(), executor=executor, jobs=workers, scheduler=scheduler,
            executor_settings=executor_settings,
        )  # fmt: skip
    from invcore_closed_loop.campaign.campaign import Campaign

    campaign = Campaign.open(folder)
    with progress() as bars, redirect_stdout(sys.stderr):  # a function may print
        done = campaign.run(
            simulator, executor=found, workers=workers, budget=budget, progress=bars
        )
    if as_json:
        emit_json({**done.document(), "best": best_row(campaign)})
        return
    click.echo(safe(done.text))
    echo_best(campaign)
