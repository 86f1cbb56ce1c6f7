"""Observations and reference posteriors of the package sbibm, read where it is installed.

Nothing of it is imported or run, and its dependencies are not needed.
"""

import bz2
import hashlib
import io
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError

OBSERVATIONS = 10
_LARGEST = 1 << 25  # bytes of a table, unpacked; theirs have at most 2 MB
_INSTALL = "pip install --no-deps sbibm"


def reference_samples(folder: str, number: int, dim: int) -> Tensor:
    """Samples of the reference posterior of an observation: (S, dim), float64.

    Args:
        folder: of the task's files, such as ``two_moons``.
        number: of the observation, 1 to 10.
        dim: how many parameters there are.

    Raises:
        DataError: sbibm is not installed, or the file is not as it should be.
    """
    path = _path(folder, number, "reference_posterior_samples.csv.bz2")
    try:
        with bz2.open(path) as file:
            content = file.read(_LARGEST + 1)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: not readable: {error}") from None
    samples = _numbers(content, path)
    if samples.shape[1] != dim or len(samples) < 2:
        raise DataError(f"{path}: expected samples of {dim} numbers, got {tuple(samples.shape)}")
    return samples


def observation(folder: str, number: int, name: str = "observation.csv") -> tuple[Tensor, Tensor]:
    """The design (1, Dx) behind an observation, and the observation (1, Dy), float64.

    Raises:
        DataError: sbibm is not installed, or a file is not as it should be.
    """
    tables = []
    for file in ("true_parameters.csv", name):
        path = _path(folder, number, file)
        tables.append(_numbers(_content(path), path))
        if len(tables[-1]) != 1:
            raise DataError(f"{path}: expected one row, got {len(tables[-1])}")
    return tables[0], tables[1]


def observations_checksum(folder: str, numbers: Sequence[int], name: str) -> str:
    """A checksum of what ``observation`` reads.

    Raises:
        DataError: sbibm is not installed, or lacks a file.
    """
    digest = hashlib.sha256()
    for number in numbers:
        for file in ("true_parameters.csv", name):
            digest.update(hashlib.sha256(_content(_path(folder, number, file))).digest())
    return digest.hexdigest()


def installed_folder() -> Path:
    """The folder of sbibm's tasks.

    Raises:
        DataError: it is not installed.
    """
    try:
        files = distribution("sbibm").locate_file("sbibm/tasks")
    except PackageNotFoundError:
        raise DataError(
            f"observations and reference posteriors are those of sbibm: {_INSTALL}"
        ) from None
    return Path(str(files))


def _path(folder: str, number: int, name: str) -> Path:
    path = installed_folder() / folder / "files" / f"num_observation_{number}" / name
    if not path.is_file():
        raise DataError(f"{path}: sbibm has no such file; install it anew: {_INSTALL}")
    return path


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path}: not readable: {error}") from None


def _numbers(content: bytes, path: Path) -> Tensor:
    """The table below a line of names."""
    if len(content) > _LARGEST:
        raise DataError(f"{path}: more than {_LARGEST >> 20} MiB")
    try:
        text = io.StringIO(content.decode())
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a table without rows is a warning
            table = np.loadtxt(text, delimiter=",", skiprows=1, ndmin=2, comments=None)
    except (ValueError, UserWarning) as error:
        raise DataError(f"{path}: no table of numbers: {str(error).splitlines()[0]}") from None
    if not np.isfinite(table).all():
        raise DataError(f"{path}: a number is not finite")
    return torch.from_numpy(table)
