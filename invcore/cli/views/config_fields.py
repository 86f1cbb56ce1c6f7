"""The fields of a config, flattened with dots, for people to read and to set."""

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

_LIMITS = {
    "ge": ">= {}", "gt": "> {}", "le": "<= {}", "lt": "< {}", "multiple_of": "a multiple of {}",
    "min_length": "length >= {}", "max_length": "length <= {}", "pattern": "like {}",
}  # fmt: skip


@dataclass(frozen=True)
class FieldRow:
    """One setting.

    Args:
        field: its name, after those of the configs around it: ``surrogate.width``.
        type: of its values, in words.
        required: whether it has no default.
        default: as JSON knows it; None too where it is required.
        limits: ``ge``, ``gt``, ``le``, ``lt``, ``min_length`` and so on, where there are any.
        choices: the only values, where they are listed.
        meaning: one line.
    """

    field: str
    type: str
    required: bool
    default: Any
    limits: dict[str, Any]
    choices: tuple[Any, ...]
    meaning: str

    @property
    def allowed(self) -> str:
        """The choices, or the limits, in words; empty where anything of the type will do."""
        if self.choices:
            return " | ".join(map(value_text, self.choices))
        return ", ".join(_LIMITS[name].format(limit) for name, limit in self.limits.items())


def flatten(config: type[BaseModel], instance: BaseModel | None = None) -> Iterator[FieldRow]:
    """All settings of a config, those of the configs in it too.

    Args:
        config: the class.
        instance: gives the defaults, if they are not those of the class.

    Example:
        >>> from invcore.configs.config import Config, Field
        >>> class Settings(Config):
        ...     steps: int = Field(5, ge=1, description="How many.")
        >>> row, = flatten(Settings)
        >>> row.field, row.type, row.default, row.allowed
        ('steps', 'int', 5, '>= 1')
    """
    for name, field in config.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        default = default if instance is None else getattr(instance, name)
        below = default if isinstance(default, BaseModel) else None
        inner = field.annotation if below is None else type(below)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for row in flatten(inner, below):
                yield replace(row, field=f"{name}.{row.field}")
        else:
            yield _row(name, field, default)


def _row(name: str, field: FieldInfo, default: Any) -> FieldRow:
    required = default is PydanticUndefined
    limits = {
        key: getattr(item, key)
        for item in field.metadata
        for key in _LIMITS
        if getattr(item, key, None) is not None
    }
    return FieldRow(
        name, type_text(field.annotation), required,
        default=None if required else to_jsonable_python(default, fallback=str),
        limits=limits, choices=_choices(field.annotation),
        meaning=" ".join((field.description or "").split()),
    )  # fmt: skip


def type_text(annotation: Any) -> str:
    """A type in words.

    Example:
        >>> type_text(tuple[int, ...]), type_text(str | None), type_text(Literal["a", "b"])
        ('list of int', 'text or none', 'choice')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(inner[0])
    if origin is Literal:
        return "choice"
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(part) for part in inner)
    if origin in (tuple, list, set, frozenset):
        parts = dict.fromkeys(type_text(part) for part in inner if part is not Ellipsis)
        return f"list of {', '.join(parts)}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {type_text(inner[1])}"
    names: dict[Any, str] = {str: "text", type(None): "none", Any: "anything"}
    return names.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal, or of those in a union or list."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    groups = [_choices(part) for part in get_args(annotation)]
    return tuple(dict.fromkeys(choice for part in groups for choice in part))


def value_text(value: Any) -> str:
    """A value as ``--set`` takes it.

    Example:
        >>> value_text(True), value_text("adam"), value_text([1, 2]), value_text(None)
        ('true', 'adam', '[1, 2]', 'none')
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) and value else json.dumps(value)


def dotted(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dots.

    Example:
        >>> dotted({"a": {"b": 1}, "c": 2})
        {'a.b': 1, 'c': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat.update(dotted(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = to_jsonable_python(value, fallback=str)
    return flat
