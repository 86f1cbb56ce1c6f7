"""Devices: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``, resolved once and passed on."""

import re

import torch

from invcore.base.errors import DeviceError


def available() -> list[str]:
    """The names of the devices of this machine, the preferred one first.

    MPS comes last: it has no float64, which some methods need.

    Example:
        >>> "cpu" in available()
        True
    """
    cards = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if has_cuda() else []
    return [*cards, "cpu", *(["mps"] if torch.backends.mps.is_available() else [])]


def has_cuda() -> bool:
    """Whether torch can use a CUDA device here."""
    return torch.cuda.is_available()


def resolve_device(name: str = "auto") -> torch.device:
    """Turn a device's name into a device of this machine.

    Args:
        name: ``auto`` (CUDA when there is one, else the CPU), or a device's name.

    Raises:
        DeviceError: no such device here; the message lists those that exist.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    names = available()
    if name == "auto":
        return torch.device(names[0])
    full_name = "cuda:0" if name == "cuda" else name
    if not re.fullmatch(r"cpu|mps|cuda:\d+", full_name) or full_name not in names:
        raise DeviceError(
            f"no device {name!r} on this machine; available: {', '.join(names)}, or 'auto'"
        )
    return torch.device(full_name)
