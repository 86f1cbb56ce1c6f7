"""The file of a bench: a grid of tasks, methods, samplers and seeds. Errors name file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import model_validator

from invcore.base.component_kinds import Kind
from invcore.base.errors import ConfigError, close_names
from invcore.benchmarking.manifest import NAME, Ablation, Published
from invcore.configs.config import Config, Field
from invcore.configs.documents import read_text
from invcore.configs.files import read_config
from invcore.configs.limits import Limits
from invcore.configs.line_numbers import Place, lines_of, nearest
from invcore.configs.run_config import Choice, RunConfig

_DEEPEST = 32
_LABEL = r"^[^\x00-\x1f\x7f]{1,60}$"
AXES: dict[str, Kind] = {"tasks": "task", "methods": "method", "samplers": "sampler"}
SHARED = tuple(f for f in RunConfig.model_fields if f not in (*AXES.values(), "seed"))
"""The fields of a run that are the same in all cells."""


class Labelled(Choice):
    """A component and its settings, under a label. In a file: a name, or a table with ``name``."""

    label: str = Field(pattern=_LABEL, description="What it is called here; its name.")

    @model_validator(mode="before")
    @classmethod
    def _called(cls, data: Any) -> Any:
        data = {"name": data} if isinstance(data, str) else data
        return {"label": data.get("name"), **data} if isinstance(data, Mapping) else data


class Grid(Config):
    """What a bench runs.

    Example:
        >>> grid = Grid.parse({"name": "a", "tasks": ["sine-wave"], "samplers": ["lhs"],
        ...     "seeds": [0], "methods": [{"name": "na", "label": "free", "boundary": False}]})
        >>> grid.methods[0].label, grid.methods[0].settings
        ('free', {'boundary': False})
    """

    name: str = Field(pattern=NAME, description="Names the manifest; fit for a file's name.")
    title: str = Field("", description="What people see.")
    tasks: tuple[Labelled, ...] = Field(min_length=1, description="The forward systems.")
    methods: tuple[Labelled, ...] = Field(min_length=1, description="The inverse methods.")
    samplers: tuple[Labelled, ...] = Field(min_length=1, description="What drives them.")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(
        min_length=1, description="Roots of randomness, one run each."
    )
    time_limit: str | float | None = Field(
        None, description="Most time for a run: seconds, or 90s, 10min, 2h."
    )
    memory_limit: str | None = Field(None, description="Most main memory of a run: 4G, 500MB.")
    published: tuple[Published, ...] = Field((), description="Figures to show beside ours.")
    ablations: tuple[Ablation, ...] = Field((), description="Methods to show side by side.")

    def labels(self, axis: str) -> list[str]:
        """The labels of ``tasks``, ``methods`` or ``samplers``."""
        return [entry.label for entry in getattr(self, axis)]


@dataclass(frozen=True)
class Source:
    """A file as people wrote it: errors name it, and the line.

    Args:
        path: as it was given.
        text: what it holds.
    """

    path: Path
    text: str

    def error(self, place: Place, message: str | Exception) -> ConfigError:
        """What is wrong, with the file and the line of a place in it.

        Args:
            place: keys and indices; of a place that is not there, what it would be in.
            message: a text, or an error to repeat.
        """
        line, depth = nearest(self.lines, place)
        where = f"{self.path}, line {line}" if depth else str(self.path)
        refusal = ConfigError(f"{where}: {str(message).removeprefix('config: ')}")
        refusal.place = place
        return refusal

    def setting(self, component: Place, field: Place) -> Place:
        """The place of a component's field: beside its name, or in its table ``settings``."""
        plain, within = (*component, *field), (*component, "settings", *field)
        return max(plain, within, key=lambda place: nearest(self.lines, place)[1])

    @cached_property
    def lines(self) -> dict[Place, int]:
        """The line of each place."""
        return lines_of(self.text, self.path.suffix)


