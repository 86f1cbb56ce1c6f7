"""Optimisers of a library as tensors, and back: their numbers, arrays and generators, by name."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_GENERATOR = "generator."


def tensors_of(objects: Sequence[Any]) -> dict[str, Tensor]:
    """The numbers of objects of one class, stacked (M, …) by the names of their attributes.

    An attribute that is None in some of them is zero there, and its ``has.`` tells where it is not.

    Example:
        >>> from types import SimpleNamespace
        >>> tensors_of([SimpleNamespace(a=1.0), SimpleNamespace(a=2.0)])["a"]
        tensor([1., 2.], dtype=torch.float64)
    """
    parts = [dict(_numbers(each)) for each in objects]
    names = sorted({name for part in parts for name in part})
    tensors = {}
    for name in names:
        example = next(part[name] for part in parts if name in part)
        has = torch.tensor([name in part for part in parts])
        values = [part.get(name, np.zeros_like(example)) for part in parts]
        tensors[name] = torch.from_numpy(np.stack(values))
        if not bool(has.all()):
            tensors[f"has.{name}"] = has
    return tensors


def set_tensors(objects: Sequence[Any], tensors: dict[str, Tensor]) -> None:
    """Give objects of the same class the numbers that ``tensors_of`` took."""
    for place, each in enumerate(objects):
        for name, stacked in tensors.items():
            if not name.startswith(("has.", _GENERATOR)):
                has = tensors.get(f"has.{name}")
                present = has is None or bool(has[place])
                _set(each, name, stacked[place].numpy().copy() if present else None)
        for owner, name, generator in _generators(each, ""):
            del owner
            keys, rest = (tensors[f"{_GENERATOR}{name}{part}"][place] for part in (".keys", ""))
            place_in, has_gauss = (int(value) for value in rest[:2])
            words = keys.numpy().astype(np.uint32)
            generator.set_state(("MT19937", words, place_in, has_gauss, float(rest[2])))


def _numbers(each: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in vars(each).items():
        if isinstance(value, np.ndarray | np.number | float | int) and not isinstance(value, bool):
            yield prefix + name, np.asarray(value)
        elif isinstance(value, np.random.RandomState):
            _, keys, place, has_gauss, gauss = value.get_state()
            rest = np.array([place, has_gauss, gauss], dtype=np.float64)
            yield f"{_GENERATOR}{prefix}{name}", rest
            yield f"{_GENERATOR}{prefix}{name}.keys", np.asarray(keys).astype(np.int64)
        elif hasattr(value, "__dict__") and not callable(value):
            yield from _numbers(value, f"{prefix}{name}.")


def _generators(each: Any, prefix: str) -> Iterator[tuple[Any, str, np.random.RandomState]]:
    for name, value in vars(each).items():
        if isinstance(value, np.random.RandomState):
            yield each, prefix + name, value
        elif hasattr(value, "__dict__") and not callable(value):
            yield from _generators(value, f"{prefix}{name}.")


def _set(each: Any, name: str, value: Any) -> None:
    """Set an attribute, of a part where the name has dots; a number stays a number of its kind."""
    *parts, last = name.split(".")
    for part in parts:
        each = getattr(each, part)
    now = getattr(each, last, None)
    if value is not None and value.ndim == 0:
        value = int(value) if isinstance(now, int) else value.dtype.type(value)
        value = float(value) if type(now) is float else value
    setattr(each, last, value)
