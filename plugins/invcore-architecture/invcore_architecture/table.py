"""Tables of two-phase cells with their moduli: identity up to symmetry, files, checksums."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError, replace_file

VERSION = 1
SHIPPED = "cells.npz"
_ARRAYS = ("cells", "moduli", "family", "facts")


@dataclass(frozen=True)
class CellTable:
    """Two-phase cells, no two of them the same up to shifts and mirrors.

    Args:
        cells: (N, n, n), bool, True where solid; rows are along y, columns along x.
        moduli: (N, 2), float64, Young's modulus along x and y as fractions of the solid's.
        family: (N,), where each comes from: a place in ``families``.
        families: their names.
        settings: what the moduli were computed with, and the seed.
    """

    cells: Tensor
    moduli: Tensor
    family: Tensor
    families: tuple[str, ...]
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.cells)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table, eight pixels a byte, with its settings and a checksum.

        Raises:
            DataError: the file cannot be written.
        """
        cells = np.packbits(self.cells.flatten(1).numpy(), axis=1)
        moduli = self.moduli.numpy()
        family = self.family.to(torch.uint8).numpy()
        facts = {
            "version": VERSION,
            "side": self.cells.shape[-1],
            "families": list(self.families),
            "settings": self.settings,
            "sha256": _digest(cells, moduli, family),
        }
        arrays = {
            "cells": cells,
            "moduli": moduli,
            "family": family,
            "facts": np.array(json.dumps(facts)),
        }
        write_arrays(Path(path), arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CellTable:
        """Read a table, and check it.

        Raises:
            DataError: no such file, or it is no table of cells, or damaged.
        """
        path = Path(path)
        arrays = read_arrays(path, _ARRAYS)
        try:
            facts = json.loads(str(arrays["facts"]))
            side, families = int(facts["side"]), tuple(map(str, facts["families"]))
            settings, checksum = dict(facts["settings"]), facts["sha256"]
            packed, moduli, family = (arrays[name] for name in _ARRAYS[:3])
            good = facts["version"] == VERSION and checksum == _digest(packed, moduli, family)
            bits = np.unpackbits(packed, axis=1, count=side * side)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path}: no table of cells ({error})") from None
        if not good or not len(bits) == len(moduli) == len(family):
            raise DataError(f"{path}: damaged, or of another version; generate or install it anew")
        cells = torch.from_numpy(bits).bool().unflatten(1, (side, side))
        places = torch.from_numpy(family).long()
        return cls(cells, torch.from_numpy(moduli), places, families, settings)


@lru_cache(maxsize=1)
def shipped() -> CellTable:
    """The table that comes with this package."""
    with resources.as_file(resources.files(__package__) / SHIPPED) as path:
        return CellTable.load(path)


def identity(cells: Tensor) -> list[bytes]:
    """What a cell has in common with its shifts and mirrors, and hardly with any other cell.

    It is the cell's periodic autocorrelation in whole pixels, or that of its mirror image,
    whichever comes first. Different cells of one autocorrelation count as the same.

    Args:
        cells: (N, n, n), bool.

    Example:
        >>> cell = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.5
        >>> identity(cell) == identity(cell.roll((3, 1), (1, 2)).flip(2))
        True
    """
    waves = torch.fft.rfft2(cells.double())
    counts = torch.fft.irfft2(waves.abs().square(), s=cells.shape[1:]).round().to(torch.int16)
    mirrored = counts.flip(2).roll(1, 2)
    ours, theirs = counts.flatten(1).numpy(), mirrored.flatten(1).numpy()
    return [
        hashlib.sha256(min(a.tobytes(), b.tobytes())).digest()
        for a, b in zip(ours, theirs, strict=True)
    ]


def first_seen(cells: Tensor, identities: set[bytes]) -> Tensor:
    """Places of the cells (N, n, n) whose ``identity`` is not in ``identities``; it is added."""
    new = []
    for place, key in enumerate(identity(cells)):
        if key not in identities:
            identities.add(key)
            new.append(place)
    return torch.tensor(new, dtype=torch.long)


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """Named arrays of a file, none of them a pickle.

    Raises:
        DataError: it cannot be read, or lacks one.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (
        OSError, ValueError, KeyError, TypeError, SyntaxError, EOFError, RuntimeError, MemoryError,
        OverflowError, zlib.error, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise DataError(f"{path}: no table of cells ({error})") from None


def write_arrays(path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """Write a compressed file of arrays under a temporary name, then rename it.

    Raises:
        DataError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        replace_file(path, buffer.getvalue())
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error})") from None


def _digest(*arrays: np.ndarray[Any, Any]) -> str:
    data = hashlib.sha256()
    for array in arrays:
        data.update(f"{array.dtype.str}{array.shape}".encode())
        data.update(np.ascontiguousarray(array).tobytes())
    return data.hexdigest()
