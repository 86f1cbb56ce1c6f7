"""Products of matrices in 16 bits, where a training says so."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def lowered(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """A block in which networks multiply matrices in bfloat16, if that is said.

    Args:
        precision: ``float32``, ``bfloat16``, or ``auto``: where the device is made for it.
        device: of the network.

    Example:
        >>> with lowered("bfloat16", torch.device("cpu")):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    if precision == "float32" or (precision == "auto" and not made_for_bfloat16(device)):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def made_for_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies matrices in bfloat16 by instructions of its own.

    Example:
        >>> made_for_bfloat16(torch.device("meta"))
        False
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # torch tells it by private names, which a version may lack
    asked = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, name, bool)()) for name in asked)
