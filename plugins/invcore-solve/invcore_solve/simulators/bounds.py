"""Spaces of a simulator, from the little that people say of them."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from invcore.plugin import (
    Categorical,
    ConfigError,
    DataError,
    Integers,
    Space,
    Uniform,
    Variable,
    close_names,
    printable,
    real_array,
)
from invcore_solve.tables.check import size_problem
from invcore_solve.tables.descriptors import descriptors_of


def variable(
    name: str, low: float, high: float, *, whole: bool = False, unit: str = ""
) -> Variable:
    """A design variable, uniform between its bounds.

    Raises:
        ConfigError: bounds that leave no room, or are not finite.

    Example:
        >>> variable("layers", 1.0, 4.5, whole=True).bounds
        (1.0, 4.0)
    """
    where = f"bounds of {name!r}"
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"{where}: {low:g} to {high:g} leaves no room")
    if problem := size_problem([low, high]):
        raise ConfigError(f"{where}: {low:g} to {high:g}; {problem}")
    if not whole:
        return Variable(name=name, prior=Uniform(low=low, high=high), unit=unit)
    ends = {"low": math.ceil(low), "high": math.floor(high)}
    if not ends["low"] < ends["high"]:
        raise ConfigError(f"{where}: {low:g} to {high:g} leaves no room for two whole numbers")
    return Variable(name=name, prior=Integers.parse(ends, where=where), unit=unit)


def category(
    name: str, names: Sequence[str], descriptors: Mapping[str, Sequence[float]] | None = None, *,
    unit: str = "", where: str = "",
) -> Variable:  # fmt: skip
    """A design variable of named categories.

    Args:
        name: of the variable.
        names: of the categories.
        descriptors: numbers for each; None: none.
        unit: of the variable.
        where: for messages.

    Raises:
        ConfigError: fewer than two, one twice, or one without descriptors.

    Example:
        >>> category("metal", ["gold", "iron"]).categories
        ('gold', 'iron')
    """
    where = f"{where}: design {name!r}" if where else f"design {name!r}"
    rows = None if descriptors is None else descriptors_of(names, descriptors, where)
    own = {"categories": tuple(names), "descriptors": rows}
    return Variable(name=name, prior=Categorical.parse(own, where=where), unit=unit)


def limits(name: str, ends: object) -> tuple[float, float]:
    """Low and high of a design, as people give them.

    Raises:
        ConfigError: they are not two real numbers.

    Example:
        >>> limits("x1", (0, 1))
        (0.0, 1.0)
    """
    try:
        low, high = real_array(ends, name).tolist()
    except (DataError, TypeError, ValueError):
        given = printable(ends, 80)
        raise ConfigError(
            f"bounds of {name!r}: expected (low, high), two real numbers, got {given}"
        ) from None
    if isinstance(low, list):
        raise ConfigError(f"bounds of {name!r}: expected (low, high), got {printable(ends, 80)}")
    return low, high


def box(
    bounds: Mapping[str, tuple[float, float] | Sequence[str]], whole: Sequence[str] = ()
) -> Space:
    """Designs by their bounds, or by the names of their categories.

    Raises:
        ConfigError: no design, or bounds that leave no room.

    Example:
        >>> box({"x1": (0, 1), "metal": ("gold", "iron", "air")}).variables[1].categories
        ('gold', 'iron', 'air')
    """
    if not bounds:
        raise ConfigError("a simulator needs its designs: by name, low and high")
    for name in whole:
        if name not in bounds:
            raise ConfigError(f"no design {name!r} to be whole. {close_names(name, bounds)}")
    variables = []
    for name, ends in bounds.items():
        if _are_names(ends):
            variables.append(category(name, list(ends)))
        else:
            variables.append(variable(name, *limits(name, ends), whole=name in whole))
    return Space.of(*variables)


def _are_names(ends: object) -> TypeGuard[Sequence[str]]:
    """Whether these are texts, of which not all are numbers that somebody forgot to convert."""
    if not isinstance(ends, list | tuple) or not ends:
        return False
    return all(isinstance(e, str) for e in ends) and not all(_is_number(e) for e in ends)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def named(responses: Space | Sequence[str] | None) -> Space | None:
    """Responses by their names.

    Raises:
        ConfigError: no name, or one twice.
    """
    if responses is None or isinstance(responses, Space):
        return responses
    names = [responses] if isinstance(responses, str) else list(responses)
    if not names or len(set(names)) != len(names) or not all(names):
        raise ConfigError(f"responses: expected different names, got {names}")
    return Space.of(*(Variable(name=name) for name in names))
