"""``invcore plugins``: what is installed, and why a broken plugin is broken. No torch here."""

from __future__ import annotations

import click

from invcore.cli.options import json_option


@click.command()
@json_option
def plugins(as_json: bool) -> None:
    """List the plugins, and why a broken one is broken.

    The exit status is 0 all the same; `invcore doctor` gives 1 where something is broken.
    """
    from invcore.cli import text_table as plain
    from invcore.cli.console import emit_json
    from invcore.registry.loader import installed

    infos = installed().infos
    if as_json:
        emit_json(
            [
                {
                    "name": info.name,
                    "version": info.version,
                    "entry_point": info.entry_point,
                    "components": info.components,
                    "status": info.status,
                    "cause": info.cause,
                }
                for info in infos
            ]
        )
        return
    if not infos:
        click.echo("no plugins; `pip install 'invcore[standard]'` brings the first ones")
        return
    rows = [
        [info.name, info.version, info.entry_point, str(info.components), info.status]
        for info in infos
    ]
    names = ("plugin", "version", "entry point", "components", "status")
    plain.show(names, rows, wrapped=2)
    for info in infos:
        if info.cause:
            click.echo(f"\n{info.name} {info.version} ({info.entry_point}) is broken:")
            click.echo(f"  {info.cause}")
