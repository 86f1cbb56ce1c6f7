"""Which files of tables there are, and what is checked of each before it is read."""

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable, quoted

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
NUMPY = (".npz", ".npy")
LARGEST_UNPACKED = 1 << 30
"""Most bytes that a packed file (NPZ, Parquet) may become: a small one can claim any number."""


class Parsed(NamedTuple):
    """What a reader found: names (None: the file has none), values (N, D), the line of row 0."""

    names: list[str] | None
    values: npt.NDArray[np.float64]
    first_row: int


def check_names(names: Sequence[str], place: str) -> None:
    """Raise a DataError that starts with ``place`` unless the names are present and different."""
    numbers: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip() or not name.isprintable():
            what = f"a name with control characters, {quoted(name)}" if name.strip() else "no name"
            raise DataError(f"{place}: column {number} has {what}; rename or remove the column")
        if name in numbers:
            both = f"columns {numbers[name]} and {number} are both named {quoted(name)}"
            raise DataError(f"{place}: {both}; rename or remove one")
        numbers[name] = number


def check_file(file: Path, place: str) -> None:
    """Raise a DataError that starts with ``place`` unless the path leads to a regular file."""
    if file.is_dir():
        raise DataError(f"{place}: is a folder, expected a file; name a file in it")
    if not file.exists():
        hint = "its folder does not exist either"
        if file.parent.is_dir():
            close = difflib.get_close_matches(file.name, os.listdir(file.parent)[:1000], n=3)
            names = " or ".join(quoted(name) for name in close)
            hint = f"did you mean {names}?" if close else "correct the path"
        raise DataError(f"{place}: no such file; {hint}")
    if not file.is_file():  # a pipe would block, a device never end
        raise DataError(f"{place}: is not a regular file; copy the table to one")


def check_unpacked(size: int, place: str) -> None:
    """Raise a DataError that starts with ``place`` if a file unpacks to more than is read."""
    if size > LARGEST_UNPACKED:
        most = f"more than {LARGEST_UNPACKED >> 30} GiB of numbers"
        raise DataError(f"{place}: unpacks to {most}; leave out columns or rows")


def attempt(read: Callable[[], Any], place: str) -> Any:
    """Call a library's parser on a user's file.

    On corrupt bytes the parsers raise a dozen unrelated kinds (struct, zlib, tokenize, MemoryError
    from a header that claims a huge shape, ...); each of them means that the file is unreadable.

    Raises:
        DataError: the parser raised.
    """
    try:
        return read()
    except Exception as error:
        if "allow_pickle" in str(error):
            why = "holds pickled Python objects, which are never loaded; save an array of float64"
        else:
            reason = printable(str(error) or type(error).__name__, 120)
            why = f"cannot be read ({reason}); the file may be damaged: write it again"
        raise DataError(f"{place}: {why}") from error


def why(error: Exception) -> str:
    """The system's words for an error, or the error's own."""
    return printable(getattr(error, "strerror", None) or error, 120)
