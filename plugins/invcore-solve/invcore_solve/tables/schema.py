"""A user's own pairs: from files or arrays to spaces, pairs, and what the data can reach."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from invcore.base.errors import ConfigError, DataError, close_names
from invcore.base.seeding import generator
from invcore.data.pairs import Pairs, Splits
from invcore.data.scaling import Normaliser
from invcore.data.tables.check import check_same_rows, check_table
from invcore.data.tables.read import read_table
from invcore.data.tables.table import Table
from invcore.spaces.priors import Integers, Uniform
from invcore.spaces.space import Space, Variable

Source: TypeAlias = "str | os.PathLike[str] | Table | Tensor | np.ndarray[Any, Any] | Sequence[Any]"
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
class OwnData:
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
    ) -> OwnData:
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
    told = [
        f"{word} {name}" for word in ("target", "predicted", "true", "error") for name in responses
    ]
    for name in designs:
        if name in ("rank", "error", "reach", *told):
            raise ConfigError(f"design {name!r}: results have a column of that name; rename it")


@dataclass(frozen=True)
class Reach:
    """Which responses the data reach: a box, and how sparse the data are in it.

    Args:
        low: (Dy,).
        high: (Dy,).
        y: normaliser of responses.
        known: (M, Dy), some of the responses, scaled.
        gap: largest distance from a response to its nearest other, scaled.
    """

    low: Tensor
    high: Tensor
    y: Normaliser
    known: Tensor
    gap: float

    @classmethod
    def of(cls, pairs: Pairs, seed: int) -> Reach:
        """From the data, with at most 2,000 rows of it."""
        rows = torch.randperm(len(pairs), generator=generator(seed, "reach"))[:2000]
        y = Normaliser.standard(pairs.y)
        known = y(pairs.y[rows])
        apart = torch.cdist(known, known).fill_diagonal_(torch.inf).amin(dim=1)
        return cls(pairs.y.amin(0), pairs.y.amax(0), y, known, float(apart.max()))

    def problem(self, target: Tensor, names: Sequence[str]) -> str:
        """Why a target (Dy,) is out of reach; empty if it is not."""
        for name, value, low, high in zip(names, target, self.low, self.high, strict=True):
            if not low <= value <= high:
                return f"{name} = {value:g} is outside the data's {low:g} to {high:g}"
        nearest = float(torch.cdist(self.y(target)[None], self.known).min())
        if nearest > self.gap:
            return (
                f"its nearest row is {nearest:.2g} standard deviations away, "
                f"rows lie at most {self.gap:.2g} apart"
            )
        return ""

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        return {
            "low": self.low,
            "high": self.high,
            "centre": self.y.centre,
            "scale": self.y.scale,
            "known": self.known,
            "gap": torch.tensor(self.gap, dtype=torch.float64),
        }

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Reach:
        """The reach that ``state`` came from."""
        y = Normaliser(state["centre"], state["scale"])
        return cls(state["low"], state["high"], y, state["known"], float(state["gap"]))


def as_table(source: Source, prefix: str) -> Table:
    """A file, table or array as a table.

    Raises:
        DataError: it is not two-dimensional, or not numbers.

    Example:
        >>> as_table([[1.0, 2.0]], "x").names
        ('x1', 'x2')
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | os.PathLike):
        return read_table(source, prefix=prefix)
    try:
        array = source.detach().cpu().numpy() if isinstance(source, Tensor) else np.asarray(source)
        values = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{prefix}: not a table of numbers ({error})") from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise DataError(f"{prefix}: expected (N, D), got shape {values.shape}")
    names = tuple(f"{prefix}{i + 1}" for i in range(values.shape[1]))
    return Table(names, values, prefix, 1)


def as_targets(source: Source, responses: Space) -> Tensor:
    """Targets (B, Dy) from a file, table or array; columns named as the responses may be in any
    order.

    Raises:
        DataError: another width than the responses have, or not finite.

    Example:
        >>> as_targets([[0.5]], Space.of(Variable(name="gap")))
        tensor([[0.5000]], dtype=torch.float64)
    """
    table = as_table(source, "y")
    check_table(table, what="targets", allow_constant=True)
    if len(table.names) != responses.dim:
        raise DataError(
            f"{table.source}: targets have {len(table.names)} columns, the responses "
            f"{responses.dim} ({', '.join(responses.names[:6])})"
        )
    made_up = table.first_row == 1 and table.names[0] == "y1"
    known = set(table.names) & set(responses.names)
    if known == set(responses.names) and not made_up:
        table = table.select(responses.names)
    elif known and not made_up:
        other = next(name for name in table.names if name not in known)
        raise DataError(
            f"{table.source}: column {other!r} is no response. "
            f"{close_names(other, responses.names)} (or name none of the columns like responses)"
        )
    return torch.tensor(table.values)


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
            wanted = bounds[name]
            low, high = max(low, wanted[0]), min(high, wanted[1])
            if not low < high or any(math.isnan(end) for end in wanted):
                raise ConfigError(
                    f"bounds of {name!r}: {wanted[0]:g} to {wanted[1]:g} leaves no room in the "
                    f"data's {column.min():g} to {column.max():g}"
                )
        if name in whole:
            if not (column == column.round()).all():
                row = int((column != column.round()).argmax()) + table.first_row
                raise DataError(f"{table.source}: column {name!r}, row {row} is no whole number")
            ends = {"low": int(np.ceil(low)), "high": int(np.floor(high))}
            prior = Integers.parse(ends, where=f"{table.source}: column {name!r}")
            variables.append(Variable(name=name, prior=prior))
        else:
            variables.append(Variable(name=name, prior=Uniform(low=low, high=high)))
    return Space.of(*variables)
