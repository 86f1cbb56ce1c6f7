"""``invcore new-plugin``: a package to start from."""

from typing import Any

import click

from invcore.base.component_kinds import KINDS
from invcore.cli.options import json_option


@click.command("new-plugin")
@click.argument("distribution")
@click.option(
    "--kind", type=click.Choice(KINDS), default="method", show_default=True,
    help="What the plugin adds.",
)  # fmt: skip
@click.option("--name", help="Of the component; default DISTRIBUTION without 'invcore-'.")
@click.option(
    "--into", type=click.Path(file_okay=False), default=".", show_default=True,
    help="Folder to write it in.",
)  # fmt: skip
@json_option
def new_plugin(distribution: str, kind: Any, name: str | None, into: str, as_json: bool) -> None:
    """Write a plugin package to start from.

    It works as it is. DISTRIBUTION is what pip will install.

    \b
    invcore new-plugin invcore-foo --kind method --name foo
    """  # noqa: D301 - click wants the character
    from pathlib import Path

    from invcore.cli.console import emit_json, stdout
    from invcore.registry.loader import installed
    from invcore.registry.scaffold import NewPlugin

    plugin = NewPlugin(distribution, kind, name or distribution.removeprefix("invcore-"))
    owners = [
        entry.plugin
        for entry in installed().registry.entries(kind)
        if entry.name == plugin.name and entry.plugin != distribution
    ]
    if owners:
        raise click.UsageError(f"{kind} {plugin.name!r} belongs to {owners[0]}: choose another")
    folder = plugin.write(Path(into))
    steps = [
        f"pip install -e {folder}", f"invcore describe {kind} {plugin.name}",
        f"invcore check-plugin {distribution}", f"pytest {folder}",
    ]  # fmt: skip
    if as_json:
        emit_json({"path": str(folder), "files": sorted(plugin.files()), "next": steps})
        return
    console = stdout()
    console.print(f"{kind} {plugin.name} in {folder}: it works as it is. Next:")
    for step in steps:
        console.print(f"  {step}", soft_wrap=True)
