"""Numbers that come in from Python as float64, or one clear line about what they are instead."""

from __future__ import annotations

import sys
import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from invcore.base.errors import DataError
from invcore.base.text import printable

if TYPE_CHECKING:
    from torch import Tensor

_EXACT = 2**53  # above it, float64 has no place for every whole number
_KINDS = {
    "c": "complex numbers; give the real and the imaginary part a column each",
    "M": "dates; give the days or seconds since one of them",
    "m": "durations; give them in days or seconds",
    "S": "text; convert it by astype(float)",
    "U": "text; convert it by astype(float)",
    "V": "records of several fields; give their fields as columns",
}


def real_array(values: Any, place: str) -> npt.NDArray[np.float64]:
    """Numbers as float64: an array, a tensor, a table of another library, or nested lists of them.

    A masked value is a missing one, which NaN stands for.

    Args:
        values: of any shape; whole numbers and truth values count as numbers.
        place: what messages begin with.

    Raises:
        DataError: complex numbers, text, dates, whole numbers that float64 has no place for, a
            tensor without values, or nothing that is numbers.

    Example:
        >>> real_array([[1, 2.5], [True, 0]], "x").tolist()
        [[1.0, 2.5], [1.0, 0.0]]
        >>> real_array(np.ma.masked_equal([1.0, -9.0], -9.0), "x").tolist()
        [1.0, nan]
    """
    array = _array(values, place)
    if array.dtype.kind == "O":
        items = [_checked(item, place) for item in array.flat]
        numbers = np.empty(len(items), dtype=object)
        numbers[:] = items
        array = numbers.reshape(array.shape)
    elif array.dtype.kind not in "biuf":
        what = _KINDS.get(array.dtype.kind, printable(array.dtype, 60))
        raise DataError(f"{place}: not a table of real numbers, it holds {what}")
    check_whole(array, place)
    try:
        with warnings.catch_warnings():  # of long doubles, which are infinite then
            warnings.simplefilter("ignore", RuntimeWarning)
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{place}: not a table of numbers ({printable(error, 120)})") from None


def check_whole(array: npt.NDArray[Any], place: str) -> None:
    """Refuse whole numbers that float64 has no place for: two of them would become one.

    Raises:
        DataError: there is one.
    """
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or not array.size:
        return
    if int(array.min()) < -_EXACT or int(array.max()) > _EXACT:
        large = array[(array > _EXACT) | (array < -_EXACT)]
        for item in large.flat:
            _checked(int(item), place)


def _array(values: Any, place: str) -> npt.NDArray[Any]:
    """Whatever holds values as an array of any type."""
    if _is_tensor(values):
        return _of_tensor(values, place)
    if isinstance(values, np.ma.MaskedArray):
        if not bool(np.ma.getmaskarray(values).any()):
            return np.asarray(values.data)
        if values.dtype.kind not in "biuf":
            return _array(values.data, place)
        check_whole(values.compressed(), place)
        return np.where(np.ma.getmaskarray(values), np.nan, values.data.astype(np.float64))
    if isinstance(values, list | tuple):
        values = [
            _array(item, place)
            if _is_tensor(item) or isinstance(item, np.ma.MaskedArray | list | tuple)
            else item
            for item in values
        ]
    try:
        with warnings.catch_warnings():  # of masked numbers, which are NaN then
            warnings.simplefilter("ignore", UserWarning)
            array = np.asarray(values)
            mixed = isinstance(values, list) and array.dtype.kind in "SUf"
            # NumPy makes one text of numbers and texts, and rounds whole numbers beside others
            return np.asarray(values, dtype=object) if mixed else array
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise DataError(f"{place}: not a table of numbers ({printable(error, 120)})") from None


def _is_tensor(values: Any) -> bool:
    """Whether it is torch's; without torch, which takes seconds to import, there is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def _of_tensor(values: Tensor, place: str) -> npt.NDArray[Any]:
    """A tensor's values; those of float64 and of whole numbers as they are."""
    import torch

    if values.is_complex():
        raise DataError(f"{place}: not a table of real numbers, it holds {_KINDS['c']}")
    if values.device.type == "meta":
        raise DataError(f"{place}: is a tensor on the device 'meta', which has no values; fill it")
    try:
        dense = values.detach()
        dense = dense if dense.layout == torch.strided else dense.to_dense()
        dense = dense.cpu()
        return np.asarray((dense.double() if dense.is_floating_point() else dense).numpy())
    except (TypeError, RuntimeError, NotImplementedError) as error:
        reason = printable(str(error).split("\n")[0], 120)
        raise DataError(f"{place}: not a tensor of numbers ({reason}); make it dense") from None


def _checked(item: Any, place: str) -> Any:
    """A Python object that is a number; NaN for a missing one.

    Raises:
        DataError: a number of another kind, or one with too many digits.
    """
    if type(item) in (float, bool):
        return item
    if item is None or type(item).__name__ == "NAType":  # of pandas
        return np.nan
    if isinstance(item, Integral):
        number = int(item)
        if abs(number) > _EXACT and (number.bit_length() > 1023 or int(float(number)) != number):
            raise DataError(
                f"{place}: {printable(number, 40)} has more digits than float64, so that others "
                "beside it would be the same; subtract an offset, or convert it by astype(float)"
            )
        return number
    kind = "U" if isinstance(item, str | bytes) else np.asarray(item).dtype.kind
    if kind in _KINDS:
        raise DataError(f"{place}: not a table of real numbers, it holds {_KINDS[kind]}")
    return item
