"""The designs and responses of a campaign, from the little that people say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from invcore_solve.schema.constraints import constraints_of
from invcore_solve.simulators.bounds import category, limits, variable
from invcore_solve.simulators.file import DesignEntry, ResponseEntry
from invcore_solve.tables.read import read
from invcore_solve.tables.reading.units import without_unit

from invcore.plugin import (
    Config,
    ConfigError,
    Constraint,
    Field,
    Levels,
    Space,
    Variable,
    close_names,
    derived_responses,
    printable,
    read_config,
)

RESERVED = ("id", "failed", "note", "state", "source")
"""Columns that tables of campaigns have beside designs and responses."""
_MOST_LEVELS = 10_000


class SpaceFile(Config):
    """A file of designs and responses: ``[[design]]`` and ``[[response]]``, as of a simulator."""

    design: tuple[DesignEntry, ...] = Field(min_length=1)
    response: tuple[ResponseEntry, ...] = Field(min_length=1)
    constraints: tuple[str, ...] = ()


def design_space(
    designs: Mapping[str, Any] | Space, *, whole: Sequence[str] = (),
    levels: Mapping[str, Sequence[float] | str] | None = None, constraints: Sequence[str] = (),
    among: Any = None,
) -> Space:  # fmt: skip
    """The space of designs.

    Args:
        designs: by name ``(low, high)``, or the names of categories; or a space.
        whole: designs that take whole numbers only.
        levels: by name, the values that can be made, or ``"0:5:0.1"`` for steps.
        constraints: as text.
        among: designs to choose from: a file, a data frame or what else can be read.

    Raises:
        ConfigError: bounds, levels or constraints that leave nothing; an unknown name.
        DataError: a list that cannot be read.
    """
    own: list[Constraint]
    if isinstance(designs, Space):
        variables, own = [*designs.variables], list(designs.constraints)
    else:
        if not designs:
            raise ConfigError("a campaign needs its designs: by name, low and high")
        variables, own = _variables(designs, whole), []
    names = [v.name for v in variables]
    for name in (*whole, *(levels or {})):
        if name not in names:
            raise ConfigError(f"no design {name!r}. {close_names(name, names)}")
    own += [_levels(name, values) for name, values in (levels or {}).items()]
    own += constraints_of(constraints, variables, (), "designs")
    space = Space.of(*variables, constraints=own)
    return space if among is None else _among(space, among)


def response_space(texts: Sequence[str], designs: Space) -> tuple[Space, tuple[str, ...]]:
    """Responses from names, and from formulas as ``cost = 2*cu``; and the formulas.

    Raises:
        ConfigError: no response is measured, or a name is taken.
    """
    names = [text for text in texts if "=" not in text]
    formulas = tuple(text for text in texts if "=" in text)
    measured = [without_unit(name) for name in names]
    if not measured:
        raise ConfigError("say what is measured: responses=['strength']")
    derived = derived_responses(formulas, designs.names, [name for name, _ in measured])
    variables = [Variable(name=name, unit=unit) for name, unit in measured]
    variables += [Variable(name=each.name) for each in derived]
    every = [v.name for v in variables]
    for name in (*designs.names, *every):
        if name.casefold() in RESERVED:
            raise ConfigError(
                f"{name!r}: tables of campaigns have a column of that name; rename it"
            )
    for i, name in enumerate(every):
        if name in designs.names or name in every[:i]:
            raise ConfigError(f"response {name!r}: the name is taken; give each its own")
    return Space.of(*variables), tuple(each.text for each in derived)


def read_space(path: str) -> tuple[Space, list[str]]:
    """Designs and responses of a TOML file; responses as names with their units.

    Raises:
        ConfigError: it cannot be read, or says what cannot be.
    """
    place = printable(path)
    given = dict(read_config(Path(path)))
    given.pop("simulator", None)  # the file of a simulator says the same of its designs
    file = SpaceFile.parse(given, where=place)
    variables = [entry.variable(Path(path).parent, place) for entry in file.design]
    levels = [
        Levels(variable=entry.name, values=entry.levels)
        for entry in file.design if entry.levels is not None
    ]  # fmt: skip
    own = [*levels, *constraints_of(file.constraints, variables, (), place)]
    names = [f"{r.name} [{r.unit}]" if r.unit else r.name for r in file.response]
    return Space.of(*variables, constraints=own), names


def steps_of(text: str, name: str) -> tuple[float, ...]:
    """Levels from text: ``0,0.5,1`` or, from low to high by a step, ``0:5:0.1``.

    Raises:
        ConfigError: it is neither.

    Example:
        >>> steps_of("0:0.3:0.1", "cu"), steps_of("1,2.5", "cu")
        ((0.0, 0.1, 0.2, 0.3), (1.0, 2.5))
    """
    wrong = ConfigError(f"levels of {name!r}: expected 0,0.5,1 or LOW:HIGH:STEP, got {text!r}")
    try:
        if ":" not in text:
            return tuple(float(part) for part in text.split(","))
        low, high, step = (Decimal(part.strip()) for part in text.split(":"))
        if not (low.is_finite() and high.is_finite() and step.is_finite()):
            raise wrong
        if step <= 0 or high <= low or (high - low) / step > _MOST_LEVELS:
            raise wrong
        return tuple(float(low + i * step) for i in range(int((high - low) / step) + 1))
    except (ValueError, InvalidOperation):
        raise wrong from None


def _variables(designs: Mapping[str, Any], whole: Sequence[str]) -> list[Variable]:
    variables = []
    for given, ends in designs.items():
        name, unit = without_unit(given)
        listed = isinstance(ends, list | tuple)
        if listed and ends and all(isinstance(end, str) for end in ends):
            variables.append(category(name, [end.strip() for end in ends], unit=unit))
        else:
            low, high = limits(name, ends)
            variables.append(variable(name, low, high, whole=name in whole, unit=unit))
    names = [v.name for v in variables]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two designs have the name {name!r}")
    return variables


def _levels(name: str, values: Sequence[float] | str) -> Levels:
    numbers = steps_of(values, name) if isinstance(values, str) else tuple(map(float, values))
    return Levels(variable=name, values=tuple(sorted(set(numbers))))


def _among(space: Space, among: Any) -> Space:
    """The space whose designs are those of a list, as far as it allows them."""
    import torch
    from invcore_solve.measured.columns import Columns
    from invcore_solve.measured.design_cells import design_values
    from invcore_solve.schema.spaces import listed_space

    table = read(among)
    columns = Columns.of(table, space.variables)
    missing = [v.name for v in space.variables if v.name not in columns.place]
    if missing:
        raise ConfigError(f"{table.place}: has no column {missing[0]!r} of the designs")
    x = torch.stack([design_values(table, columns, v) for v in space.variables], dim=1)
    known = x.isfinite().all(dim=1)
    good = x[known]
    good = good[space.contains(good)]
    if not len(good):
        raise ConfigError(f"{table.place}: none of its {len(x):,} designs is allowed")
    return listed_space(space, good.numpy())
