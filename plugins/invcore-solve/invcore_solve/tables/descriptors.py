"""Descriptors of categories from a file: a row a category, its name first, numbers behind."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from invcore.plugin import ConfigError, close_names, printable, quoted
from invcore_solve.tables.read import read

Descriptors = dict[str, tuple[float, ...]]


def read_descriptors(path: str | os.PathLike[str]) -> Descriptors:
    """The numbers of each category, from a table whose first column names the categories.

    Raises:
        ConfigError: no column of numbers, a missing number, or a category that comes twice.
        DataError: the file cannot be read.
    """
    table = read(path, header=True)
    place = table.place
    if len(table.names) < 2:
        raise ConfigError(f"{place}: expected a column of categories and one of numbers, or more")
    first, *others = (table.column(name) for name in table.names)
    texts = first.texts or [None if np.isnan(v) else number_text(v) for v in first.values.tolist()]
    for name, column in zip(table.names[1:], others, strict=True):
        lost = np.flatnonzero(~np.isfinite(column.values))
        if len(lost):
            row = int(table.rows[lost[0]])
            raise ConfigError(f"{place}: column {quoted(name)}, row {row} is no number; correct it")
    known: Descriptors = {}
    for i, text in enumerate(texts):
        row = int(table.rows[i])
        if text is None:
            raise ConfigError(f"{place}: row {row} names no category")
        if text in known:
            raise ConfigError(f"{place}: row {row}: category {quoted(text)} comes twice")
        known[text] = tuple(float(column.values[i]) for column in others)
    return known


def descriptors_of(
    categories: Sequence[str], known: Mapping[str, Sequence[float]], where: str
) -> tuple[tuple[float, ...], ...]:
    """The descriptors of categories, in their order.

    Raises:
        ConfigError: one has none; with close names.

    Example:
        >>> descriptors_of(["air", "gold"], {"gold": (19.3,), "air": (0.0,)}, "column 'metal'")
        ((0.0,), (19.3,))
    """
    for name in categories:
        if name not in known:
            close = close_names(name, tuple(known))
            raise ConfigError(
                f"{where}: category {quoted(printable(name))} has no descriptors: give it a row. "
                f"{close}"
            )
    return tuple(tuple(float(number) for number in known[name]) for name in categories)


def number_text(value: float) -> str:
    """A number as the name of a category.

    Example:
        >>> number_text(2.0), number_text(0.5)
        ('2', '0.5')
    """
    return str(int(value)) if value == int(value) else repr(value)
