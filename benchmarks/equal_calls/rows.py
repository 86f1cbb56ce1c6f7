"""Lines of measurements in a file, and what is read from them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

LEVELS = (1e-2, 1e-4, 1e-6, 1e-12)
"""Errors, relative to the responses' variance, at which calls are counted."""
KEY = ("part", "task", "competitor", "seed", "target")
"""What tells one measurement from another."""

Line = dict[str, Any]
Falls = Sequence[Sequence[float]]
"""Where the best value so far falls: the number of the call, from one, and the value."""


class Rows:
    """The lines of a file, one JSON object each; those that are there are not measured again.

    Args:
        path: the file, which need not exist. A last line that was cut short is taken away.
        beside: files of other processes, or packed ones (``.gz``), which are read alone.

    Raises:
        ValueError: another line is no measurement.
    """

    def __init__(self, path: Path, beside: Iterable[Path] = ()) -> None:
        self.path = path
        whole, rest = _rows_of(path) if path.exists() else ([], "")
        if rest:  # of a run that was stopped while it wrote
            path.write_text("".join(f"{row}\n" for row in whole), encoding="utf-8")
        self.lines = _lines(path, whole)
        for other in beside:
            self.lines += _lines(other, _rows_of(other)[0])
        self._done = {key_of(line) for line in self.lines}

    def has(self, *key: Any) -> bool:
        """Whether a measurement is there: part, task, competitor, seed, target."""
        return key in self._done

    def append(self, lines: Iterable[Line]) -> None:
        """Add measurements, all of them in one write."""
        new = list(lines)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in new))
        self.lines += new
        self._done.update(key_of(line) for line in new)


def _rows_of(path: Path) -> tuple[list[str], str]:
    """The lines of a file, and what stands behind the last of them."""
    packed = path.suffix == ".gz"
    text = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text("utf-8")
    *whole, rest = text.split("\n")
    return whole, rest


def _lines(path: Path, rows: Iterable[str]) -> list[Line]:
    found = []
    for number, row in enumerate(rows, 1):
        try:
            line = json.loads(row)
            key_of(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: line {number} is no measurement: {error}") from None
        found.append(line)
    return found


def key_of(line: Line) -> tuple[Any, ...]:
    """What tells a measurement from others."""
    return tuple(line[name] for name in KEY)


def falls(values: Iterable[float]) -> list[list[float]]:
    """Where the best of values so far falls.

    Example:
        >>> falls([3.0, 4.0, 1.0, float("nan"), 1.0])
        [[1, 3.0], [3, 1.0]]
    """
    found: list[list[float]] = []
    best = float("inf")
    for call, value in enumerate(values, 1):
        if value < best:  # never of NaN
            best = value
            found.append([call, value])
    return found


def calls_to(best: Falls, level: float, within: float = float("inf")) -> float | None:
    """The call that reached a level first; None if none of those ``within`` did.

    Example:
        >>> calls_to([[1, 3.0], [4, 0.5]], 1.0), calls_to([[1, 3.0], [4, 0.5]], 1.0, within=3)
        (4, None)
    """
    return next((call for call, value in best if value <= level and call <= within), None)


def best_after(best: Falls, calls: float) -> float:
    """The best value after a number of calls; infinite before the first.

    Example:
        >>> best_after([[1, 3.0], [4, 0.5]], 3)
        3.0
    """
    return min((value for call, value in best if call <= calls), default=float("inf"))
