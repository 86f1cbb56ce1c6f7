"""Runs that do nothing: a task, a method and a sampler whose own work costs nearly no time.

What a bench of them takes is what invcore itself takes for a run: plan, identity, pairs, metrics,
store, record, events and manifest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from invcore import Component, hookimpl
from invcore.plugin import installed
from invcore.registry.loader import Plugins

API_VERSION = 1
_NAME = "trivial"
_PARTS = "trivial_parts"


@hookimpl
def invcore_tasks() -> list[Component]:
    """The task."""
    return [Component(_NAME, "The sum of two numbers.", f"{_PARTS}:Sum")]


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [Component(_NAME, "Half and half.", f"{_PARTS}:Half")]


def plugins() -> Plugins:
    """Those installed, and this one."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules.setdefault("trivial_runs", sys.modules[__name__])
    own = EntryPoint(_NAME, "trivial_runs", "invcore")
    return Plugins([*entry_points(group="invcore"), own])


def bench_text(seeds: Iterable[int], methods: int = 1, judged: Iterable[str] = ("r_T",)) -> str:
    """A bench's file: so many methods with these seeds.

    Args:
        seeds: of the runs.
        methods: that differ in a setting.
        judged: the metrics; others would take longer than all the rest.
    """
    entries = "".join(
        f'[[methods]]\nname = "{_NAME}"\nlabel = "half {n}"\nnumber = {n}\n' for n in range(methods)
    )
    names = {entry.name for entry in installed().registry.entries("metric")} - set(judged)
    left_out = "".join(f"{name} = false\n" for name in sorted(names))
    return (
        f'name = "{_NAME}"\nseeds = {list(seeds)}\nsamplers = ["random"]\ntasks = ["{_NAME}"]\n'
        f'targets = 20\ncandidates = 50\npairs = 100\ndevice = "cpu"\n{entries}'
        f"[metrics]\n{left_out}"
    )
