"""Correlations of tolerances from a table: a square of numbers with the variables' names."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable

from invcore.base.errors import ConfigError, DataError
from invcore.base.text import printable, quoted
from invcore.configs.documents import read_text
from invcore.expressions.names import written

_MARK = "@"
_SYMMETRIC = 1e-9


def read_correlations(path: str | os.PathLike[str]) -> list[str]:
    r"""The texts of a table of correlations, one for each pair that is correlated.

    The first row has the variables' names; each further row has the correlations of one of them,
    with its name before them or, where no row has a name, in the same order.

    Args:
        path: a comma-separated file.

    Returns:
        Texts such as ``correlation width,height=0.8``, as `Tolerances.of_texts` takes them.

    Raises:
        DataError: it cannot be read, is no square, or is not symmetric with ones on its diagonal.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "correlations.csv"
        >>> _ = file.write_text(",width,height\nwidth,1,0.8\nheight,0.8,1\n")
        >>> read_correlations(file)
        ['correlation width,height=0.8']
    """
    where = f"correlations {printable(path)}"
    try:
        text = read_text(path).splitlines()
        rows = [[cell.strip() for cell in row] for row in csv.reader(text) if any(row)]
    except (ConfigError, csv.Error) as error:
        raise DataError(f"{where}: cannot be read ({printable(error)})") from None
    if len(rows) < 2:
        raise DataError(f"{where}: expected a row of names, and a row of numbers for each")
    named = all(len(row) == len(rows) for row in rows)  # a corner, then a square
    names = rows[0][1:] if named else rows[0]
    body = [row[1:] if named else row for row in rows[1:]]
    if named and sorted(row[0] for row in rows[1:]) == sorted(names):
        body = [body[[row[0] for row in rows[1:]].index(name)] for name in names]
    elif named:
        raise DataError(f"{where}: its rows have other names than its columns")
    if len(body) != len(names) or any(len(row) != len(names) for row in body):
        raise DataError(f"{where}: expected {len(names)} rows of {len(names)} numbers")
    matrix = [[_number(cell, where) for cell in row] for row in body]
    texts = []
    for i, first in enumerate(names):
        if abs(matrix[i][i] - 1) > _SYMMETRIC:
            raise DataError(f"{where}: {quoted(first)} with itself must be 1")
        for j in range(i + 1, len(names)):
            if abs(matrix[i][j] - matrix[j][i]) > _SYMMETRIC:
                raise DataError(
                    f"{where}: {quoted(first)} with {quoted(names[j])} is {matrix[i][j]:g} one way "
                    f"and {matrix[j][i]:g} the other"
                )
            if matrix[i][j]:
                texts.append(
                    f"correlation {written(first)},{written(names[j])}={matrix[i][j]:.12g}"
                )
    return texts


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(f"{where}: {quoted(cell)} is no number") from None
    if not -1 <= value <= 1:
        raise DataError(f"{where}: {quoted(cell)} is no correlation from -1 to 1")
    return value


def tolerance_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts of tolerances, in which ``@FILE`` is replaced by what the file says.

    Raises:
        DataError: a file cannot be read.
    """
    every: list[str] = []
    for text in texts:
        every += read_correlations(text[1:]) if text.startswith(_MARK) else [text]
    return tuple(every)
