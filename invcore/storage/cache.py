"""A cache of tensors that are costly and the same for many runs: reference samples, a surrogate."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from invcore.storage.atomic import replace_file
from invcore.storage.identity import identity


class Cache:
    """Tensors by what determines them; in a folder of files, or in memory.

    Args:
        root: made when something is kept; None keeps it in memory, as long as the cache lives.

    Example:
        >>> import torch
        >>> Cache(None).tensors("ones", {"count": 2}, lambda: {"x": torch.ones(2)})
        {'x': tensor([1., 1.])}
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = None if root is None else Path(root)
        self._memory: dict[str, dict[str, Tensor]] = {}

    def tensors(
        self, name: str, key: Mapping[str, Any], compute: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """The tensors of ``compute``, found or computed now.

        A file that cannot be read is computed again; a folder that cannot be written costs
        nothing but the time. Of several processes that ask at once, one computes and the others
        wait for it; each finds a whole file or none.

        Args:
            name: what it is, for people who look at the folder.
            key: plain data that determine the result: all of it.
            compute: makes the tensors, on the CPU.
        """
        file = f"{name}-{identity({'name': name, **key})}.safetensors"
        if self.root is None:
            if file not in self._memory:
                self._memory[file] = compute()
            return self._memory[file]
        path = self.root / file
        with suppress(OSError, SafetensorError):
            return load_file(path)
        with _alone(path):
            with suppress(OSError, SafetensorError):  # another process may have been first
                return load_file(path)
            tensors = compute()
            with suppress(OSError):
                replace_file(path, save({k: v.contiguous() for k, v in tensors.items()}))
        return tensors


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only process that makes a file; the lock of a process that died is free.

    Where no lock can be had, as in a folder that cannot be written, nobody waits.
    """
    place = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        with suppress(OSError, NotImplementedError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(place))
        yield
        # Who waits for it has it still; who comes later may compute a second time, at worst
        with suppress(OSError):
            place.unlink(missing_ok=True)
