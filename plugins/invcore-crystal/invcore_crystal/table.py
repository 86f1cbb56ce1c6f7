"""The published table of 10,798 DFT calculations: fetched once, checked, read, split."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

import torch
from torch import Tensor

from invcore.plugin import DataError, Pairs, Table, read_table, replace_file
from invcore_crystal.lattice import UNSTRAINED

COMMIT = "2c7ab5ec49cef95b5ecf2188757550ca0270eac5"
URL = f"https://raw.githubusercontent.com/jxzhangjhu/MatDesINNe/{COMMIT}/Simulated_DataSets/MoS2"
DESIGNS, GAPS = "data_x.csv", "data_y.csv"
CHECKSUMS = {
    DESIGNS: "9e10afe2b20a389fb3b7d4bcdb7d3400d91ac8ec3e7a987e1d153f06d6aea44d",
    GAPS: "c09a80afb25e22c530f66917e7ea12fe3731bc1b2a6e5b169e754fe84f17ea92",
}
_COLUMNS = {DESIGNS: len(UNSTRAINED) + 1, GAPS: 1}
_LIMIT = 20_000_000  # bytes: the larger file has 0.8 MB

REGIONS = ("angles kept", "strains to 10%", "strains to 20%")
"""Parts of the table, by what was strained and how far."""


def table() -> Pairs:
    """The table without its repeated rows: from ``INVCORE_DATA``, the cache, or the network.

    Raises:
        DataError: it is not there and cannot be fetched, or is not the published one.
    """
    return read_rows(folder())


def folder() -> Path:
    """Where the two files are: ``INVCORE_DATA``/mos2 if that is set, else the user's cache, into
    which they are fetched if they are not there.

    Raises:
        DataError: ``INVCORE_DATA`` has no such files, or they cannot be fetched.
    """
    data = os.environ.get("INVCORE_DATA")
    if data:
        place = Path(data) / "mos2"
        if not all((place / name).is_file() for name in CHECKSUMS):
            raise DataError(
                f"{place}: has no {DESIGNS} and {GAPS}; unset INVCORE_DATA to fetch them"
            )
        return place
    import click

    place = Path(click.get_app_dir("invcore")) / "mos2"
    if all((place / name).is_file() for name in CHECKSUMS):
        return place
    return download(place)


def download(
    to: str | os.PathLike[str], *, url: str = URL, checksums: Mapping[str, str] = CHECKSUMS
) -> Path:
    """Fetch the files, and check that they are those of the pinned commit.

    Args:
        to: the folder that holds them then.
        url: the folder that they are in.
        checksums: sha256 of each, by name.

    Raises:
        DataError: no network, or other files than the pinned ones; nothing is left behind.
    """
    final, fetched = Path(to), {}
    for name, checksum in checksums.items():
        try:
            with urlopen(f"{url}/{name}", timeout=60) as answer:  # pinned https, or the caller's
                fetched[name] = answer.read(_LIMIT)
        except OSError as error:
            raise DataError(
                f"{url}/{name}: cannot be fetched ({error}); fetch it by other means, and set "
                "INVCORE_DATA to the folder whose subfolder mos2 has it"
            ) from None
        _check(f"{url}/{name}", fetched[name], checksum)
    try:
        final.mkdir(parents=True, exist_ok=True)
        for name, data in fetched.items():
            replace_file(final / name, data)
    except OSError as error:
        raise DataError(f"{final}: cannot be written ({error.strerror})") from None
    return final


def read_rows(place: str | os.PathLike[str], *, checksums: Mapping[str, str] = CHECKSUMS) -> Pairs:
    """Read the table; of equal rows the first is kept, 10,430 of 10,798.

    Args:
        place: the folder with the two files.
        checksums: sha256 of each, by name.

    Returns:
        Designs (N, 7) and gaps (N, 1) in eV, float64.

    Raises:
        DataError: a file that cannot be read, is not the pinned one, or has other columns; equal
            designs with different gaps.
    """
    x, y = (
        torch.tensor(_numbers(Path(place) / name, checksums[name]).values, dtype=torch.float64)
        for name in (DESIGNS, GAPS)
    )
    if len(x) != len(y):
        raise DataError(f"{place}: {DESIGNS} has {len(x)} rows, {GAPS} has {len(y)}")
    return without_repeats(Pairs(x, y))


def without_repeats(pairs: Pairs) -> Pairs:
    """The first row of each design, in their order.

    Raises:
        DataError: one design has two responses.

    Example:
        >>> twice = Pairs(torch.tensor([[2.0], [1.0], [2.0]]), torch.tensor([[5.0], [6.0], [5.0]]))
        >>> without_repeats(twice).x.tolist()
        [[2.0], [1.0]]
    """
    _, design = torch.unique(pairs.x, dim=0, return_inverse=True)
    first = torch.full((int(design.max()) + 1,), len(pairs))
    first.scatter_reduce_(0, design, torch.arange(len(pairs)), "amin")
    other = (pairs.y != pairs.y[first[design]]).any(dim=1).nonzero()
    if len(other):
        row = int(other[0])
        raise DataError(
            f"rows {int(first[design[row]]) + 1} and {row + 1} have one design, but two gaps"
        )
    return pairs[first.sort().values]


def regions(x: Tensor) -> Tensor:
    """The place in ``REGIONS`` (N,) of designs (N, 7)."""
    centre = torch.tensor(UNSTRAINED, dtype=x.dtype, device=x.device)
    strain = (x[:, :6] / centre - 1.0).abs()
    near = (strain <= 0.1).all(dim=1)
    same_angles = (strain[:, 3:] == 0).all(dim=1)
    return torch.where(same_angles, 0, torch.where(near, 1, 2))


def _numbers(path: Path, checksum: str) -> Table:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    _check(str(path), data, checksum)
    numbers = read_table(path, header=False)
    expected = _COLUMNS[path.name]
    if numbers.values.shape[1] != expected:
        raise DataError(f"{path}: has {numbers.values.shape[1]} columns, expected {expected}")
    return numbers


def _check(where: str, data: bytes, checksum: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    if digest != checksum:
        raise DataError(
            f"{where}: its sha256 is {digest}, the published file's is {checksum}; remove it, and "
            "fetch it again"
        )
