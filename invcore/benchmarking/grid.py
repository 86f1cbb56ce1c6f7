"""The cells of a bench: what each runs, how far each is, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from invcore.base.errors import ConfigError, InvcoreError
from invcore.benchmarking.file import AXES, BenchFile, Labelled
from invcore.configs.line_numbers import Place
from invcore.configs.run_config import RunConfig
from invcore.pipeline.parts import build
from invcore.registry.loader import Plugins
from invcore.runs.plan import Plan

Values = Mapping[tuple[str, int | None], float | None]
"""Numbers of a run, by metric and number of candidates."""


@dataclass(frozen=True)
class Cell:
    """One run of a bench; task, method and sampler are labels.

    Args:
        id: of the run. Two cells that run the same under other labels share it.
        task: which.
        method: which.
        sampler: which.
        seed: which.
        config: what to run; its device is the one found here.
    """

    id: str
    task: str
    method: str
    sampler: str
    seed: int
    config: RunConfig


@dataclass(frozen=True)
class State:
    """How far a cell is.

    Args:
        status: as in the manifest.
        reason: why it is not ok.
        seconds: what it took, where that is known.
        values: its numbers, if it is ok.
        since: when it began, by ``time.monotonic``, if it is running.
    """

    status: str = "waiting"
    reason: str = ""
    seconds: float | None = None
    values: Values | None = None
    since: float = 0.0


def cells_of(file: BenchFile, plugins: Plugins) -> list[Cell]:
    """All cells, seed after seed, so that a first look at everything comes early.

    Raises:
        ConfigError: an unknown name or a wrong setting; with file and line.
    """
    grid = file.grid
    entries = (enumerate(grid.tasks), enumerate(grid.methods), enumerate(grid.samplers))
    first = []
    for (i, task), (j, method), (k, sampler) in product(*entries):
        parts = {"task": task, "method": method, "sampler": sampler}
        chosen = {
            slot: {"name": part.name, "settings": part.settings} for slot, part in parts.items()
        }
        preset = file.shared.get("preset", "default")
        config = RunConfig.resolve({**file.shared, **chosen, "seed": grid.seeds[0]}, preset=preset)
        try:
            plan = Plan.of(config, plugins)
        except InvcoreError as error:
            places = {"task": ("tasks", i), "method": ("methods", j), "sampler": ("samplers", k)}
            raise _culprit(file, config, plugins, parts, places, error) from None
        config = config.model_copy(update={"device": str(plan.device)})
        labels = (task.label, method.label, sampler.label)
        first.append((replace(plan, config=config), labels))
    file.check_references()
    cells = []
    for seed in grid.seeds:
        for plan, labels in first:
            config = plan.config.model_copy(update={"seed": seed})
            run = replace(plan, config=config).id
            cells.append(Cell(run, *labels, seed, config))
    return cells


def _culprit(
    file: BenchFile,
    config: RunConfig,
    plugins: Plugins,
    parts: Mapping[str, Labelled],
    places: Mapping[str, Place],
    error: InvcoreError,
) -> ConfigError:
    """The error of a cell that cannot be planned, at the line of the part that is to blame."""
    where = {"preset": config.preset, "task": config.task.name}
    for slot in AXES.values():
        part, place = parts[slot], places[slot]
        try:
            plugins.registry.load(slot, part.name)
        except InvcoreError as wrong:
            return file.source.error((*place, "name"), wrong)
        try:
            build(plugins, slot, part.name, part.settings, **where)
        except InvcoreError as wrong:
            inside = getattr(wrong, "place", ())
            return file.source.error(file.source.setting(place, inside), wrong)
    for name, settings in config.metrics.items():
        try:
            build(plugins, "metric", name, settings, **where)
        except InvcoreError as wrong:
            return file.source.error(("metrics", name, *getattr(wrong, "place", ())), error)
    return file.source.error(("device",), error)


def time_left(cells: Iterable[Cell], states: Mapping[str, State], workers: int) -> float | None:
    """Seconds until all cells are done; None while none has been.

    A cell is taken to need what those of its method on its task have needed, or those of its
    method, or all of them.

    Args:
        cells: of the bench.
        states: how far each is, by its id.
        workers: how many are done at once.
    """
    unique = list({cell.id: cell for cell in cells}.values())
    spent: dict[tuple[str, ...], list[float]] = {}
    for cell in unique:
        seconds = states[cell.id].seconds
        if states[cell.id].status == "ok" and seconds is not None:
            for key in ((cell.method, cell.task), (cell.method,), ()):
                spent.setdefault(key, []).append(seconds)
    if not spent:
        return None
    left = 0.0
    for cell in unique:
        state = states[cell.id]
        if state.status in ("waiting", "running"):
            keys = ((cell.method, cell.task), (cell.method,), ())
            known = next(spent[key] for key in keys if key in spent)
            needed = sum(known) / len(known)
            ran = time.monotonic() - state.since if state.status == "running" else 0.0
            left += max(needed - ran, 0.0)
    return left / workers
