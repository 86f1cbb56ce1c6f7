"""A cache of tensors that are costly and the same for many runs: reference samples, a surrogate."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from torch import Tensor

from invcore.storage.atomic import replace_file
from invcore.storage.identity import identity
from invcore.storage.sealed_tensors import read_sealed, sealed_tensors

KIND = "entry"
"""By which name the header of an entry has its file's name."""

Say = Callable[[str], None]


def silent(message: str) -> None:
    """Nobody is told."""


class Cache:
    """Tensors by what determines them; in a folder of files, or in memory.

    Args:
        root: made when something is kept; None keeps it in memory, as long as the cache lives. A
            folder that is a link is not used, since it may lead out of a store.
        say: is told of a file that was damaged, and so is computed again.

    Example:
        >>> import torch
        >>> Cache(None).tensors("ones", {"count": 2}, lambda: {"x": torch.ones(2)})
        {'x': tensor([1., 1.])}
    """

    def __init__(self, root: str | os.PathLike[str] | None = None, say: Say = silent) -> None:
        self.root, self._say = None if root is None else Path(root), say
        if self.root is not None and self.root.is_symlink():
            say(f"{self.root}: is a link, which is not followed: nothing is kept there")
            self.root = None
        self._memory: dict[str, dict[str, Tensor]] = {}

    def tensors(
        self, name: str, key: Mapping[str, Any], compute: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """The tensors of ``compute``, found or computed now.

        A file that is damaged is computed again; a folder that cannot be written costs
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
        with suppress(OSError, DamagedEntryError):
            return read_entry(path)
        with _alone(path):
            try:  # another process may have been first
                return read_entry(path)
            except DamagedEntryError as error:
                self._say(f"{path}: {error}; it is computed again")
            except OSError:  # mostly: there is none
                pass
            tensors = compute()
            with suppress(OSError):
                replace_file(path, sealed_tensors(tensors, file, kind=KIND), follow=False)
        return tensors


class DamagedEntryError(ValueError):
    """A cached file is not what was written."""


def read_entry(path: Path) -> dict[str, Tensor]:
    """The tensors of a cached file.

    Raises:
        OSError: it is not there, or cannot be read.
        DamagedEntryError: it is not what was written under this name.
    """
    if path.is_symlink():
        raise DamagedEntryError("is a link, which is not followed")
    try:
        found = read_sealed(path, kind=KIND)
    except ValueError as error:
        raise DamagedEntryError(f"damaged, {error}") from None
    if found.text is None:
        raise DamagedEntryError("of an earlier version, without a checksum")
    if not found.whole:
        raise DamagedEntryError("damaged, its checksum is another")
    if found.text != path.name:
        raise DamagedEntryError(f"is the file {found.text}")
    return found.tensors


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
