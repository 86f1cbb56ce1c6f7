"""Checks of every kind of component: its config."""

import json
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from invcore.base.errors import ConfigError
from invcore.configs.config import PRESETS, Config, models_in
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.check import CheckFailed, require


def check_config_round_trip(subject: Subject) -> None:
    """Every preset's config survives JSON and back."""
    for preset in PRESETS:
        settings = subject.settings if preset == subject.preset else {}
        config = subject.component.Config.resolve(settings, preset=preset)
        text = json.dumps(config.model_dump(mode="json"), allow_nan=False)
        again = subject.component.Config.parse(json.loads(text))
        require(again == config, f"preset {preset!r}: the config read back from JSON is another")


def check_config_rejects_unknown_keys(subject: Subject) -> None:
    """A key that is no field is a ConfigError."""
    try:
        subject.component.Config.parse({"no_such_field_here": 1})
    except ConfigError:
        return
    raise CheckFailed(f"{subject.component.Config.__name__} accepts a key that is no field")


def check_config_frozen(subject: Subject) -> None:
    """A config, and the configs within it, cannot be changed."""
    for model in _models(subject.component.Config):
        require(issubclass(model, Config), f"{model.__name__} is no invcore.Config")
        require(model.model_config.get("frozen") is True, f"{model.__name__} is not frozen")
    config = subject.build().config
    for name in type(config).model_fields:
        try:
            setattr(config, name, getattr(config, name))
        except ValidationError:
            continue
        raise CheckFailed(f"field {name!r} of {type(config).__name__} can be set")


def check_config_described(subject: Subject) -> None:
    """Every field says in a line what it does; a config within a config, in its docstring."""
    missing = []
    for model in _models(subject.component.Config):
        for name, field in model.model_fields.items():
            inner = models_in(field.annotation)
            described = bool(inner) and all("__doc__" in vars(m) and m.__doc__ for m in inner)
            if not field.description and not described:
                missing.append(f"{model.__name__}.{name}")
    require(not missing, f"no description: {', '.join(missing)}; use Field(..., description=...)")


def check_presets_resolve(subject: Subject) -> None:
    """Every preset is a known one, and gives a valid config."""
    model = subject.component.Config
    for key in model.presets:
        preset, _, task = key.partition("/")
        valid = preset in PRESETS and (task or "/" not in key)
        require(bool(valid), f"presets has {key!r}; expected {', '.join(PRESETS)} or PRESET/TASK")
        try:
            model.resolve({}, preset=preset, task=task)
        except ConfigError as error:
            raise CheckFailed(f"preset {key!r}: {error}") from None


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A config's class, and those of the configs within it."""
    models: list[type[BaseModel]] = [model]
    for member in models:
        for field in member.model_fields.values():
            models += [m for m in models_in(field.annotation) if m not in models]
    return iter(models)
