"""What one run is: the config of ``invcore run``, from files, flags and ``--set``."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import field_validator, model_validator

from invcore.base.component_kinds import Kind
from invcore.base.errors import ConfigError
from invcore.base.text import printable
from invcore.configs.config import Config, Field, Preset
from invcore.configs.documents import read_document

BUNDLE = "task.json"
ROBUSTNESS = "robustness"
"""The metric that the tolerances are for."""
SLOTS: tuple[Kind, ...] = ("task", "method", "sampler")
OF_TASK = "responses", "constraints"
"""What is added to a task."""


class Choice(Config):
    """A component by name, and its settings. In a file: a name, or a table with ``name``.

    A task may be given as its folder, with a slash: ``my-task/``.
    """

    merges: ClassVar[bool] = False  # another name, other settings

    name: str = Field(min_length=1, description="Name of the component.")
    settings: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _spelt(cls, data: Any) -> Any:
        data = {"name": data} if isinstance(data, str) else data
        if not isinstance(data, Mapping) or "settings" in data:
            return data
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        rest = {key: value for key, value in data.items() if key not in own}
        return _opened({**own, "settings": rest})


def _opened(data: dict[str, Any]) -> dict[str, Any]:
    """A name with a slash is a task's folder: its ``task.json`` says which component it is for."""
    name = data.get("name")
    if not (isinstance(name, str) and ("/" in name or os.sep in name)):
        return data
    try:
        component = read_document(Path(name) / BUNDLE)["task"]
    except (ConfigError, KeyError, TypeError, ValueError):
        place = printable(Path(name) / BUNDLE)
        raise ConfigError(f"{place} is missing, or names no task") from None
    return {**data, "name": str(component), "settings": {**data["settings"], "bundle": name}}


class RunConfig(Config):
    """One run: a task, a method, a sampler, and how much of each.

    Example:
        >>> RunConfig.parse({"task": "sine-wave", "method": {"name": "na", "boundary": False}})
        ... # doctest: +ELLIPSIS
        RunConfig(task=Choice(name='sine-wave', settings={}), ...settings={'boundary': False})...
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"targets": 200, "candidates": 64}
    }

    task: Choice = Choice(name="sine-wave")
    method: Choice = Choice(name="na")
    sampler: Choice = Choice(name="maximin-lhs")
    candidates: int = Field(256, ge=1, description="Candidates for each target, K.")
    targets: int = Field(1000, ge=1, description="Test targets, B.")
    pairs: int = Field(10_000, ge=10, description="Pairs to learn from, 80/20 train/validation.")
    seed: int = Field(0, ge=0, lt=2**63, description="Root of all randomness.")
    device: str = Field(
        "auto", description="auto (CUDA, or the CPU), cpu, cuda, cuda:1; mps is untested."
    )
    preset: Preset = Field("default", description="quick, default or paper.")
    rerank: bool = Field(False, description="Score them re-ranked by a common surrogate too.")
    calls_per_target: int | None = Field(
        None, ge=1, description="Most simulator calls for a target, pairs to learn from left out."
    )
    seconds_per_target: float | None = Field(
        None, gt=0, description="Most seconds for a target, fitting left out; not reproducible."
    )
    refine: int = Field(
        0, ge=0, description="Simulator calls for a target that go on steps from its best "
        "candidates, within calls_per_target.",
    )  # fmt: skip
    want: tuple[str, ...] = Field(
        (), description="Wishes, such as gap=0.5:0.7 or mass=min, instead of exact responses."
    )
    want_file: str = Field(
        "", description="A file of specifications (.csv, .toml), one a row, a target each."
    )
    responses: tuple[str, ...] = Field(
        (), description="Derived responses, such as cost = 2*mass, in the names of the task."
    )
    constraints: tuple[str, ...] = Field(
        (), description="What designs have to satisfy beside the task's own, such as x1 + x2 <= 3."
    )
    tolerances: tuple[str, ...] = Field(
        (), description="How far made designs are off, as width=±0.01; no part of the id."
    )
    metrics: dict[str, dict[str, Any] | bool] = Field(
        {}, description="Settings of metrics, by name; false leaves one out. No part of the id."
    )

    @field_validator("want", *OF_TASK, "tolerances", mode="before")
    @classmethod
    def _one_text(cls, data: Any) -> Any:
        if isinstance(data, list):  # where a validator stands before it, JSON's list is no tuple
            return tuple(data)
        return (data,) if isinstance(data, str) else data

    @model_validator(mode="after")
    def _calls_left(self) -> "RunConfig":
        calls = self.calls_per_target
        if self.refine and calls is not None and self.refine >= calls:
            raise ValueError(
                f"refine takes {self.refine} of calls_per_target = {calls}: leave at least one, "
                "for what is proposed"
            )
        if self.refine and self.seconds_per_target is not None:
            raise ValueError("refine counts calls: use calls_per_target, not seconds_per_target")
        return self

    @property
    def judging(self) -> dict[str, dict[str, Any] | bool]:
        """Settings of the metrics, those of `ROBUSTNESS` with the tolerances."""
        own = self.metrics.get(ROBUSTNESS, {})
        if not self.tolerances or own is False:
            return self.metrics
        settings = {} if own is True else own
        with_tolerances = {"tolerances": list(self.tolerances)} | settings
        return {**self.metrics, ROBUSTNESS: with_tolerances}

    @property
    def choices(self) -> dict[Kind, Choice]:
        """Task, method and sampler, by slot."""
        return {slot: getattr(self, slot) for slot in SLOTS}

    def renamed(self, name_of: Callable[[Kind, str], str]) -> "RunConfig":
        """The same run, its components by other names: those that ``Registry.name_of`` gives.

        So a run is the same, and is called the same, however its components were typed.

        Args:
            name_of: kind and name to the name that is used.

        Example:
            >>> RunConfig().renamed(lambda kind, name: name.upper()).method.name
            'NA'
        """
        changes: dict[str, Any] = {
            slot: choice.model_copy(update={"name": name_of(slot, choice.name)})
            for slot, choice in self.choices.items()
        }
        metrics = {name_of("metric", name): value for name, value in self.metrics.items()}
        return self.model_copy(update={**changes, "metrics": metrics})
