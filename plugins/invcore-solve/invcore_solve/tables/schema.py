"""A user's own pairs: from files or arrays to spaces, pairs, and what the data can reach."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from invcore.plugin import (
    ConfigError,
    DataError,
    Integers,
    Pairs,
    Space,
    Splits,
    Table,
    Uniform,
    Variable,
    close_names,
    generator,
)
from invcore_solve.simulators.bounds import limits
from invcore_solve.tables.check import check_same_rows, check_table
from invcore_solve.tables.sources import Source, as_table

Bounds: TypeAlias = Mapping[str, tuple[float, float]]

MIN_ROWS = 30  # fewer cannot be split in three and say anything about error


def contradictions(x: Table, y: Table) -> int:
    """How many designs have several rows that do not agree on the response.

    Args:
        x: designs (N, Dx).
        y: responses (N, Dy); of another number of rows, nothing can be said: 0.

    Example:
        >>> x = Table(("a",), np.array([[1.0], [1.0], [2.0], [2.0]]), "x.csv", 2)
        >>> y = Table(("b",), np.array([[0.5], [0.7], [0.9], [0.9]]), "y.csv", 2)
        >>> contradictions(x, y)
        1
    """
    if len(x.values) != len(y.values):
        return 0
    _, which = np.unique(x.values, axis=0, return_inverse=True)
    pairs = np.unique(np.column_stack([which.reshape(-1), y.values]), axis=0)
    return int((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum())


@dataclass(frozen=True)
class TableData:
    """A table's pairs, and the spaces that it implies.

    Args:
        pairs: (N, Dx) and (N, Dy), float64.
        designs: space with a uniform prior in the bounds.
        responses: space of y.
        source: for messages.
    """

    pairs: Pairs
    designs: Space
    responses: Space
    source: str

    @classmethod
    def read(
        cls,
        x: Source,
        y: Source,
        *,
        bounds: Bounds | None = None,
        whole: Sequence[str] = (),
    ) -> TableData:
        """Check designs and responses, and find their spaces.

        Args:
            x: designs (N, Dx): a file, a table, or an array.
            y: responses (N, Dy), likewise.
            bounds: by design column, (low, high); elsewhere the data's range.
            whole: design columns that take whole numbers only.

        Raises:
            DataError: the tables cannot be used; the message has file, row and column.
            ConfigError: bounds that leave no room, or for no such column; a design with the name
                of another column of results.
        """
        xs, ys = as_table(x, "x"), as_table(y, "y")
        check_same_rows(xs, ys)
        check_table(xs, what="designs", min_rows=MIN_ROWS)
        check_table(ys, what="responses", min_rows=MIN_ROWS)
        shared = set(xs.names) & set(ys.names)
        if shared:
            raise DataError(
                f"{ys.source}: column {sorted(shared)[0]!r} is both a design and a response"
            )
        check_names(xs.names, ys.names)
        designs = _designs(xs, dict(bounds or {}), whole)
        responses = Space.of(*(Variable(name=name) for name in ys.names))
        pairs = Pairs(torch.tensor(xs.values), torch.tensor(ys.values))
        return cls(pairs, designs, responses, xs.source)

    @property
    def checksum(self) -> str:
        """Of the numbers, for the identity of what is fitted to them."""
        numbers = self.pairs.x.numpy().tobytes() + self.pairs.y.numpy().tobytes()
        return hashlib.sha256(numbers).hexdigest()

    def split(self, seed: int) -> Splits:
        """80% to learn, 10% to choose checkpoints, 10% held out for the error estimate."""
        return Splits(*self.pairs.split(0.8, 0.1, generator=generator(seed, "split")))


def check_names(designs: Sequence[str], responses: Sequence[str]) -> None:
    """Refuse designs that are named like another column of a table of results.

    Raises:
        ConfigError: there is one.

    Example:
        >>> check_names(["length", "rank"], ["force"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        invcore.base.errors.ConfigError: design 'rank': results have a column of that name; ...
    """
    columns = [
        f"{word} {name}" for word in ("target", "predicted", "true", "error") for name in responses
    ]
    for name in designs:
        if name in ("rank", "error", "reach", *columns):
            raise ConfigError(f"design {name!r}: results have a column of that name; rename it")


def _designs(table: Table, bounds: dict[str, tuple[float, float]], whole: Sequence[str]) -> Space:
    for name in [*bounds, *whole]:
        if name not in table.names:
            raise ConfigError(
                f"{table.source} has no design column {name!r}. {close_names(name, table.names)}"
            )
    variables = []
    for i, name in enumerate(table.names):
        column = table.values[:, i]
        low, high = float(column.min()), float(column.max())
        if name in bounds:
            ends = limits(name, bounds[name])
            low, high = max(low, ends[0]), min(high, ends[1])
            if not low < high or any(math.isnan(end) for end in ends):
                raise ConfigError(
                    f"bounds of {name!r}: {ends[0]:g} to {ends[1]:g} leaves no room in the "
                    f"data's {column.min():g} to {column.max():g}"
                )
        if name in whole:
            if not (column == column.round()).all():
                row = int((column != column.round()).argmax()) + table.first_row
                raise DataError(f"{table.source}: column {name!r}, row {row} is no whole number")
            whole_ends = {"low": int(np.ceil(low)), "high": int(np.floor(high))}
            prior = Integers.parse(whole_ends, where=f"{table.source}: column {name!r}")
            variables.append(Variable(name=name, prior=prior))
        else:
            variables.append(Variable(name=name, prior=Uniform(low=low, high=high)))
    return Space.of(*variables)
