"""The published simulator of the benchmark: five networks, whose weights the user brings."""

import hashlib
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from urllib.request import urlopen

import torch
from torch import Tensor, nn
from torch.nn import functional

from invcore.plugin import DataError, isolated, replace_file

COMMIT = "354473fc4d01206308637836c7c6ddf2ffdf89a5"
BLOB = "377997954de7b2b36dfc5e78749ad57b7ef18e06"
URL = (
    f"https://raw.githubusercontent.com/BensonRen/BDIMNNA/{COMMIT}"
    "/Simulated_DataSets/Meta_material_Neural_Simulator/state_dicts/state_dicts.zip"
)
MEMBERS = 5
_LIMIT = 200_000_000  # bytes of one member: five have about 60 MB
_CENTRE = (41.0,) * 4 + (47.0,) * 4  # µm: heights from [30, 52], radii from [42, 52] to [-1, 1]
_HALF = (11.0,) * 4 + (5.0,) * 4


class Member(nn.Module):
    """One of the published networks: 8 scaled lengths to 300 points of a spectrum.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, and its code,
        https://github.com/BensonRen/BDIMNNA
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = (8, 1000, 1000, 1000, 1000, 150)
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.bn_linears = nn.ModuleList(nn.BatchNorm1d(size) for size in sizes[1:])
        self.convs = nn.ModuleList(
            [
                nn.ConvTranspose1d(1, 4, 8, stride=2, padding=3),
                nn.ConvTranspose1d(4, 4, 5, padding=2),
                nn.ConvTranspose1d(4, 4, 5, padding=2),
                nn.Conv1d(4, 1, 1),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scaled designs (N, 8) to spectra (N, 300)."""
        out = x
        for linear, norm in zip(list(self.linears)[:-1], self.bn_linears, strict=False):
            out = functional.relu(norm(linear(out)))
        out = self.linears[-1](out)[:, None]
        for conv in self.convs:
            out = conv(out)
        return out[:, 0]


class PublishedNetworks(nn.Module):
    """The mean of the five networks.

    Args:
        states: of each network.

    Raises:
        DataError: tensors that are missing, or of another shape.
    """

    def __init__(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        super().__init__()
        with isolated(0):
            self.members = nn.ModuleList(Member() for _ in states)
        for member, (name, state) in zip(self.members, states.items(), strict=True):
            try:
                member.load_state_dict(dict(state))
            except RuntimeError as error:
                reason = " ".join(str(error).split()[:40])
                raise DataError(f"{name}: not weights of the published network: {reason}") from None
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Designs (N, 8), µm, to spectra (N, 300), float32."""
        centre = torch.tensor(_CENTRE, device=x.device)
        scaled = (x.float() - centre) / torch.tensor(_HALF, device=x.device)
        return torch.stack([member(scaled) for member in self.members]).mean(dim=0)


def read_weights(path: str | os.PathLike[str]) -> tuple[PublishedNetworks, str]:
    """Read ``state_dicts.zip``, or a folder with the five files of it; no code of theirs is run.

    Returns:
        The networks, and a checksum of what was read.

    Raises:
        DataError: no such file, not five networks, or other tensors than theirs.
    """
    place = Path(path)
    parts: dict[str, bytes] = {}
    try:
        if place.is_dir():
            files = sorted(place.rglob("*.pth"))
            _check_count(place, len(files))
            for file in files:
                parts[str(file)] = file.read_bytes()
        else:
            with zipfile.ZipFile(place) as archive:
                every = sorted(archive.infolist(), key=lambda info: info.filename)
                inside = [info for info in every if info.filename.endswith(".pth")]
                inside = [info for info in inside if "__MACOSX" not in info.filename]
                _check_count(place, len(inside))  # before any of it is unpacked
                for info in inside:
                    if info.file_size > _LIMIT:
                        raise DataError(f"{place}: {info.filename} is too large to be weights")
                    parts[f"{place}: {info.filename}"] = archive.read(info)
    except (
        OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError
    ) as error:  # fmt: skip
        raise DataError(f"{place}: cannot be read as the published weights ({error})") from None
    checksum = hashlib.sha256(b"".join(parts.values())).hexdigest()
    return PublishedNetworks({name: _state(name, data) for name, data in parts.items()}), checksum


def _check_count(place: Path, count: int) -> None:
    if count != MEMBERS:
        raise DataError(f"{place}: has {count} .pth files, the published simulator has five")


def _state(name: str, data: bytes) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a form of pickle that weights never have
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, Warning) as error:
        reason = " ".join(str(error).split()[:20])
        raise DataError(f"{name}: not a file of plain tensors: {reason}") from None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(f"{name}: not named tensors")
    return dict(state)


def git_blob(data: bytes) -> str:
    """The id that git gives to a file of these bytes.

    Example:
        >>> git_blob(b"")
        'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    head = f"blob {len(data)}\0".encode()
    return hashlib.sha1(head + data, usedforsecurity=False).hexdigest()


def download(to: str | os.PathLike[str], *, url: str = URL, blob: str = BLOB) -> Path:
    """Fetch the published weights, once, and check that they are those of the pinned commit.

    Args:
        to: the file that they become.
        url: where they are.
        blob: git's id of the file.

    Raises:
        DataError: no network, or another file than the pinned one; nothing is left behind.
    """
    final = Path(to)
    try:
        with urlopen(url, timeout=60) as answer:  # a pinned https address, or the caller's
            data: bytes = answer.read(_LIMIT)
    except OSError as error:
        raise DataError(
            f"{url}: cannot be fetched ({error}); fetch it by other means and give its path"
        ) from None
    blob_id = git_blob(data)
    if blob_id != blob:
        raise DataError(f"{url}: its git blob id is {blob_id}, the published one's is {blob}")
    final.parent.mkdir(parents=True, exist_ok=True)
    replace_file(final, data)
    return final
