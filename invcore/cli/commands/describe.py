"""``invcore describe``: what a component does, its settings and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from invcore.base.kinds import KINDS, Kind
from invcore.cli.options import ComponentName, json_option

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 100  # cells that a table of settings with their meanings takes
_MOST = 16  # variables of a space that are shown
_SET = {
    "task": "invcore run --task {} --set task.FIELD=VALUE",
    "method": "invcore run --method {} --set method.FIELD=VALUE",
    "sampler": "invcore run --sampler {} --set sampler.FIELD=VALUE",
    "metric": "invcore run --set metrics.{}.FIELD=VALUE",
}


class _Name(click.ParamType[str]):
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
    """  # noqa: D301 - click wants the character
    from invcore.cli.console import emit_json, stdout
    from invcore.cli.views.component_facts import facts
    from invcore.registry.loader import installed

    document = facts(installed().registry, kind, name)
    if as_json:
        emit_json(document)
    else:
        _show(document, stdout())


def _show(document: dict[str, Any], console: Console) -> None:
    """The facts for people, what it does first."""
    from invcore.cli.text_table import wrap

    console.print(f"{document['kind']} {document['name']}", style="bold", markup=False)
    console.print(f"{document['description']}\n", markup=False)
    for word, text in _lines(document).items():
        console.print(f"{word:<10} {text}", markup=False)
    for kind in ("designs", "responses"):
        if kind in document:
            _show_space(kind, document[kind], console)
    _show_settings(document, console)
    _show_presets(document["presets"], console)
    if document["references"]:
        _heading("references", console)
    for reference in document["references"]:
        for i, line in enumerate(wrap(reference, console.width - 2)):
            console.print(f"{'  ' if i else '- '}{line}", markup=False)


def _lines(document: dict[str, Any]) -> dict[str, str]:
    """The facts that take a line each."""
    lines = {"plugin": f"{document['plugin']} {document['version']}"}
    if document["tags"]:
        lines["tags"] = ", ".join(document["tags"])
    if "needs" in document:
        lines["needs"] = ", ".join(document["needs"]) or "nothing but the targets"
    for key, word in (("differentiable", "gradients"), ("latin", "latin")):
        if key in document:
            lines[word] = "yes" if document[key] else "no"
    if document.get("reference"):
        lines["reference"] = f"{document['reference']}, for better-than-reference"
    if document.get("context"):
        parts = (f"{name} {tuple(shape)}" for name, shape in document["context"].items())
        lines["context"] = f"{', '.join(parts)} of each target"
    if "note" in document:
        lines["note"] = document["note"]
    return lines


def _heading(text: str, console: Console) -> None:
    console.print(f"\n{text}", style="bold", markup=False)


def _show_space(kind: str, variables: list[dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table

    designs = kind == "designs"
    _heading(f"{kind} {'x' if designs else 'y'}, {len(variables)} dim", console)
    rows = table("name", "unit", *(("prior", "bounds") if designs else ()), "description")
    for v in variables[:_MOST]:
        drawn = (_prior(v["prior"]), f"{_end(v['low'], '-')} .. {_end(v['high'], '')}")
        rows.add_row(*map(_cell, (v["name"], v["unit"], *(drawn * designs), v["description"])))
    console.print(rows)
    if len(variables) > _MOST:
        console.print(f"and {len(variables) - _MOST} more; --json has all", markup=False)


def _show_settings(document: dict[str, Any], console: Console) -> None:
    """A table where there is room for it; where not, the meanings stand below the fields."""
    from invcore.cli.console import table
    from invcore.cli.text_table import wrap
    from invcore.cli.views.config_fields import FieldRow, value_text

    settings = [FieldRow(**row) for row in document["settings"]]
    if not settings:
        console.print("\nno settings", markup=False)
        return
    _heading("settings", console)
    rows = table("field", "type", "default", "range", "meaning")
    rows.columns[0].no_wrap = True
    for row in settings:
        default = "(required)" if row.required else value_text(row.default)
        rows.add_row(*map(_cell, (row.field, row.type, default, row.allowed, row.meaning)))
        if console.width < _WIDE:
            allowed = row.allowed if row.choices else f"{row.type} {row.allowed}".rstrip()
            console.print(f"{row.field} = {default}  ({allowed})", markup=False)
            for line in wrap(row.meaning, console.width - 4):
                console.print(f"    {line}", markup=False)
    if console.width >= _WIDE:
        console.print(rows)
    if document["kind"] in _SET:
        how = _SET[document["kind"]].format(document["name"])
        console.print(f"\nset one with `{how}`", markup=False)


def _show_presets(presets: dict[str, dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table
    from invcore.cli.views.config_fields import value_text

    if not presets:
        return
    _heading("what the presets change", console)
    rows = table("preset", "field", "value")
    for preset, changes in presets.items():
        for i, (field, value) in enumerate(changes.items()):
            rows.add_row(*map(_cell, ("" if i else preset, field, value_text(value))))
    console.print(rows)


def _cell(text: str) -> Any:
    """A cell that is shown as it is: a plugin's brackets are no markup."""
    from rich.text import Text

    return Text(text)


def _prior(prior: dict[str, Any] | None) -> str:
    """``normal, mean 0, std 0.5``; the ends stand in the bounds."""
    if prior is None:
        return ""
    rest = {k: v for k, v in prior.items() if k not in ("kind", "low", "high") and v is not None}
    shown = [f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in rest.items()]
    return ", ".join([prior["kind"], *shown])


def _end(value: float | None, sign: str) -> str:
    return f"{sign}inf" if value is None else f"{value:.4g}"
