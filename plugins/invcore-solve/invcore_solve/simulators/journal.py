"""Finished batches on disk, so that what a simulator has computed is computed once."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import StoreError, read_sealed, replace_file, sealed_tensors

Array = npt.NDArray[np.float64]

_KIND = "batch"


def _silent(message: str) -> None:
    """Nobody is told."""


class Journal:
    """The batches of one simulator: a file a batch, named by its designs, there whole or not.

    A file that is damaged, or another batch's, is as good as none. Nothing is pickled.

    Args:
        folder: of this simulator with these settings; made when something is kept. None keeps
            nothing.
        say: is told of a file that is damaged, whose batch is simulated again.

    Example:
        >>> import tempfile
        >>> journal = Journal(Path(tempfile.mkdtemp()))
        >>> x = np.array([[1.0, 2.0]])
        >>> journal.keep(x, np.array([[3.0]]))
        >>> journal.find(x, 1)
        array([[3.]])
    """

    def __init__(self, folder: Path | None, say: Callable[[str], None] = _silent) -> None:
        self.folder, self.say = folder, say

    def find(self, x: Array, dim: int) -> Array | None:
        """The responses (N, dim) of designs (N, Dx), if they have been kept."""
        if self.folder is None:
            return None
        path = self._path(x)
        try:
            batch = read_sealed(path, kind=_KIND)
        except OSError:  # mostly: there is none
            return None
        except ValueError as error:
            self.say(f"{path}: damaged, {error}; the batch is simulated again")
            return None
        designs, y = (batch.tensors.get(name) for name in ("x", "y"))
        whole = batch.whole is True or batch.text is None  # earlier files have no checksum
        if not whole or designs is None or y is None or designs.numpy().tobytes() != x.tobytes():
            self.say(f"{path}: damaged, or another batch's; the batch is simulated again")
            return None
        return y.numpy() if y.shape == (len(x), dim) and y.dtype == torch.float64 else None

    def keep(self, x: Array, y: Array) -> None:
        """Keep designs (N, Dx) and their responses (N, Dy), both float64.

        Raises:
            StoreError: the folder cannot be written.
        """
        if self.folder is None:
            return
        path, parts = self._path(x), {"x": x, "y": y}
        tensors = {name: torch.from_numpy(np.array(part)) for name, part in parts.items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, sealed_tensors(tensors, path.name, kind=_KIND), follow=False)
        except OSError as error:
            why = getattr(error, "strerror", None) or error
            raise StoreError(f"{self.folder}: cannot be written ({why})") from None

    def _path(self, x: Array) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(repr(x.shape).encode() + np.ascontiguousarray(x).tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}.safetensors"
