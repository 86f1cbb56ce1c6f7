"""What one run is: the config of ``invcore run``, from files, flags and ``--set``."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import model_validator

from invcore.component import Kind
from invcore.config import Config, Field, Preset, merge
from invcore.errors import ConfigError, close_names

BUNDLE = "task.json"
SLOTS: tuple[Kind, ...] = ("task", "method", "sampler")


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
        if isinstance(data, str):
            return _opened({"name": data})
        if isinstance(data, Mapping) and "settings" not in data:
            rest = {k: v for k, v in data.items() if k != "name"}
            return _opened({k: v for k, v in data.items() if k == "name"} | {"settings": rest})
        return data


def _opened(data: dict[str, Any]) -> dict[str, Any]:
    """A name with a slash is a task's folder: its ``task.json`` says which component it is for."""
    name = data.get("name")
    if not (isinstance(name, str) and ("/" in name or os.sep in name)):
        return data
    try:
        component = json.loads((Path(name) / BUNDLE).read_text(encoding="utf-8"))["task"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{Path(name) / BUNDLE} is missing, or names no task") from None
    return {"name": str(component), "settings": {**data.get("settings", {}), "bundle": name}}


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
    metrics: dict[str, dict[str, Any]] = Field(
        {}, description="Settings of metrics, by name; all metrics are always computed."
    )

    @classmethod
    def resolve(
        cls,
        settings: Mapping[str, Any],
        *,
        preset: str = "default",
        task: str = "",
        where: str = "config",
    ) -> Self:
        """Like that of every config; the preset counts for the run's components too."""
        preset = settings.get("preset", preset)
        return super().resolve({**settings, "preset": preset}, preset=preset, where=where)


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a TOML or YAML file to plain data.

    Args:
        path: ends in .toml, .yaml or .yml.

    Raises:
        ConfigError: no such file, another ending, or not well formed; with the line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({why})") from None
    if path.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}") from None
    if path.suffix in (".yaml", ".yml"):
        import yaml

        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
        if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
            raise ConfigError(f"{path}: expected 'key: value' lines")
        return data
    raise ConfigError(f"{path}: a config ends in .toml, .yaml or .yml")


def apply_settings(
    data: Mapping[str, Any], settings: list[str], configs: Mapping[Any, type[Config]]
) -> dict[str, Any]:
    """Lay ``key=value`` settings over a run's plain data.

    A key is a field of the run (``pairs``), a component's field with its slot before it
    (``method.boundary``), or that field alone where one slot has it.

    Args:
        data: a run's plain data.
        settings: ``key=value``; values as in TOML, or plain text.
        configs: for each slot (task, method, sampler), its config class.

    Raises:
        ConfigError: a malformed setting, an unknown key, or one that several slots have.

    Example:
        >>> apply_settings({}, ["pairs=500"], {})
        {'pairs': 500}
    """
    result = dict(data)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting!r}: expected key=value")
        path, value = key.strip().split("."), _value(text.strip())
        if path[0] in SLOTS and len(path) > 1:
            slot: str = path[0]
            inner = path[1:]
        elif path[0] in RunConfig.model_fields:
            result = merge(result, _nest(path, value))
            continue
        else:
            slot, inner = _slot(path, configs, setting, RunConfig.model_fields), path
        choice = Choice.model_validate(result.get(slot, RunConfig.model_fields[slot].default))
        result[slot] = {
            "name": choice.name, "settings": merge(choice.settings, _nest(inner, value))
        }  # fmt: skip
    return result


def component_settings(
    settings: Sequence[str], config: type[Config], slot: str = "method"
) -> dict[str, Any]:
    """``key=value`` settings of one component, as plain data; its slot before the key is optional.

    Raises:
        ConfigError: a malformed setting, or an unknown key.
    """
    result: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting!r}: expected key=value")
        path = key.strip().removeprefix(f"{slot}.").split(".")
        _slot(path, {slot: config}, setting)
        result = merge(result, _nest(path, _value(text.strip())))
    return result


def _slot(
    path: list[str],
    configs: Mapping[Any, type[Config]],
    setting: str,
    fields: Iterable[str] = (),
) -> str:
    """The slot whose config has a field; ``fields`` are others that the user may have meant."""
    owners = [slot for slot, config in configs.items() if path[0] in config.model_fields]
    if len(owners) == 1:
        return owners[0]
    if owners:
        options = " or ".join(f"{slot}.{path[0]}" for slot in owners)
        raise ConfigError(f"--set {setting!r}: say {options}")
    known = [*fields, *(f for c in configs.values() for f in _paths(c))]
    deeper = [name for name in known if name.split(".")[-1] == path[-1]]
    hint = f"Did you mean {' or '.join(deeper)}?" if deeper else close_names(".".join(path), known)
    raise ConfigError(f"--set: no field {'.'.join(path)!r}. {hint}")


def _paths(config: type[Config], prefix: str = "") -> list[str]:
    """All fields of a config and of those in it, dotted."""
    paths = []
    for name, field in config.model_fields.items():
        kind = field.annotation
        paths.append(prefix + name)
        if isinstance(kind, type) and issubclass(kind, Config):
            paths += _paths(kind, f"{prefix}{name}.")
    return paths


def _nest(path: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
