"""The number of the interface between the core and plugins, read before any class is loaded."""

from __future__ import annotations

import ast
import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from invcore.base.errors import PluginError

API_VERSION = 1
"""What this core speaks. It grows when plugins have to be changed for it."""
NAME = "API_VERSION"
_NONE = 0  # of a module that does not say


def api_version(module: Any) -> int:
    """The number that a plugin's entry-point module was written for; 0 if it does not say.

    Raises:
        PluginError: what it says is no whole number.

    Example:
        >>> from types import SimpleNamespace
        >>> api_version(SimpleNamespace(API_VERSION=1)), api_version(SimpleNamespace())
        (1, 0)
    """
    number = getattr(module, NAME, _NONE)
    if type(number) is not int:  # True is one too
        raise PluginError(f"{NAME} is {number!r:.60}, expected a whole number: {NAME} = 1")
    return number


def api_version_in_source(module: str) -> int | None:
    """The same of a module that cannot be imported, from its text; None where that says nothing.

    Args:
        module: its name with dots. Neither it nor a package that it is in is imported.
    """
    try:
        spec = _spec(module)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return None
        with open(spec.origin, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, ImportError, AttributeError):
        return None
    number: int | None = _NONE
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            if NAME in [alias.asname or alias.name for alias in statement.names]:
                number = None
            continue
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == NAME for target in targets):
            constant = value.value if isinstance(value, ast.Constant) else None
            number = constant if type(constant) is int else None
    return number


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is, without importing the packages that it is in."""
    first, *rest = module.split(".")
    spec = importlib.util.find_spec(first)
    for count in range(len(rest)):
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = ".".join([first, *rest[: count + 1]])
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


def other_api(plugin: str, number: int) -> str:
    """That a plugin was written for another number, and what to do.

    Example:
        >>> other_api("invcore-foo", 0)[:54]
        'written for API 0, this invcore has API 1: update it ('
    """
    both = f"written for API {number}, this invcore has API {API_VERSION}"
    if number > API_VERSION:
        return f"{both}: update invcore (pip install --upgrade invcore)"
    return f"{both}: update it (pip install --upgrade {plugin}), or ask its authors to"
