"""Reading a user's table of numbers from a file."""

import os
from pathlib import Path

from invcore.base.errors import DataError
from invcore.base.text import printable, quoted
from invcore.data.tables.binary_files import read_numpy, read_parquet
from invcore.data.tables.delimited_text import read_text
from invcore.data.tables.formats import NUMPY, PARQUET, TEXT, check_file, why
from invcore.data.tables.table import Table


def read_table(
    path: str | os.PathLike[str], *, prefix: str = "x", header: bool | None = None,
    key: str | None = None,
) -> Table:  # fmt: skip
    """Read a table of numbers: .csv, .tsv, .txt, .parquet, .pq, .npz or .npy.

    In text, the delimiter is found, and NaN and infinity pass: `check_table` refuses them.

    Args:
        path: the file.
        prefix: columns without names are called by it and their number: x1, x2, ...
        header: whether the first row of a text file holds names. None: it does if it holds
            anything but numbers; say True where names are numbers, as wavelengths are.
        key: the array to take from an NPZ file that has several.

    Returns:
        The table, with at least one row and one column.

    Raises:
        DataError: the file cannot be read, or anything in it is missing or is no number.

    Example:
        >>> import tempfile
        >>> from invcore.data.tables.write import write_table
        >>> path = Path(tempfile.mkdtemp()) / "pairs.csv"
        >>> write_table(path, ["length", "force"], {"length": [0.5], "force": [12.0]})
        >>> read_table(path).names
        ('length', 'force')
    """
    source = os.fspath(path)
    place, file = printable(source), Path(source)
    suffix, suffixes = file.suffix.lower(), TEXT + PARQUET + NUMPY
    if suffix not in suffixes:
        fault = f"unknown kind of file {quoted(suffix)}, expected one of {' '.join(suffixes)}"
        raise DataError(f"{place}: {fault}; convert or rename it")
    if key is not None and suffix not in NUMPY:
        raise DataError(f"{place}: key {quoted(key)} is for NPZ files; leave it out")
    try:
        check_file(file, place)
        if suffix in TEXT:
            names, values, first_row = read_text(file, place, header)
        elif suffix in NUMPY:
            names, values, first_row = read_numpy(file, place, key)
        else:
            names, values, first_row = read_parquet(file, place)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        advice = "check the path and its rights"
        raise DataError(f"{place}: cannot be opened ({why(error)}); {advice}") from error
    if not values.size:
        raise DataError(f"{place}: is empty, shape {values.shape}; expected rows of numbers")
    names = names or [f"{prefix}{number}" for number in range(1, values.shape[1] + 1)]
    return Table(tuple(names), values, source, first_row)
