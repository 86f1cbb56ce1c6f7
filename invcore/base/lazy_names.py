"""A package's public names that are imported on first use, so that listings need no torch."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str], *, within: str = ""
) -> tuple[Callable[[str], Any], list[str]]:
    """A package's ``__getattr__``, and its names, which are imported on first use (PEP 562).

    Args:
        package: its ``__name__``.
        modules: by module within the package, the names that it gives, between spaces.
        within: the package that modules are named in, where it is another.

    Raises:
        ValueError: a name is that of a module: importing the module would put it in the name's
            place.

    Example:
        >>> getter, names = lazy_names("invcore.base", {"text": "number safe"})
        >>> names, getter("number")(0.12345)
        (['number', 'safe'], '0.123')
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}
    if not within and (both := homes.keys() & modules.keys()):
        raise ValueError(f"{package}: {', '.join(sorted(both))} is a module and a name in it")

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{within or package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, sorted(homes)
