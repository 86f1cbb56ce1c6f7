"""``key=value`` settings, as ``--set`` takes them, over the plain data of a config."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from invcore.base.errors import ConfigError, close_names
from invcore.base.text import quoted
from invcore.configs.config import Config, merge
from invcore.configs.documents import DEEPEST, parse_value
from invcore.configs.run_config import SLOTS, Choice, RunConfig


def apply_settings(
    data: Mapping[str, Any], settings: Sequence[str], configs: Mapping[Any, type[Config]]
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
        path, value = _parsed(setting)
        slot: str = path[0] if path[0] in SLOTS and len(path) > 1 else ""
        if not slot and path[0] in RunConfig.model_fields:
            result = merge(result, _nest(path, value))
            continue
        inner = path[1:] if slot else path
        slot = slot or _slot(path, configs, setting, RunConfig.model_fields)
        choice = Choice.model_validate(result.get(slot, RunConfig.model_fields[slot].default))
        own = configs[slot].spelled_out if slot in configs else dict
        over = merge(own(choice.settings), own(_nest(inner, value)))
        result[slot] = {"name": choice.name, "settings": over}
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
        path, value = _parsed(setting.lstrip().removeprefix(f"{slot}."), setting)
        _slot(path, {slot: config}, setting)
        result = merge(result, config.spelled_out(_nest(path, value)))
    return result


def metric_settings(settings: Sequence[str]) -> dict[str, dict[str, Any] | bool]:
    """``metric.field=value`` and ``metric=false`` settings, as plain data by metric.

    Raises:
        ConfigError: a malformed setting.

    Example:
        >>> metric_settings(["mmd=false", "metrics.c2st.folds=3"])
        {'mmd': False, 'c2st': {'folds': 3}}
    """
    result: dict[str, Any] = {}
    for setting in settings:
        path, value = _parsed(setting.lstrip().removeprefix("metrics."), setting)
        if len(path) == 1 and not isinstance(value, bool):
            raise ConfigError(
                f"setting {setting!r}: expected {path[0]}.FIELD=VALUE, or {path[0]}=false to leave "
                "the metric out"
            )
        result = merge(result, _nest(path, value))
    return result


def _parsed(setting: str, original: str = "") -> tuple[list[str], Any]:
    """A setting's path and value: as in TOML, or plain text."""
    key, equals, text = (part.strip() for part in setting.partition("="))
    place = f"setting {quoted(original or setting, 100)}"
    if not equals or not key:
        raise ConfigError(f"{place}: expected key=value")
    path = key.split(".")
    if len(path) > DEEPEST:
        raise ConfigError(f"{place}: a key of more than {DEEPEST} parts")
    return path, parse_value(text, place)


def _slot(
    path: list[str], configs: Mapping[Any, type[Config]], setting: str, fields: Iterable[str] = ()
) -> str:
    """The slot whose config has a field; ``fields`` are others that the user may have meant."""
    owners = [slot for slot, config in configs.items() if path[0] in config.model_fields]
    if len(owners) == 1:
        return owners[0]
    if owners:
        options = " or ".join(f"{slot}.{path[0]}" for slot in owners)
        raise ConfigError(f"setting {setting!r}: say {options}")
    names = [*fields, *(f for c in configs.values() for f in _paths(c))]
    deeper = [name for name in names if name.split(".")[-1] == path[-1]]
    hint = f"Did you mean {' or '.join(deeper)}?" if deeper else close_names(".".join(path), names)
    raise ConfigError(f"setting {setting!r}: no field {'.'.join(path)!r}. {hint}")


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
