"""``invcore describe``: what a component does, its settings and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from invcore.base.component_kinds import KINDS, Kind
from invcore.cli.options import ComponentName, json_option

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 100  # cells that a table of settings with their meanings takes
_MOST = 16  # variables of a space that are shown
_SET = {kind: f"--{kind} {{0}} --set {kind}.FIELD=VALUE" for kind in ("task", "method", "sampler")}
_SET["loop"] = "--method {0} --set method.FIELD=VALUE"
_SET["metric"] = "--set metrics.{0}.FIELD=VALUE"


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", type=ComponentName())
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

    console.print(f"{document['kind']} {document['name']}", style="bold")
    console.print(f"{document['description']}\n")
    for word, text in _lines(document).items():
        console.print(f"{word:<11} {text}")
    for kind in ("designs", "responses"):
        if kind in document:
            _show_space(kind, document[kind], console)
    _show_settings(document, console)
    _show_presets(document["presets"], console)
    if document["references"]:
        console.print("\nreferences", style="bold")
    for reference in document["references"]:
        for i, line in enumerate(wrap(reference, console.width - 2)):
            console.print(f"{'  ' if i else '- '}{line}")


def _lines(document: dict[str, Any]) -> dict[str, str]:
    """The facts that take a line each."""
    lines = {"plugin": f"{document['plugin']} {document['version']}"}
    if document["tags"]:
        lines["tags"] = ", ".join(document["tags"])
    if "needs" in document:
        lines["needs"] = ", ".join(document["needs"]) or "nothing but the targets"
        lines |= _answered(document)
    for key, word in (("differentiable", "gradients"), ("latin", "latin")):
        if key in document:
            lines[word] = "yes" if document[key] else "no"
    if document.get("reference"):
        lines["reference"] = f"{document['reference']}, for better-than-reference"
    if document.get("context"):
        parts = (f"{name} {tuple(shape)}" for name, shape in document["context"].items())
        lines["context"] = f"{', '.join(parts)} of each target"
    if document.get("constraints"):
        lines["constraints"] = "; ".join(document["constraint_texts"])
    if "note" in document:
        lines["note"] = document["note"]
    return lines


def _answered(document: dict[str, Any]) -> dict[str, str]:
    """What the method makes of specifications itself, and what the core does for it."""
    own = document["answers"]
    intervals = "itself: follows what violates them"
    if "intervals" not in own:
        intervals = "the core asks it for responses drawn inside them, one a candidate"
        intervals += "; those that may have any value are left open" * ("partial" in own)
    goals = "itself: follows them where all else is met"
    if "goals" not in own:
        goals = "the core asks each candidate for a bit more than the best known pairs have"
    categories = "itself: proposes them"
    if "gradient" in document["needs"]:
        categories = "itself: leaves them as each start has them"
    return {
        "intervals": intervals, "goals": goals, "categories": categories,
        # No contract tells whether a search keeps to them on its way
        "constraints": "the core moves whatever it proposes to the nearest allowed design",
    }  # fmt: skip


def _show_space(kind: str, variables: list[dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table

    designs = kind == "designs"
    console.print(f"\n{kind} {'x' if designs else 'y'}, {len(variables)} dim", style="bold")
    rows = table("name", "unit", *(("prior", "bounds") if designs else ()), "description")
    for v in variables[:_MOST]:
        drawn = (_prior(v["prior"]), f"{_end(v['low'], '-')} .. {_end(v['high'], '')}")
        rows.add_row(v["name"], v["unit"], *(drawn if designs else ()), v["description"])
    console.print(rows)
    if len(variables) > _MOST:
        console.print(f"and {len(variables) - _MOST} more; --json has all")


def _show_settings(document: dict[str, Any], console: Console) -> None:
    """A table where there is room for it; where not, the meanings stand below the fields."""
    from invcore.cli.console import table
    from invcore.cli.text_table import wrap
    from invcore.cli.views.config_fields import FieldRow, value_text

    settings = [FieldRow(**row) for row in document["settings"]]
    if not settings:
        console.print("\nno settings")
        return
    console.print("\nsettings", style="bold")
    rows = table("field", "type", "default", "range", "meaning")
    rows.columns[0].no_wrap = True
    for row in settings:
        default = "(required)" if row.required else value_text(row.default)
        rows.add_row(row.field, row.type, default, row.allowed, row.meaning)
        if console.width < _WIDE:
            allowed = row.allowed if row.choices else f"{row.type} {row.allowed}".rstrip()
            console.print(f"{row.field} = {default}  ({allowed})")
            for line in wrap(row.meaning, console.width - 4):
                console.print(f"    {line}")
    if console.width >= _WIDE:
        console.print(rows)
    if document["kind"] in _SET:
        how = _SET[document["kind"]].format(document["name"])
        console.print(f"\nset one with `invcore run {how}`")


def _show_presets(presets: dict[str, dict[str, Any]], console: Console) -> None:
    from invcore.cli.console import table
    from invcore.cli.views.config_fields import value_text

    if presets:
        console.print("\nwhat the presets change", style="bold")
        rows = table("preset", "field", "value")
        for preset, changes in presets.items():
            for i, (field, value) in enumerate(changes.items()):
                rows.add_row("" if i else preset, field, value_text(value))
        console.print(rows)


def _prior(prior: dict[str, Any] | None) -> str:
    """``normal, mean 0, std 0.5``; the ends stand in the bounds."""
    if prior is None:
        return ""
    rest = {k: v for k, v in prior.items() if k not in ("kind", "low", "high") and v is not None}
    parts = [f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in rest.items()]
    return ", ".join([prior["kind"], *parts])


def _end(value: float | None, sign: str) -> str:
    return f"{sign}inf" if value is None else f"{value:.4g}"
