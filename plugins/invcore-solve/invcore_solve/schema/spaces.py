"""The spaces that a schema implies: priors, bounds, and constraints as data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from invcore.plugin import (
    Among,
    Categorical,
    ConfigError,
    Constraint,
    Fixed,
    Integers,
    Levels,
    LinearEquality,
    LogUniform,
    Periodic,
    Space,
    Uniform,
    Variable,
    close_names,
)
from invcore_solve.schema.choices import Choices, ColumnChoice
from invcore_solve.schema.column_schema import ColumnSchema, not_whole
from invcore_solve.schema.constraints import check_bounds, constrained, constraints_of, joined
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.descriptors import descriptors_of, number_text

Numbers = npt.NDArray[np.float64]
Prior = Categorical | Integers | LogUniform | Uniform


def design_space(schema: TableSchema, choices: Choices, x: Numbers) -> Space:
    """The space of the designs that vary.

    Args:
        schema: of the table.
        choices: what the user says.
        x: (N, Dx), the table's designs.

    Raises:
        ConfigError: bounds, levels or fixed values that leave nothing.
    """
    variables, constraints = [], []
    for i, column in enumerate(schema.varying):
        choice = choices.of(column.name)
        low, high = _ends(column, choice, x[:, i])
        prior = _prior(column, choice, low, high, schema.source)
        variables.append(Variable(name=column.name, prior=prior, unit=column.unit))
        constraints += _own(column, choice, low, high)
    for relation in schema.relations:
        constraints.append(LinearEquality(**relation.model_dump()))
    columns = [column.name for column in schema.columns]
    said = constraints_of(choices.constraints, variables, columns, schema.source)
    every = joined(constraints, said, schema.source)
    check_bounds(variables, every, schema.source)
    return constrained(variables, every, schema.source)


def listed_space(designs: Space, listed: Numbers) -> Space:
    """The space whose designs are rows (M, Dx) of a list; its bounds hold all of them."""
    variables = []
    for variable, column in zip(designs.variables, listed.T, strict=True):
        ends: dict[str, float] = {"low": float(column.min()), "high": float(column.max())}
        prior = variable.prior
        if prior is not None and not variable.categories:
            low, high = prior.support
            ends = {"low": min(ends["low"], low), "high": max(ends["high"], high)}
            whole = bool((column == np.round(column)).all())
            kind: type[Integers] | type[LogUniform] | type[Uniform] = Uniform
            if isinstance(prior, Integers) and whole:
                kind, ends = Integers, {"low": int(ends["low"]), "high": int(ends["high"])}
            elif isinstance(prior, LogUniform) and ends["low"] > 0:
                kind = LogUniform
            prior = kind.parse(ends, where=f"column {variable.name!r}")
        variables.append(variable.model_copy(update={"prior": prior}))
    rows = tuple(tuple(row) for row in np.unique(listed, axis=0).tolist())
    return Space.of(*variables, constraints=[Among(variables=designs.names, designs=rows)])


def response_space(schema: TableSchema, responses: Sequence[str]) -> Space:
    """The space of the responses, in the order in which they were named."""
    columns = {column.name: column for column in schema.columns}
    return Space.of(*(Variable(name=n, unit=columns[n].unit) for n in responses))


def _ends(column: ColumnSchema, choice: ColumnChoice, values: Numbers) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if choice.periodic is not None:
        return choice.periodic
    if choice.levels is not None:
        low, high = min(choice.levels), max(choice.levels)
    if choice.bounds is not None:
        said = choice.bounds  # no limit on a side is the data's
        low = low if said[0] is None else said[0]
        high = high if said[1] is None else said[1]
    if choice.positive or choice.log:
        least = float(values[values > 0].min()) if (values > 0).any() else 0.0
        low = max(low, least if choice.log else 0.0)
    return low, high


def _prior(
    column: ColumnSchema, choice: ColumnChoice, low: float, high: float, source: str
) -> Prior:
    where = f"{source}: column {column.name!r}"
    if column.kind == "category":
        known = choice.descriptors
        rows = None if known is None else descriptors_of(column.categories, known, where)
        own = {"categories": column.categories, "descriptors": rows}
        return Categorical.parse(own, where=where)
    if not low < high:
        raise ConfigError(f"{where}: {low:g} to {high:g} leaves no room; fix it instead")
    if column.kind == "whole":
        ends = {"low": math.ceil(low), "high": math.floor(high)}
        if not ends["low"] < ends["high"]:
            count = "one whole number alone" if ends["low"] == ends["high"] else "no whole number"
            raise ConfigError(f"{where}: {count} lies between {low:g} and {high:g}; fix it instead")
        return Integers.parse(ends, where=where)
    if choice.log:
        return LogUniform.parse({"low": low, "high": high}, where=where)
    return Uniform(low=low, high=high)


def _own(column: ColumnSchema, choice: ColumnChoice, low: float, high: float) -> list[Constraint]:
    """The constraints of one column."""
    name = column.name
    result: list[Constraint] = []
    if choice.fix is not None:
        result.append(Fixed(variable=name, value=_fixed(column, choice.fix)))
    elif column.kind == "levels":
        levels = tuple(v for v in column.levels if low <= v <= high)
        if not levels:
            raise ConfigError(f"column {name!r}: no level lies between {low:g} and {high:g}")
        result.append(Levels(variable=name, values=levels))
    if choice.periodic is not None:
        result.append(Periodic(variable=name, low=low, high=high))
    return result


def _fixed(column: ColumnSchema, value: float | str) -> float:
    if column.categories:
        text = number_text(value) if isinstance(value, float) else value
        if text not in column.categories:
            close = close_names(text, column.categories)
            raise ConfigError(f"column {column.name!r} has no category {text!r}. {close}")
        return float(column.categories.index(text))
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"column {column.name!r}: {value!r} is no number")
    if column.kind == "whole" and number != round(number):
        raise not_whole(f"the fixed value {number:g} of", column.name)
    return number
