"""The cells of a bench, planned: its components are looked up and built, ids follow from that."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from invcore.base.errors import ConfigError, InvcoreError, UnknownNameError
from invcore.benchmarking.cell import Cell
from invcore.benchmarking.file import AXES, BenchFile
from invcore.configs.line_numbers import Place
from invcore.configs.run_config import OF_TASK, SLOTS, RunConfig
from invcore.pipeline.components import build
from invcore.registry.loader import Plugins
from invcore.runs.plan import Plan


def cells_of(file: BenchFile, plugins: Plugins) -> list[Cell]:
    """All cells, seed after seed, so that a first look at everything comes early.

    Raises:
        ConfigError: an unknown name or a wrong setting; with file and line.
    """
    grid = file.grid
    first = []
    for chosen in product(*(enumerate(getattr(grid, axis)) for axis in AXES)):
        parts = [part for _, part in chosen]
        slots: dict[str, Any] = {
            s: p.model_dump(exclude={"label"}) for s, p in zip(SLOTS, parts, strict=True)
        }
        config = RunConfig.resolve({**file.shared, **slots, "seed": grid.seeds[0]})
        try:
            plan = Plan.of(config, plugins)
        except InvcoreError as error:
            places: list[Place] = [(a, i) for a, (i, _) in zip(AXES, chosen, strict=True)]
            raise _culprit(file, config, plugins, places, error) from None
        found = {"device": str(plan.device), "targets": plan.config.targets}  # wishes count theirs
        config = config.model_copy(update=found)
        task, method, sampler = (part.label for part in parts)
        ids = replace(plan, config=config).request.ids_of_seeds(grid.seeds)
        first.append((config, ids, (task, method, sampler)))
    file.check_references()
    return [
        Cell(ids[number], *labels, seed, config.model_copy(update={"seed": seed}))
        for number, seed in enumerate(grid.seeds)
        for config, ids, labels in first
    ]


def _culprit(
    file: BenchFile, config: RunConfig, plugins: Plugins, places: list[Place], error: InvcoreError
) -> ConfigError:
    """The error of a cell that cannot be planned, at the line of the part that is to blame."""
    where = {"preset": config.preset, "task": config.task.name}
    for place, (slot, part) in zip(places, config.choices.items(), strict=True):
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
            own = settings if isinstance(settings, Mapping) else None
            build(plugins, "metric", name, own, **where)
        except InvcoreError as wrong:
            return file.source.error(("metrics", name, *getattr(wrong, "place", ())), error)
    for name in (*OF_TASK, "want", "want_file"):
        if getattr(config, name) and isinstance(error, ConfigError | UnknownNameError):
            return file.source.error((name,), error)
    return file.source.error(("device",), error)
