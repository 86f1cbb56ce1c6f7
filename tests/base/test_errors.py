"""One family of errors, each also a built-in."""

from __future__ import annotations

import pickle

import pytest

from invcore.base import errors
from invcore.base.errors import close_names
from invcore.cli.main import exit_code

FAMILY = {
    "ConfigError": (ValueError, 2),
    "UnknownNameError": (KeyError, 2),
    "PluginError": (ImportError, 2),
    "DataError": (ValueError, 2),
    "ShapeError": (ValueError, 2),
    "StoreError": (OSError, 3),
    "DeviceError": (RuntimeError, 2),
    "BudgetError": (RuntimeError, 2),
    "SimulatorError": (RuntimeError, 4),
    "UnfitError": (ValueError, 5),
    "DivergedError": (ArithmeticError, 4),
}


def test_the_family_is_whole():
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.InvcoreError)
    }
    assert found == {*FAMILY, "InvcoreError"}


@pytest.mark.parametrize("name", FAMILY)
def test_each_is_a_builtin_and_prints_its_message(name):
    kind, (builtin, code) = getattr(errors, name), FAMILY[name]
    error = kind("what is wrong")
    assert isinstance(error, builtin) and isinstance(error, errors.InvcoreError)
    assert str(error) == "what is wrong", "without the quotes of a KeyError"
    assert exit_code(error) == code
    assert str(kind()) == name
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - executors send errors
    assert type(again) is kind and str(again) == "what is wrong"


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("ipgae", ["ipage", "na"], "Did you mean 'ipage'?"),
        ("IPAGE", ["ipage", "na"], "Did you mean 'ipage'?"),
        ("r_t", ["r_T", "cost"], "Did you mean 'r_T'?"),
        ("zzz", ["na", "ipage"], "Known: ipage, na."),
        ("zzz", [], "Known: none."),
        ("", ["na"], "Known: na."),
    ],
)
def test_close_names(name, known, said):
    assert close_names(name, iter(known)) == said
