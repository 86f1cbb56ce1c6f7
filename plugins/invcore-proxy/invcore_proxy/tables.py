"""Users' tables for a fit: appended, checked, without contradictions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from invcore_solve import TableData
from torch import Tensor

from invcore.plugin import DataError, Integers, Pairs, Space, Table, Uniform, Variable, read_table
from invcore_proxy.record import Source
from invcore_proxy.symmetry import group, representatives


@dataclass(frozen=True)
class Known:
    """What a proxy is to learn from.

    Args:
        data: pairs and spaces.
        sources: the files.
        merged: rows that were averaged away.
    """

    data: TableData
    sources: tuple[Source, ...]
    merged: int = 0


@dataclass(frozen=True)
class Tables:
    """Where designs and responses are: tables with both, or one of each.

    Args:
        both: tables with the same columns, one below the other.
        x: table of designs.
        y: table of responses, row by row with ``x``.
        design_columns: names or numbers, as ``Table.select`` takes them.
        response_columns: likewise.
        header: whether the first rows hold names; None finds out.
        x_key: array of an NPZ file that holds the designs.
        y_key: array of an NPZ file that holds the responses.
    """

    both: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    design_columns: str | None = None
    response_columns: str | None = None
    header: bool | None = None
    x_key: str | None = None
    y_key: str | None = None

    def read(self) -> tuple[Table, Table]:
        """Designs and responses.

        Raises:
            DataError: files that cannot be read, or do not belong together; with what to say.
        """
        if self.both:
            if self.x or self.y:
                raise DataError("say tables with both, or x and y, not all of them")
            if not (self.design_columns and self.response_columns):
                raise DataError(
                    "tables with both need design columns and response columns: names or numbers, "
                    "such as 1-3,width"
                )
            tables = [
                read_table(path, prefix="column ", header=self.header, key=self.x_key)
                for path in self.both
            ]
            table = appended(tables)
            return _chosen(table, self.design_columns), _chosen(table, self.response_columns)
        if not (self.x and self.y):
            raise DataError("say where the data are: tables with both, or x and y")
        x = read_table(self.x, prefix="x", header=self.header, key=self.x_key)
        y = read_table(self.y, prefix="y", header=self.header, key=self.y_key)
        return _chosen(x, self.design_columns), _chosen(y, self.response_columns)

    def sources(self, rows: int) -> tuple[Source, ...]:
        """The files with their checksums; ``rows`` is that of a single pair of them."""
        if len(self.both) < 2:
            return tuple(Source.of(path, rows) for path in (*self.both, self.x, self.y) if path)
        return tuple(Source.of(path, self._rows(path)) for path in self.both)

    def place(self, row: int) -> str:
        """Where row ``row`` of all, from 0, stands: its file and line."""
        for path in self.both or (str(self.x),):
            key = self.x_key
            table = read_table(path, prefix="column ", header=self.header, key=key)
            if row < len(table.values):
                return f"{path}, row {row + table.first_row}"
            row -= len(table.values)
        raise DataError(f"row {row} lies behind the tables' end")

    def _rows(self, path: str) -> int:
        return len(read_table(path, header=self.header, key=self.x_key).values)


def known_pairs(
    tables: Tables,
    *,
    whole: Sequence[str] = (),
    symmetries: Sequence[Sequence[str]] = (),
    average: bool = False,
) -> Known:
    """Read and check what a proxy is to learn from.

    Args:
        tables: where it is.
        whole: design columns that take whole numbers only.
        symmetries: that the fit will be told; variables that they exchange get common bounds.
        average: whether responses of one design are averaged; else other ones are an error.

    Raises:
        DataError: the tables cannot be used; the message has file, row and column.
        ConfigError: symmetries that the columns do not allow.
    """
    x, y = tables.read()
    data = TableData.read(x, y, whole=whole)
    designs = pooled(data.designs, symmetries)
    elements = group(symmetries, designs)
    sources = tables.sources(len(data.pairs))
    key = representatives(data.pairs.x, elements)
    clash = contradiction(key, data.pairs.y)
    if clash is None:
        return Known(replace(data, designs=designs), sources)
    if not average:
        first, second = (tables.place(row) for row in clash)
        what = "equivalent designs" if len(elements) > 1 else "the same design"
        raise DataError(
            f"{second} has {what} as {first}, but another response; remove one of them",
            remedy="average_duplicates=True averages the responses",
        )
    pairs = averaged(data.pairs, key)
    merged = len(data.pairs) - len(pairs)
    return Known(replace(data, pairs=pairs, designs=designs), sources, merged)


def appended(tables: Sequence[Table]) -> Table:
    """Tables one below the other; columns in another order are put in the first one's.

    Raises:
        DataError: other columns than the first table's, or a missing number.

    Example:
        >>> one = Table(("a", "b"), np.array([[1.0, 2.0]]), "1.csv", 2)
        >>> other = Table(("b", "a"), np.array([[4.0, 3.0]]), "2.csv", 2)
        >>> appended([one, other]).values.tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    parts = []
    for table in tables:
        if set(table.names) != set(first.names):
            odd = sorted(set(table.names) ^ set(first.names))[0]
            raise DataError(
                f"{table.source} and {first.source} have other columns: {odd!r} is in one alone"
            )
        bad = np.argwhere(~np.isfinite(table.values))
        if len(bad):  # here, where the line is known
            row, column = (int(i) for i in bad[0])
            raise DataError(
                f"{table.source}: row {table.first_row + row}, column {table.names[column]!r} is "
                "missing or infinite; fill it in or remove the row"
            )
        parts.append(table.select(first.names).values)
    source = " + ".join(table.source for table in tables)
    return Table(first.names, np.concatenate(parts), source, first.first_row)


