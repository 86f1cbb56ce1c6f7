"""``invcore plugins``: what is installed, and why a broken plugin is broken. No torch here."""

import click

from invcore.base.component_kinds import KINDS
from invcore.cli.options import json_option

_COLUMNS = ("name", "version", "entry_point", "components", "status")


@click.command()
@json_option
def plugins(as_json: bool) -> None:
    """List the plugins, and why a broken one is broken.

    The exit status is 0 all the same; `invcore doctor` gives 1 where something is broken.
    """
    from invcore.cli import text_table as plain
    from invcore.cli.console import emit_json
    from invcore.registry.loader import installed
    from invcore.registry.requirements import unmet_requirements

    infos, registry = installed().infos, installed().registry
    if as_json:
        entries = [entry for kind in KINDS for entry in registry.entries(kind)]
        shared = [entry for entry in entries if registry.status(entry) != "ok"]
        keys = (*_COLUMNS, "cause", "api")
        emit_json([
            {key: getattr(info, key) for key in keys}
            | {"unmet": [str(unmet) for unmet in unmet_requirements(info.name)]}
            | {"clashes": [f"{e.kind} {e.name}" for e in shared if e.plugin == info.name]}
            for info in infos
        ])  # fmt: skip
        return
    if not infos:
        click.echo("no plugins; `pip install 'invcore[standard]'` brings the first ones")
        return
    titles = ("plugin", "version", "entry point", "components", "status")
    plain.show(titles, [[str(getattr(i, key)) for key in _COLUMNS] for i in infos], wrapped=2)
    for info in infos:
        if info.status == "other API":
            click.echo(f"\n{info.complaint}")
        elif info.cause:
            click.echo(f"\n{info.name} {info.version} ({info.entry_point}) is broken:")
            click.echo(f"  {info.cause}")
    for name in dict.fromkeys(info.name for info in infos):
        for unmet in unmet_requirements(name):
            click.echo(f"\nplugin {name} {unmet}")
    for kind in KINDS:
        for line in registry.clashes(kind):
            click.echo(f"\n{line}")
