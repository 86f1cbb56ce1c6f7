"""A block in which the process is as a run expects it, and after which it is as it was."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch

from invcore.base.process.children import end_marked, last_number, marked
from invcore.base.process.state import AS_IT_IS, SETTINGS
from invcore.base.process.streams import streams_kept
from invcore.base.seeding import derive


@contextmanager
def settled(seed: int | None = None, *, children: bool = True) -> Iterator[list[str]]:
    """Have the block begin with the process's settings as they usually are, and put all back.

    What a plugin changes (torch's default dtype, threads, the working directory, the environment,
    signal handlers, warnings, standard output, …) is then not seen by what comes later, and a run
    in a session that has changed such things gives what it gives elsewhere. Processes that the
    block has started and left behind are ended.

    Args:
        seed: of the global generators; None leaves them as they are at first.
        children: off: processes that were left running stay, as a server of a simulator may.

    Yields:
        Lines that say what the block has changed, filled when it ends.

    Example:
        >>> with settled() as changes:
        ...     torch.set_default_dtype(torch.float64)
        >>> changes, torch.get_default_dtype()
        (["torch's default dtype was changed, and is put back"], torch.float32)
    """
    changes: list[str] = []
    before = [setting.read() for setting in SETTINGS]
    with warnings.catch_warnings(), streams_kept() as streams, marked() as mark:
        for setting, value in zip(SETTINGS, before, strict=True):
            if setting.usual is not AS_IT_IS and value != setting.usual:
                setting.write(setting.usual)
        if seed is not None:
            _seed(seed)
        begun = [setting.read() for setting in SETTINGS]
        newest = last_number()
        try:
            yield changes
        finally:
            started = children and (last_number() != newest or not newest)
            left = end_marked(mark) if started else 0
            for setting, start, value in zip(SETTINGS, begun, before, strict=True):
                now = _value(setting.read)
                if setting.told and now != start:
                    changes.append(f"{setting.name} was changed, and is put back")
                if now != value:
                    with suppress(Exception):  # what cannot be put back stops nothing else
                        setting.write(value)
    changes += [f"{name} was closed or replaced, and is put back" for name in streams]
    if left:
        changes.append(f"{left} process{'es' * (left > 1)} that it left running: ended")


def _value(read: Any) -> Any:
    try:
        return read()
    except Exception:
        return None


def _seed(seed: int) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(derive(seed, "process"))
    else:  # what it does for accelerators takes longer than a small run
        torch.default_generator.manual_seed(derive(seed, "process"))
    np.random.seed(derive(seed, "process") % 2**32)
    random.seed(derive(seed, "process"))
