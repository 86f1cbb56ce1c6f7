"""NPY and NPZ files as names and numbers; nothing in them is unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from invcore.base.errors import DataError
from invcore.base.text import listing, printable, shown
from invcore.data.tables.formats import Parsed, attempt, check_names


def read_numpy(path: Path, place: str, key: str | None) -> Parsed:
    """Read an NPY file, or one array of an NPZ file.

    An NPZ file that holds just ``names`` (D,) and ``values`` (N, D) is a table with column names;
    `invcore.data.tables.table.write_table` writes that.

    Args:
        path: the file.
        place: how messages name it.
        key: which array of an NPZ file; None where there is only one.

    Raises:
        DataError: corrupt, several arrays and no key, not a vector or matrix of real numbers.
    """
    names: list[str] | None = None
    with path.open("rb") as file:
        loaded = attempt(lambda: np.load(file, allow_pickle=False), place)
        if not isinstance(loaded, np.ndarray):
            archive, arrays = loaded, list(loaded.files)
            if set(arrays) == {"names", "values"} and key in (None, "values"):
                key = "values"
                stored = attempt(lambda: archive["names"], f"{place}: array 'names'")
                names = [str(name) for name in np.asarray(stored).ravel()]
            if key is None and len(arrays) != 1:
                raise DataError(
                    f"{place}: holds {len(arrays)} arrays, so name one by key; {listing(arrays)}"
                )
            chosen = arrays[0] if key is None else key
            if chosen not in arrays:
                raise DataError(f"{place}: no array {shown(chosen)}; {listing(arrays, chosen)}")
            place = f"{place}: array {shown(chosen)}"
            loaded = attempt(lambda: archive[chosen], place)
        elif key is not None:
            raise DataError(f"{place}: holds one unnamed array; leave out the key {shown(key)}")
    if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iuf":
        kind = printable(getattr(loaded, "dtype", "raw bytes"), 60)
        raise DataError(f"{place}: holds {kind}, expected real numbers; save it as float64")
    if loaded.ndim not in (1, 2):
        raise DataError(f"{place}: has shape {loaded.shape}, expected (N,) or (N, D); reshape it")
    values = loaded.astype(np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if names is not None:
        check_names(names, place)
        if len(names) != values.shape[1]:
            raise DataError(
                f"{place}: has {values.shape[1]} columns, but array 'names' holds {len(names)}; "
                "save one name a column"
            )
    return Parsed(names, values, 1)
