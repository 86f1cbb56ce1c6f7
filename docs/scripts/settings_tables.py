"""Write the tables of docs/configs.md anew, from the configs of the installed components."""

from __future__ import annotations

import textwrap
from pathlib import Path

from invcore.base.component_kinds import Kind
from invcore.cli.views.config_fields import dotted, flatten, value_text
from invcore.configs.config import Config
from invcore.registry.loader import installed

PAGE = Path(__file__).resolve().parents[1] / "configs.md"
SECTIONS: tuple[tuple[Kind, str], ...] = (
    ("task", "Tasks"),
    ("method", "Methods"),
    ("loop", "Loops"),
    ("surrogate", "Surrogates"),
    ("judge", "Judges"),
    ("sampler", "Samplers"),
    ("metric", "Metrics"),
    ("executor", "Executors"),
)
WIDTH = 108


def tables(config: type[Config]) -> str:
    """The fields and presets of one config."""
    lines = ["| field | default | values | meaning |", "|---|---|---|---|"]
    for row in flatten(config, config()):
        kind = "" if row.choices and row.type == "choice" else row.type
        values = " ".join(part for part in (kind, row.allowed) if part)
        cells = (f"`{row.field}`", f"`{value_text(row.default)}`", values, row.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if config.presets:
        lines += ["", "Presets:", ""]
    for name, settings in config.presets.items():
        shown = ", ".join(f"`{key}={value_text(v)}`" for key, v in dotted(settings).items())
        lines += textwrap.wrap(
            f"* `{name}`: {shown}", WIDTH, subsequent_indent="  ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines)


def section(kind: Kind, title: str) -> str:
    """All components of one kind."""
    parts, bare = [f"## {title}"], []
    registry = installed().registry
    for name in [entry.component.name for entry in registry.entries(kind)]:
        config = registry.load(kind, name).Config
        if config.model_fields:
            parts.append(f"### {kind} {name}\n\n{tables(config)}")
        else:
            bare.append(f"`{name}`")
    if bare:
        parts.append(f"Without settings: {', '.join(bare)}.")
    return "\n\n".join(parts)


def main() -> None:
    """Replace all that follows the first section about components."""
    head = PAGE.read_text().partition(f"## {SECTIONS[0][1]}\n")[0]
    PAGE.write_text(head + "\n\n".join(section(*names) for names in SECTIONS) + "\n")


if __name__ == "__main__":
    main()