@dataclass(frozen=True)
class BenchFile:
    """A bench as its file has it.

    Args:
        source: the file.
        grid: what it runs.
        shared: the fields of a run that are the same in all cells.
    """

    source: Source
    grid: Grid
    shared: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> BenchFile:
        """Read a TOML or YAML file.

        Raises:
            ConfigError: it cannot be read, or something in it is wrong; with file and line.
        """
        data = read_config(path)
        source = Source(Path(path), read_text(path))
        _check_keys(source, data)
        shared = {key: value for key, value in data.items() if key in SHARED}
        try:
            RunConfig.resolve(shared)
        except ConfigError as error:  # only the preset's own error knows no place
            raise source.error(error.place or ("preset",), error) from None
        try:
            grid = Grid.parse({key: data[key] for key in data if key not in SHARED})
        except ConfigError as error:
            raise source.error(error.place, error) from None
        _check_labels(source, grid)
        return cls(source, grid, shared)

    @cached_property
    def limits(self) -> Limits:
        """What each run may take.

        Raises:
            ConfigError: that is no time, or no size; with file and line.
        """
        for key in ("time_limit", "memory_limit"):
            try:
                Limits.of(**{key.removesuffix("_limit"): getattr(self.grid, key)})
            except ConfigError as error:
                raise self.source.error((key,), error) from None
        return Limits.of(self.grid.time_limit, self.grid.memory_limit)

    def check_references(self) -> None:
        """Whatever names a label names one that is there.

        This is for after the components have been looked up: a misspelt component gives a
        misspelt label, and is the better thing to say.

        Raises:
            ConfigError: there is no such label; with file and line.
        """
        for index, figure in enumerate(self.grid.published):
            self._check_label("tasks", figure.task, ("published", index, "task"))
            self._check_label("methods", figure.method, ("published", index, "method"))
        for index, ablation in enumerate(self.grid.ablations):
            for number, label in enumerate(ablation.methods):
                self._check_label("methods", label, ("ablations", index, "methods", number))

    def _check_label(self, axis: str, label: str, place: Place) -> None:
        labels = self.grid.labels(axis)
        if label not in labels:
            hint = close_names(label, labels)
            raise self.source.error(place, f"no {AXES[axis]} {label!r} in this bench. {hint}")


def _check_keys(source: Source, data: Mapping[str, Any]) -> None:
    """Every key has a meaning, the grid is not empty, and values are those that JSON knows."""
    fields = (*Grid.model_fields, *SHARED)
    for key in data:
        if key in (*AXES.values(), "seed"):
            raise source.error((key,), f"no field {key!r}: a bench has a list of {key}s")
        if key not in fields:
            raise source.error((key,), f"no field {key!r}. {close_names(key, fields)}")
    for axis in (*AXES, "seeds"):
        if data.get(axis) in (None, [], {}, ""):
            fault = f"{axis!r} is {'empty' if axis in data else 'missing'}"
            remedy = "tasks, methods, samplers and seeds need one each"
            raise source.error((axis,), f"{fault}: {remedy}")
    for place, value in _leaves(data, ()):
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise source.error(place, f"{value} is no number, text, truth or list") from None


def _check_labels(source: Source, grid: Grid) -> None:
    """Labels and seeds are there once."""
    for axis in (*AXES, "seeds"):
        values: list[Any] = list(grid.seeds) if axis == "seeds" else grid.labels(axis)
        for index, value in enumerate(values):
            first = values.index(value)
            if first < index:
                what = f"seed {value}" if axis == "seeds" else f"{AXES[axis]} label {value!r}"
                hint = "" if axis == "seeds" else "; give one of them another label"
                line, again = (nearest(source.lines, (axis, i))[0] for i in (first, index))
                clash = "stands there twice" if line == again else f"is taken by line {line}"
                raise source.error((axis, index, "label"), f"{what} {clash}{hint}")


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """The values in tables and lists, with their places; YAML can make lists without an end."""
    if isinstance(value, Mapping | list) and len(place) < _DEEPEST:
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _leaves(item, (*place, key))
    else:
        yield place, value
