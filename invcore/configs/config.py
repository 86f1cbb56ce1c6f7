"""Configs: strict, frozen pydantic models with presets. A config is data, never state."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from invcore.base.errors import ConfigError, close_names

__all__ = ["PRESETS", "Config", "Field", "Preset"]

Preset = Literal["quick", "default", "paper"]
PRESETS: tuple[Preset, ...] = get_args(Preset)


class Config(BaseModel):
    """Base of every configuration: unknown keys and wrong types are errors, nothing changes later.

    A subclass may set ``presets``: a mapping from ``quick``, ``default`` or ``paper``, or from
    ``preset/task-name``, to the fields that the preset changes. The general entry applies first,
    then that of the task, then what the user says.

    Example:
        >>> class Settings(Config):
        ...     presets = {"quick": {"steps": 5}, "quick/sine-wave": {"steps": 7}}
        ...     steps: int = Field(100, ge=1, description="How many steps.")
        >>> Settings.resolve({}, preset="quick", task="sine-wave").steps
        7
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    merges: ClassVar[bool] = True
    """Whether settings of a part are laid over the part's default; off: they replace it."""
    shorthand: ClassVar[str] = ""
    """The field that a text in a part's place is for: ``surrogate=auto`` says it in short."""

    @classmethod
    def resolve(
        cls, settings: Mapping[str, Any], *, preset: str = "default", task: str = "",
        where: str = "config",
    ) -> Self:  # fmt: skip
        """Build the config from a preset and the user's settings.

        Args:
            settings: what the user says; plain data as JSON knows it.
            preset: ``quick``, ``default`` or ``paper``.
            task: name of the task, for presets that depend on it.
            where: what to call this config in a message.

        Raises:
            ConfigError: an unknown preset or key, a wrong type, a value out of range.
        """
        if "preset" in cls.model_fields:  # then what it says counts, for its parts too
            preset = settings.get("preset", preset)
            settings = {**settings, "preset": preset}
        if preset not in PRESETS:
            close = close_names(str(preset), PRESETS)
            raise ConfigError(f"preset {preset!r} does not exist. {close}")
        # Naming one field of a config within this one must not throw the others back to the
        # defaults of its class.
        parts = {name: field.default for name, field in cls.model_fields.items()}
        merged = {
            name: part.model_dump(mode="json")
            for name, part in parts.items()
            if isinstance(part, Config) and part.merges
        }
        for key in (preset, f"{preset}/{task}"):
            merged = merge(merged, cls.presets.get(key, {}))
        return cls.parse(merge(merged, cls.spelled_out(settings)), where=where)

    @classmethod
    def spelled_out(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Plain data in which each text in a part's place is the field that it is short for.

        Example:
            >>> class Part(Config):
            ...     shorthand = "choice"
            ...     choice: str = "own"
            >>> class Whole(Config):
            ...     part: Part = Part()
            >>> Whole.spelled_out({"part": "auto"})
            {'part': {'choice': 'auto'}}
        """
        result = dict(data)
        for name, field in cls.model_fields.items():
            kind, value = field.annotation, result.get(name)
            if not (isinstance(kind, type) and issubclass(kind, Config)):
                continue
            if isinstance(value, str) and kind.shorthand:
                result[name] = {kind.shorthand: value}
            elif isinstance(value, Mapping):
                result[name] = kind.spelled_out(value)
        return result

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str = "config") -> Self:
        """Validate plain data strictly.

        Raises:
            ConfigError: one line that names the field, what was expected, and what came.
        """
        try:
            # Through JSON, strictness keeps lists for tuples but refuses "3" for 3.
            return cls.model_validate_json(json.dumps(data), strict=True)
        except ValidationError as error:
            refused = ConfigError(_one_line(error, cls, where))
            refused.place = error.errors(include_url=False)[0]["loc"]
            raise refused from None
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: {error}") from None

    @classmethod
    def made(cls, **fields: Any) -> Self:
        """One of Python values, as the class itself makes it.

        Raises:
            ConfigError: a value that is refused, in one line.
        """
        try:
            return cls(**fields)
        except ValidationError as error:
            raise ConfigError(reason(error)) from None


def reason(error: ValidationError) -> str:
    """What a validation says first, without what pydantic adds, and how much more there is."""
    problems = error.errors(include_url=False)
    path = ".".join(str(part) for part in problems[0]["loc"])
    text = problems[0]["msg"].removeprefix("Value error, ")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (f"field {path!r}: " if path else "") + text + more


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; neither is changed.

    Example:
        >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
        {'a': {'b': 1, 'c': 3}}
    """
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return result


def stored_problem(error: ValidationError, schema: int) -> str:
    """Why a stored document cannot be used: another schema, or the first thing that is wrong."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if place == "schema_version":
        return f"has schema {first['input']!r}, this invcore reads {schema}"
    return "damaged, " + " ".join(f"{place} {first['msg']}".split())


def _one_line(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """The first problem of a validation, and how many more there are."""
    problems = error.errors(include_url=False)
    first = problems[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        names = _fields(model, first["loc"][:-1])
        text = f"{where}: no field {path!r}. {close_names(str(first['loc'][-1]), names)}"
    else:
        own = first["type"] == "value_error" and isinstance(first.get("input"), Mapping)
        value = json.dumps(first.get("input"), default=str)
        value = value if len(value) < 80 else value[:77] + "..."
        at = f"field {path!r}: " if path else ""
        text = f"{where}: {at}{first['msg'].removeprefix('Value error, ')}"
        text += "" if own else f", got {value}"  # what a whole config says names what is wrong
    return text + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _fields(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The fields of the model, or models, that a path of fields, indices and tags leads to."""
    models = [model]
    for part in path:
        kinds = [(m, m.model_fields.get("kind")) for m in models]
        tagged = [m for m, kind in kinds if kind and part in get_args(kind.annotation)]
        inner = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        models = [m for annotation in inner for m in models_in(annotation)] or tagged or models
    return [name for m in models for name in m.model_fields]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models in an annotation: of a tuple's items, of the parts of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
