"""``invcore describe``: what a component does, its settings and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from invcore.cli.options import ComponentName, json_option
from invcore.component import KINDS, Kind

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 100  # cells that a table with the meanings in it needs
_MOST = 16  # variables of a space that are shown


class _Name(click.ParamType):
    """A component's name, completed for the kind that stands before it."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        kind = ctx.params.get("kind")
        return ComponentName(kind).shell_complete(ctx, param, incomplete) if kind in KINDS else []


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", type=_Name())
@json_option
def describe(kind: Kind, name: str, as_json: bool) -> None:
    """Say what a component does, its settings and references.

    \b
    invcore describe method na
    invcore describe task ballistics
    """
    from invcore.cli.console import emit_json, stdout
    from invcore.cli.facts import facts
    from invcore.plugins import installed

    document = facts(installed().registry, kind, name)
    if as_json:
        emit_json(document)
    else:
        _show(document, stdout())


def _show(document: dict[str, Any], console: Console) -> None:
    """The facts for people, what it does first."""
    console.print(f"[bold]{document['kind']} {document['name']}[/bold]", highlight=False)
    for paragraph in document["description"].split("\n"):
        console.print(paragraph, markup=False)
    console.print()
    lines = {"plugin": f"{document['plugin']} {document['version']}"}
    if document["tags"]:
        lines["tags"] = ", ".join(document["tags"])
    if "needs" in document:
        lines["needs"] = ", ".join(document["needs"]) or "nothing but the targets"
    if "differentiable" in document:
        lines["gradients"] = "yes" if document["differentiable"] else "no"
    if "latin" in document:
        lines["latin"] = "yes" if document["latin"] else "no"
    for word, text in lines.items():
        console.print(f"{word:<10} {text}", markup=False)
    for kind in ("designs", "responses"):
        if kind in document:
            _show_space(kind, document[kind], console)
    _show_settings(document, console)
    _show_presets(document["presets"], console)
    if document["references"]:
        _heading("references", console)
        for reference in document["references"]:
            console.print(f"- {reference}", markup=False)


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(text, style="bold", markup=False)


def _show_space(kind: str, variables: list[dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table

    designs = kind == "designs"
    _heading(f"{kind}, {'x' if designs else 'y'}: {len(variables)}", console)
    rows = table("name", "unit", *(("prior", "bounds") if designs else ()), "description")
    for v in variables[:_MOST]:
        drawn = (_prior(v["prior"]), f"{_end(v['low'], '-')} .. {_end(v['high'], '')}")
        rows.add_row(*map(_text, (v["name"], v["unit"], *(drawn * designs), v["description"])))
    console.print(rows)
    if len(variables) > _MOST:
        console.print(f"and {len(variables) - _MOST} more; --json has all", markup=False)


def _show_settings(document: dict[str, Any], console: Console) -> None:
    """A table where there is room for the meanings; where not, they go below each setting."""
    from invcore.cli.console import table
    from invcore.cli.fields import FieldRow, value_text

    settings = [FieldRow(**row) for row in document["settings"]]
    if not settings:
        console.print("\nno settings", markup=False)
        return
    wide = console.width >= _WIDE
    _heading("settings", console)
    rows = table("field", "type", "default", "range", *(["meaning"] if wide else []))
    for row in settings:
        default = "(required)" if row.required else value_text(row.default)
        cells = [row.field, row.type, default, row.allowed]
        rows.add_row(*map(_text, [*cells, *([row.meaning] if wide else [])]))
    console.print(rows)


def _show_presets(presets: dict[str, dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table
    from invcore.cli.fields import value_text

    if not presets:
        return
    _heading("what the presets change", console)
    rows = table("preset", "field", "value")
    for preset, changes in presets.items():
        for i, (field, value) in enumerate(changes.items()):
            rows.add_row(*map(_text, ("" if i else preset, field, value_text(value))))
    console.print(rows)


def _text(cell: str) -> Any:
    """A cell that is shown as it is: a plugin's brackets are no markup."""
    from rich.text import Text

    return Text(cell)


def _prior(prior: dict[str, Any] | None) -> str:
    """``normal, mean 0, std 0.5``; the ends stand in the bounds."""
    if prior is None:
        return ""
    rest = [f"{k} {v}" for k, v in prior.items() if k not in ("kind", "low", "high") and v]
    return ", ".join([prior["kind"], *rest])


def _end(value: float | None, sign: str) -> str:
    return f"{sign}inf" if value is None else f"{value:.4g}"
