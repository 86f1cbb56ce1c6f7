"""Configs are strict and frozen, and say in one line what is wrong."""

from __future__ import annotations

import datetime
import math
from typing import Literal

import pytest
from pydantic import ValidationError

from invcore.base.errors import ConfigError
from invcore.configs.config import Config, Field, merge


class Inner(Config):
    width: int = Field(8, ge=1)
    kind: Literal["relu", "tanh"] = "relu"


class Settings(Config):
    presets = {
        "quick": {"steps": 5, "inner": {"width": 2}},
        "quick/sine-wave": {"inner": {"kind": "tanh"}},
        "paper": {"steps": 500},
    }
    steps: int = Field(100, ge=1)
    rate: float = 0.1
    on: bool = True
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()


PRESETS = [
    ({}, "default", "", 100, 8, "relu"),
    ({}, "quick", "", 5, 2, "relu"),
    ({}, "quick", "sine-wave", 5, 2, "tanh"),
    ({}, "quick", "other", 5, 2, "relu"),
    ({}, "paper", "sine-wave", 500, 8, "relu"),
    ({"steps": 7}, "quick", "sine-wave", 7, 2, "tanh"),
    ({"inner": {"width": 9}}, "quick", "sine-wave", 5, 9, "tanh"),
]


@pytest.mark.parametrize(("given", "preset", "task", "steps", "width", "kind"), PRESETS)
def test_general_preset_then_that_of_the_task_then_the_user(
    given, preset, task, steps, width, kind
):
    made = Settings.resolve(given, preset=preset, task=task)
    assert (made.steps, made.inner.width, made.inner.kind) == (steps, width, kind)


BAD = {
    "unknown": ({"stepz": 1}, "no field 'stepz'. Did you mean 'steps'?"),
    "unknown within": ({"inner": {"widht": 1}}, "no field 'inner.widht'. Did you mean 'width'?"),
    "unknown in a list": ({"many": [{"widht": 1}]}, "'many.0.widht'. Did you mean 'width'?"),
    "text for a number": ({"steps": "3"}, "field 'steps'"),
    "fraction": ({"steps": 1.5}, "field 'steps'"),
    "truth for a number": ({"steps": True}, "field 'steps'"),
    "number for truth": ({"on": 1}, "field 'on'"),
    "range": ({"inner": {"width": 0}}, "field 'inner.width'"),
    "choice": ({"inner": {"kind": "sine"}}, "'relu' or 'tanh'"),
    "nan": ({"rate": math.nan}, "field 'rate'"),
    "infinite": ({"rate": math.inf}, "field 'rate'"),
    "number for a table": ({"inner": 3}, "field 'inner'"),
    "text for a list": ({"sizes": "1,2"}, "field 'sizes'"),
    "item": ({"sizes": [1, "x"]}, "field 'sizes.1'"),
    "none": ({"steps": None}, "got null"),
    "long": ({"sizes": ["y" * 500]}, "..."),
    "no JSON": ({"steps": datetime.date(2020, 1, 1)}, "date"),
    "several": ({"steps": "3", "rate": "x"}, "(and 1 more)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_refused_in_one_line(name, complaint):
    data, said = BAD[name]
    message = complaint(ConfigError, Settings.resolve, data, where="method 'm'")
    assert message.startswith("method 'm': ") and said in message


@pytest.mark.parametrize("preset", ["quik", "", 3, None, ["quick"]])
def test_unknown_preset(preset, complaint):
    message = complaint(ConfigError, Settings.resolve, {}, preset=preset)
    assert repr(preset) in message and "quick" in message


def test_good_values_of_json():
    made = Settings.parse({"rate": 2, "sizes": [3, 4], "many": [{"width": 3}]})
    assert made.rate == 2.0 and made.sizes == (3, 4) and made.many == (Inner(width=3),)
    assert Settings.parse(made.model_dump(mode="json")) == made


def test_frozen():
    made = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        made.steps = 3
    with pytest.raises(ValidationError, match="frozen"):
        made.inner.width = 3
    assert made == Settings() and hash(made) == hash(Settings())


def test_merge_goes_deep_and_changes_neither():
    base, over = {"a": {"b": 1, "c": {"d": 2}}, "e": 3}, {"a": {"c": {"d": 4, "f": 5}}, "g": 6}
    assert merge(base, over) == {"a": {"b": 1, "c": {"d": 4, "f": 5}}, "e": 3, "g": 6}
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert over == {"a": {"c": {"d": 4, "f": 5}}, "g": 6}
    assert merge({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}
    assert merge({"a": {"b": 2}}, {"a": 1}) == {"a": 1}
