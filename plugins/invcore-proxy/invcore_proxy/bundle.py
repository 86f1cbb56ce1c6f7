"""A proxy as a folder: plain data and tensors, no code; whole or absent, checked when read."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from invcore.plugin import (
    ConfigError,
    ShapeError,
    Space,
    StoreError,
    read_document,
    read_sealed_text,
    sealed,
    whole_folder,
)
from invcore_proxy.ensemble import Proxy
from invcore_proxy.fitting import ProxyReport
from invcore_proxy.picture import draw_held_out
from invcore_proxy.record import SCHEMA, BundleRecord, Provenance

RECORD, TENSORS, PICTURE = "task.json", "proxy.safetensors", "held-out.png"
_DAMAGED = "damaged, its checksum is not the recorded one; fit the proxy again"


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been read and checked.

    Args:
        folder: where it lies.
        record: what its ``task.json`` holds.
        proxy: ready to predict.
    """

    folder: Path
    record: BundleRecord
    proxy: Proxy

    @property
    def title(self) -> str:
        """One line for people."""
        return self.record.title

    @property
    def designs(self) -> Space:
        """Space of the designs."""
        return self.record.designs

    @property
    def responses(self) -> Space:
        """Space of the responses."""
        return self.record.responses

    @property
    def report(self) -> ProxyReport:
        """How far the proxy is off."""
        return self.record.report

    @property
    def checksum(self) -> str:
        """Of all that decides what it predicts: tensors, spaces, and what the proxy is made of."""
        made_of = self.record.model_dump_json(include={"designs", "responses", "config"})
        return hashlib.sha256(f"{self.record.files[TENSORS]} {made_of}".encode()).hexdigest()


def write_bundle(
    folder: str | os.PathLike[str],
    proxy: Proxy,
    report: ProxyReport,
    designs: Space,
    responses: Space,
    *,
    title: str = "",
    provenance: Provenance | None = None,
    licence: str = "",
) -> Bundle:
    """Write a proxy as a folder, all at once; it can then be a task: ``--task folder/``.

    Args:
        folder: made; one that exists is replaced if it is a bundle and nothing else.
        proxy: a fitted one.
        report: of its fit.
        designs: space of the designs, which may have other priors than the one that it was fitted
            with, but the same names and categories.
        responses: space of the responses.
        title: one line for people.
        provenance: where the data came from; ``Provenance.now(…)`` knows versions and date.
        licence: text under which the data may be used.

    Raises:
        StoreError: the folder holds something else, or cannot be written; nothing is left behind.
        ShapeError: spaces that are not the proxy's.
    """
    _check_spaces(proxy, designs, responses)
    final = Path(os.path.realpath(folder))
    check_free(final)
    tensors = save({k: v.contiguous() for k, v in proxy.state().items()})
    record = BundleRecord(
        title=" ".join(title.split()),
        designs=designs,
        responses=responses,
        config=proxy.config,
        report=report,
        provenance=provenance or Provenance.now(),
        licence=licence,
        files={TENSORS: hashlib.sha256(tensors).hexdigest()},
    )
    try:
        with whole_folder(final) as new:
            (new / TENSORS).write_bytes(tensors)
            draw_held_out(report.held_out, new / PICTURE)
            document = json.dumps(record.model_dump(mode="json"), indent=1, allow_nan=False)
            (new / RECORD).write_bytes(sealed(document.encode()) + b"\n")
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from None
    return Bundle(Path(folder), record, proxy)


def read_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Read a bundle, after everything in it has been checked.

    Raises:
        StoreError: a file is missing, changed, or of another form; the message names it.
    """
    folder = Path(folder)
    record = _record(folder / RECORD)
    path = folder / TENSORS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror}); fit the proxy again"
        ) from None
    if hashlib.sha256(data).hexdigest() != record.files.get(TENSORS):
        raise StoreError(f"{path}: {_DAMAGED}")
    try:
        proxy = Proxy.restore(record.config, record.designs, _tensors(data, record.config.half))
        _check_spaces(proxy, record.designs, record.responses)
    except (SafetensorError, ShapeError, ConfigError) as error:
        text = " ".join(str(error).split())
        raise StoreError(f"{path}: does not fit to {RECORD}: {text}; fit the proxy again") from None
    return Bundle(folder, record, proxy)


def check_free(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that a bundle must not replace, before long work for it begins.

    Raises:
        StoreError: there is a file, or a folder that holds anything but a bundle.
    """
    path = Path(folder)
    if not path.exists():
        return
    if not path.is_dir():
        raise StoreError(f"{folder}: is a file; say another folder")
    names = {entry.name for entry in path.iterdir()}
    if not names:
        return
    if names - {RECORD, TENSORS, PICTURE} or not _is_bundle(path / RECORD):
        raise StoreError(
            f"{folder}: exists and holds other things than a bundle; say another folder"
        )


def _is_bundle(path: Path) -> bool:
    try:
        return read_document(path)["task"] == "proxy"
    except (ConfigError, KeyError, TypeError):
        return False


def _record(path: Path) -> BundleRecord:
    try:
        document, whole = read_sealed_text(path)
        if whole is False:
            raise StoreError(f"{path}: {_DAMAGED}")
        return BundleRecord.model_validate_json(document, strict=True)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); is it a bundle?") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["loc"] == ("schema_version",):
            raise StoreError(
                f"{path}: has schema {first['input']!r}, this invcore-proxy reads {SCHEMA}; "
                "fit the proxy again"
            ) from None
        at = ".".join(str(part) for part in first["loc"])
        text = " ".join(f"{at} {first['msg']}".split())
        raise StoreError(f"{path}: damaged, {text}; fit the proxy again") from None


def _tensors(data: bytes, half: bool) -> dict[str, Tensor]:
    """The tensors of a file, of the types that they are written in, all finite.

    Raises:
        ShapeError: another type, or a number that is not finite.
    """
    tensors = load(data)
    for name, value in tensors.items():
        weight = torch.float16 if half else torch.float32
        expected = weight if name.startswith("member.") else torch.float64
        if value.dtype != expected:
            raise ShapeError(f"tensor {name!r} has type {value.dtype}, expected {expected}")
        if not bool(value.isfinite().all()):
            raise ShapeError(f"tensor {name!r} has a number that is not finite")
    return {k: v.float() if v.dtype == torch.float16 else v for k, v in tensors.items()}


def _check_spaces(proxy: Proxy, designs: Space, responses: Space) -> None:
    kinds = [(v.name, v.categories) for v in designs.variables]
    if kinds != [(v.name, v.categories) for v in proxy.designs.variables]:
        raise ShapeError("the designs' names or categories are not those that the proxy learnt")
    if responses.dim != proxy.dim:
        raise ShapeError(f"{responses.dim} responses, but the proxy gives {proxy.dim}")