def contradiction(key: Tensor, y: Tensor) -> tuple[int, int] | None:
    """The first two rows with equal keys (N, Dx) and other responses (N, Dy).

    Example:
        >>> x = torch.tensor([[1.0], [2.0], [1.0]])
        >>> contradiction(x, torch.tensor([[0.0], [0.0], [3.0]]))
        (0, 2)
    """
    _, place = torch.unique(key, dim=0, return_inverse=True)
    first = torch.full((int(place.max()) + 1,), len(y))
    first.scatter_reduce_(0, place, torch.arange(len(y)), "amin")
    clash = (y != y[first[place]]).any(dim=1).nonzero()
    if not len(clash):
        return None
    row = int(clash[0])
    return int(first[place[row]]), row


def averaged(pairs: Pairs, key: Tensor) -> Pairs:
    """One row for each key: its first design, and the mean of its responses."""
    _, place, counts = torch.unique(key, dim=0, return_inverse=True, return_counts=True)
    first = torch.full((len(counts),), len(pairs))
    first.scatter_reduce_(0, place, torch.arange(len(pairs)), "amin")
    sums = torch.zeros(len(counts), pairs.y.shape[1], dtype=pairs.y.dtype)
    sums.index_add_(0, place, pairs.y)
    order = first.argsort()
    return Pairs(pairs.x[first[order]], (sums / counts[:, None])[order])


def pooled(designs: Space, symmetries: Sequence[Sequence[str]]) -> Space:
    """The space with common bounds for variables that symmetries exchange.

    A table's bounds are the ends of its columns: by the symmetry the data reach all of them.
    """
    variables: dict[str, Variable] = {v.name: v for v in designs.variables}
    for _ in range(designs.dim if symmetries else 0):  # until all of an orbit have heard of all
        for names in symmetries:
            if set(names) != set(designs.names):
                continue  # the group's check will say so
            for here, there in zip(designs.names, names, strict=False):
                pair = variables[here], variables[there]
                ends = [v.bounds for v in pair]
                low, high = min(e[0] for e in ends), max(e[1] for e in ends)
                for v in pair:
                    variables[v.name] = _widened(v, low, high)
    return Space.of(*(variables[name] for name in designs.names))


def _widened(variable: Variable, low: float, high: float) -> Variable:
    prior: Any = variable.prior
    if isinstance(prior, Uniform):
        prior = Uniform(low=low, high=high)
    elif isinstance(prior, Integers) and low == int(low) and high == int(high):
        prior = Integers(low=int(low), high=int(high))
    return variable.model_copy(update={"prior": prior})


def _chosen(table: Table, columns: str | None) -> Table:
    return table.select([c.strip() for c in columns.split(",")]) if columns else table
