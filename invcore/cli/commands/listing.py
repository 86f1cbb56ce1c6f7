"""``invcore list-tasks``, ``list-methods`` and the like, one for each kind. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import json_option

if TYPE_CHECKING:
    from invcore.base.component_kinds import Kind
    from invcore.registry.loader import Plugins


def _listing(kind: Kind, help: str) -> click.Command:
    """The command that lists the components of a kind."""

    @click.command(f"list-{kind}s", help=help)
    @json_option
    def command(as_json: bool) -> None:
        _show(kind, as_json)

    return command


list_tasks = _listing("task", """List the tasks.

    Each is a forward system with its spaces; `invcore describe task NAME` says more.
    """)  # fmt: skip
list_methods = _listing("method", """List the inverse methods.

    `invcore describe method NAME` has a method's settings, `invcore run --method NAME` tries it.
    """)  # fmt: skip
list_loops = _listing("loop", """List the loops.

    A loop asks for rows and is told their responses; each is a method too.
    """)  # fmt: skip
list_surrogates = _listing("surrogate", """List the surrogates.

    A surrogate stands in for the simulator, and says how sure it is.
    """)  # fmt: skip
list_judges = _listing("judge", """List the judges.

    A judge says how good designs are where there is only a table: `invcore solve --judge NAME`.
    """)  # fmt: skip
list_samplers = _listing("sampler", """List the samplers.

    A sampler's points drive a method's randomness: `invcore run --sampler NAME`.
    """)  # fmt: skip
list_metrics = _listing("metric", """List the metrics.

    Every run is judged by all of them; `invcore describe metric NAME` says more.
    """)  # fmt: skip


def document(kind: Kind, plugins: Plugins) -> list[dict[str, Any]]:
    """The components of a kind as ``--json`` prints them."""
    rows = []
    for entry in plugins.registry.entries(kind):
        status = plugins.registry.status(entry)
        rows.append({
            "name": entry.name, **({"qualified": entry.qualified} if status != "ok" else {}),
            "summary": entry.component.summary, "plugin": entry.plugin, "version": entry.version,
            "status": status, "tags": list(entry.component.tags),
        })  # fmt: skip
    return rows


def _show(kind: Kind, as_json: bool) -> None:
    """The listing, and on standard error what keeps components out of it."""
    from invcore.cli.console import emit_json, warn
    from invcore.registry.loader import installed

    plugins = installed()
    components = document(kind, plugins)
    if as_json:
        emit_json(components)
    elif components:
        from invcore.cli import text_table

        names = ("name", "summary", "plugin", "version", "status")
        for component in components:
            if "qualified" in component:  # what to type; more below the table
                component |= {"name": component["qualified"], "status": "name taken"}
        text_table.show(names, [[c[n] for n in names] for c in components], wrapped=1)
    else:
        click.echo(f"no {kind}s; `pip install 'invcore[standard]'` brings some")
    for line in plugins.registry.clashes(kind):
        warn(line)
    for info in plugins.infos:
        if info.cause:
            warn(info.complaint)
