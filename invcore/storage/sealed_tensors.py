"""Tensors in a file with a text beside them and a checksum of both: a flipped bit is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

_CHECKSUM = "checksum"


class Sealed(NamedTuple):
    """What a file holds.

    Args:
        tensors: by name.
        text: what is said beside them; None where the file says nothing, as those that invcore
            wrote before it sealed them.
        whole: whether the checksum is that of text and tensors; None where there is none.
    """

    tensors: dict[str, Tensor]
    text: str | None
    whole: bool | None


def sealed_tensors(tensors: Mapping[str, Tensor], text: str, *, kind: str) -> bytes:
    """The content of a safetensors file whose header has a text and a checksum of all.

    Args:
        tensors: by name; copied to the CPU.
        text: for people and readers, such as JSON.
        kind: by which name the header has the text.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
        >>> _ = path.write_bytes(sealed_tensors({"x": torch.ones(2)}, "two", kind="entry"))
        >>> read_sealed(path, kind="entry")
        Sealed(tensors={'x': tensor([1., 1.])}, text='two', whole=True)
    """
    flat = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    return save(flat, {kind: text, _CHECKSUM: checksum_of(text, flat)})


def read_sealed(path: Path, *, kind: str) -> Sealed:
    """What a file holds, and whether that is what was written.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is no file of tensors, or cut short.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except (SafetensorError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no file of tensors ({error})".replace("\n", " ")) from None
    text = facts.get(kind)
    if text is None and facts:  # what it says is damaged
        return Sealed(tensors, "", False)
    checksum = facts.get(_CHECKSUM)
    return Sealed(tensors, text, checksum and checksum == checksum_of(text or "", tensors))


def checksum_of(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of a text and of tensors, with their names, types and shapes."""
    digest = hashlib.sha256(text.encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"\n{name} {value.dtype} {tuple(value.shape)}\n".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes() if len(flat) else b"")
    return digest.hexdigest()
