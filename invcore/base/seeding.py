"""Randomness: every generator derives from a root seed and names; nothing global is touched."""

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_LOCK = threading.RLock()  # re-entrant: what is isolated may call what is isolated


def _new_lock() -> None:
    """In a forked child: the thread that held the lock is not there to release it."""
    global _LOCK
    _LOCK = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def derive(seed: int, *names: object) -> int:
    """Derive a 63-bit seed from a root seed and names.

    The same names always give the same seed, so that adding a consumer of randomness somewhere
    does not shift the numbers that another one sees.

    Example:
        >>> derive(0, "test") == derive(0, "test"), derive(0, "test") == derive(1, "test")
        (True, False)
    """
    text = "\x1f".join([str(seed), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Stream:
    """Seeds of names below a root that is not told: equal to ``derive(seed, *names, …)``.

    Whoever is given a stream can draw from it, and cannot derive what others draw from the root.

    Example:
        >>> Stream(3, "fit").derive("network") == derive(3, "fit", "network")
        True
    """

    def __init__(self, seed: int, *names: object) -> None:
        self._hash = hashlib.sha256("\x1f".join([str(seed), *map(str, names)]).encode())

    def derive(self, *names: object) -> int:
        """A 63-bit seed for one use."""
        each = self._hash.copy()
        each.update("".join(f"\x1f{name}" for name in names).encode())
        return int.from_bytes(each.digest()[:8], "big") >> 1

    def generator(self, *names: object) -> torch.Generator:
        """A CPU generator for one use."""
        return torch.Generator().manual_seed(self.derive(*names))


def generator(seed: int, *names: object) -> torch.Generator:
    """A CPU generator for one use. It lives on the CPU so that every device sees the same draws.

    Example:
        >>> bool((torch.rand(2, generator=generator(0, "a")) < 1).all())
        True
    """
    return torch.Generator().manual_seed(derive(seed, *names))


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed the global generators (torch, NumPy, random) inside the block, and restore them after.

    For code that cannot be handed a generator: ``torch.nn`` initialisation, invertible-network
    libraries. The global generators belong to the whole process, so one thread at a time is inside;
    others wait. Blocks may be nested within a thread.

    Args:
        seed: any integer.

    Example:
        >>> with isolated(3):
        ...     a = torch.nn.Linear(2, 2).weight
        >>> with isolated(3):
        ...     b = torch.nn.Linear(2, 2).weight
        >>> bool((a == b).all())
        True
    """
    with _LOCK:
        numpy_state, python_state = np.random.get_state(), random.getstate()
        # All devices by name: left to itself, fork_rng warns where there are several.
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            try:
                torch.manual_seed(seed)
                np.random.seed(seed % 2**32)
                random.seed(seed)
                yield
            finally:
                np.random.set_state(numpy_state)
                random.setstate(python_state)
