"""``invcore list-tasks``, ``list-methods``, ``list-samplers``, ``list-metrics``. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import json_option

if TYPE_CHECKING:
    from invcore.base.kinds import Kind
    from invcore.registry.loader import Plugins


@click.command("list-tasks")
@json_option
def list_tasks(as_json: bool) -> None:
    """List the tasks.

    Each is a forward system with its spaces; `invcore describe task NAME` says more.
    """
    _show("task", as_json)


@click.command("list-methods")
@json_option
def list_methods(as_json: bool) -> None:
    """List the inverse methods.

    `invcore describe method NAME` has a method's settings, `invcore run --method NAME` tries it.
    """
    _show("method", as_json)


@click.command("list-samplers")
@json_option
def list_samplers(as_json: bool) -> None:
    """List the samplers.

    A sampler's points drive a method's randomness: `invcore run --sampler NAME`.
    """
    _show("sampler", as_json)


@click.command("list-metrics")
@json_option
def list_metrics(as_json: bool) -> None:
    """List the metrics.

    Every run is judged by all of them; `invcore describe metric NAME` says more.
    """
    _show("metric", as_json)


def document(kind: Kind, plugins: Plugins) -> list[dict[str, Any]]:
    """The components of a kind as ``--json`` prints them."""
    return [
        {
            "name": entry.component.name,
            "summary": entry.component.summary,
            "plugin": entry.plugin,
            "version": entry.version,
            "status": plugins.registry.status(entry),
            "tags": list(entry.component.tags),
        }
        for entry in plugins.registry.entries(kind)
    ]


def _show(kind: Kind, as_json: bool) -> None:
    """The listing, and on standard error what keeps components out of it."""
    from invcore.cli import text_table as plain
    from invcore.cli.console import emit_json, warn
    from invcore.registry.loader import installed

    plugins = installed()
    found = document(kind, plugins)
    if as_json:
        emit_json(found)
    elif found:
        names = ("name", "summary", "plugin", "version", "status")
        rows = [[*(c[key] for key in names[:-1]), _word(c["status"])] for c in found]
        plain.show(names, rows, wrapped=1)
    else:
        click.echo(f"no {kind}s; `pip install 'invcore[standard]'` brings some")
    for name, status in sorted({(c["name"], c["status"]) for c in found if c["status"] != "ok"}):
        warn(f"{kind} {name!r}: {status}: uninstall one of them")
    for info in plugins.infos:
        if info.cause:
            warn(f"plugin {info.name} {info.version} is broken: {info.cause}")


def _word(status: str) -> str:
    """The status in a word; the rest is said below the table."""
    return status if status == "ok" else "name taken"
