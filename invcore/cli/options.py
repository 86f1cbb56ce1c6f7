"""Options and types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from invcore.base.component_kinds import KINDS, Kind

_COMPLETED = 200  # names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class ComponentName(click.ParamType[str]):
    """A component's name; the shell completes it. No kind: that of the argument before it."""

    def __init__(self, kind: Kind | None = None) -> None:
        self.kind = kind
        self.name = kind or "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, with their summaries; qualified ones once a plugin is named."""
        from click.shell_completion import CompletionItem

        from invcore.registry.component import SEPARATOR
        from invcore.registry.loader import installed

        kind = self.kind or ctx.params.get("kind")
        qualified = SEPARATOR in incomplete
        entries = installed().registry.entries(kind) if kind in KINDS else ()
        names = [(e.qualified if qualified else e.component.name, e) for e in entries]
        return [
            CompletionItem(name, help=entry.component.summary)
            for name, entry in names
            if name.startswith(incomplete)
        ]


class RunId(click.ParamType[str]):
    """A run's id, or the beginning of one; the shell completes those of ``--store``."""

    name = "id"

    def __init__(self, kind: str | None = None) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The runs whose ids begin so, the newest first, with what the index knows of them."""
        from click.shell_completion import CompletionItem

        from invcore.base.text import safe
        from invcore.storage.index.listing import CACHE, known_facts

        root = Path(ctx.params.get("store_path") or "runs")
        try:
            known = known_facts(root, root / CACHE)
        except OSError:
            return []
        begun = [
            (run, facts) for run, facts in reversed(known.items())
            if run.startswith(incomplete) and self.kind in (None, facts.get("kind", self.kind))
        ]  # fmt: skip
        return [
            CompletionItem(
                run, help=safe(f"{facts['method']} on {facts['label']}") if facts else ""
            )
            for run, facts in begun[:_COMPLETED]
        ]


class BenchName(click.ParamType[str]):
    """The name of a bench; the shell completes those of ``--store``."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The benches whose names begin so."""
        from click.shell_completion import CompletionItem

        folder = Path(ctx.params.get("store_path") or "runs") / "benches"
        names = sorted(path.stem for path in folder.glob("*.json"))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What adds an option to a command."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for machines instead of tables."
)


def _store(*names: str) -> Decorator:
    folder, help = click.Path(file_okay=False), "Folder of the runs."
    return click.option(
        *names, "store_path", default="runs", show_default=True, type=folder, help=help
    )


store_option = _store("--store", "--out")
store_option_beside_out = _store("--store")  # where --out is a file of results
_DEVICES = "auto (CUDA, or the CPU), cpu, cuda, cuda:1; mps is untested."
device_option = click.option("--device", default="auto", show_default=True, help=_DEVICES)


def setting_option(help: str) -> Decorator:
    """``--set KEY=VALUE``, which may be repeated; the command gets ``settings``."""
    return click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help=help)


def component_option(kind: Kind, default: str | None, help: str) -> Decorator:
    """``--task``, ``--method``, …, completed by the shell."""
    return click.option(f"--{kind}", type=ComponentName(kind), default=default, help=help)


class WishText(click.ParamType[str]):
    """A wish; the shell completes the names of the responses of ``--task``."""

    name = "text"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The responses that begin so."""
        from click.shell_completion import CompletionItem

        from invcore.expressions.names import written
        from invcore.pipeline.components import build
        from invcore.registry.loader import installed
        from invcore.runs.derived_task import with_responses

        if "task" not in ctx.params:  # a table: its names are not known here
            return []
        try:
            task = build(installed(), "task", ctx.params.get("task") or "sine-wave").component
            names = with_responses(task, ctx.params.get("responses") or ()).responses.names
        except Exception:  # a task that needs settings, or is not there: nothing to complete
            return []
        begun = [written(name) for name in names if written(name).startswith(incomplete)]
        return [CompletionItem(f"{name}=") for name in begun[:_COMPLETED]]


def want_options(help: str) -> Decorator:
    """``--want TEXT``, which may be repeated, and ``--want-file FILE``."""
    files = "CSV or TOML file of specifications: each row, or table, is one target."

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        file = click.option("--want-file", type=click.Path(dir_okay=False), help=files)
        text = click.option("--want", type=WishText(), multiple=True, metavar="WISH", help=help)
        return text(file(command))

    return decorated


response_option = click.option(
    "--response", "responses", multiple=True, metavar="'NAME = EXPRESSION'",
    help="A response derived from designs and responses, e.g. 'cost = 2*mass'; may be repeated.",
)  # fmt: skip


constraint_option = click.option(
    "--constraint", "constraints", multiple=True, metavar="TEXT",
    help="What designs have to satisfy too, e.g. 'x1 + x2 <= 3'; may be repeated.",
)  # fmt: skip


def bound(text: str) -> tuple[str, tuple[float, float]]:
    """``NAME=LOW:HIGH`` as a name and its ends."""
    name, _, ends = text.rpartition("=")
    low, _, high = ends.partition(":")
    try:
        return name, (float(low), float(high))
    except ValueError:
        raise click.UsageError(f"--bounds {text!r}: expected NAME=LOW:HIGH") from None
