"""What can be said of a component, as plain data: the document of ``invcore describe --json``."""

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

from invcore.base.text import one_line
from invcore.cli.views.config_fields import dotted, flatten

if TYPE_CHECKING:
    from invcore.base.component_kinds import Kind
    from invcore.registry.registry import Registry
    from invcore.spaces.space import Variable

_SECTION = re.compile(r"^(Args|Example|Examples|Note|Raises|References|Returns|Yields):$", re.M)


def facts(registry: Registry, kind: Kind, name: str) -> dict[str, Any]:
    """All that is known of a component.

    Raises:
        UnknownNameError: nothing has that name.
        PluginError: it cannot be loaded; with the cause.
    """
    loaded = registry.load(kind, name)
    entry = registry.find(kind, name)
    component = entry.component
    document: dict[str, Any] = {
        "kind": kind, "name": component.name, "summary": component.summary,
        "description": description(loaded) or component.summary,
        "plugin": entry.plugin, "version": entry.version, "target": component.target,
        "tags": list(component.tags), "references": list(component.references),
        "settings": [{**vars(row), "choices": list(row.choices)} for row in flatten(loaded.Config)],
        "presets": {preset: dotted(changes) for preset, changes in loaded.Config.presets.items()},
    }  # fmt: skip
    if kind == "task":
        document |= _of_task(loaded)
    elif kind == "method":
        needs = {str(flag.name).lower() for flag in loaded.needs}
        document["needs"] = [n for n in ("pairs", "simulator", "gradient") if n in needs]
        taken = {str(flag.name).lower() for flag in loaded.answers}
        others = (n for n in ("partial", "intervals", "goals") if n in taken)
        document["answers"] = ["exact", *others]
    elif kind == "sampler":
        document["latin"] = bool(loaded.latin)
    return document


def description(loaded: type) -> str:
    """A class's own docstring up to its sections, each paragraph on one line.

    Example:
        >>> class Thing:
        ...     '''What it is,
        ...     in short.
        ...
        ...     Args:
        ...         none: at all.
        ...     '''
        >>> description(Thing)
        'What it is, in short.'
    """
    text = _SECTION.split(inspect.cleandoc(loaded.__doc__ or ""))[0].replace("``", "`")
    paragraphs = (block for block in re.split(r"\n\s*\n", text) if block.strip())
    return "\n\n".join(
        # A list keeps its lines; the others are wrapped anew.
        block if re.search(r"^\s*[*-] ", block, re.M)
        else " ".join(block.split())
        for block in paragraphs
    )  # fmt: skip


def _of_task(loaded: type[Any]) -> dict[str, Any]:
    """The spaces; a task may compute them from its settings, and need some that have no default."""
    try:
        task = loaded()
        return {
            "differentiable": bool(task.differentiable),
            "reference": task.reference or None,
            "context": {name: list(shape) for name, shape in (task.context_shapes or {}).items()},
            "designs": [_variable(variable) for variable in task.designs.variables],
            "constraints": [c.model_dump(mode="json") for c in task.designs.constraints],
            "constraint_texts": list(task.designs.constraint_texts),
            "responses": [_variable(variable) for variable in task.responses.variables],
        }
    except Exception as error:  # a plugin may raise anything
        return {"note": f"its default settings do not build it, so no spaces: {one_line(error)}"}


def _variable(variable: Variable) -> dict[str, Any]:
    low, high = (end if math.isfinite(end) else None for end in variable.bounds)
    return {
        "name": variable.name, "unit": variable.unit,
        "prior": None if variable.prior is None else variable.prior.model_dump(mode="json"),
        "low": low, "high": high, "whole": variable.whole, "description": variable.description,
    }  # fmt: skip
