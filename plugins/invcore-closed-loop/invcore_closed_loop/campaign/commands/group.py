"""``invcore campaign``: a loop at work in a folder, for laboratories."""

from __future__ import annotations

import click

from invcore_closed_loop.campaign.commands.ask import ask
from invcore_closed_loop.campaign.commands.change import change
from invcore_closed_loop.campaign.commands.export import export
from invcore_closed_loop.campaign.commands.new import new
from invcore_closed_loop.campaign.commands.report import report
from invcore_closed_loop.campaign.commands.run import run
from invcore_closed_loop.campaign.commands.status import status
from invcore_closed_loop.campaign.commands.tell import tell


@click.group()
def campaign() -> None:
    """Ask for designs, make and measure them, tell what came of them: in a folder, for days.

    \b
    invcore campaign new alloy --bounds cu=0:5 --response strength --want 'strength>=300'
    invcore campaign ask alloy -n 5 --out next.xlsx
    invcore campaign tell alloy next.xlsx
    invcore campaign run wing --simulator wing.toml --budget 60
    invcore campaign status alloy
    """  # noqa: D301 - click wants the character


for command in (new, ask, tell, run, status, report, export, change):
    campaign.add_command(command)
