"""A cache of tensors that are costly and the same for many runs: reference samples, a surrogate."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from invcore.storage.atomic import replace_file
from invcore.storage.identity import identity


class Cache:
    """Tensors by what determines them; a folder of files, or nothing at all.

    Args:
        root: made when something is kept; None keeps nothing.

    Example:
        >>> import torch
        >>> Cache(None).tensors("ones", {"count": 2}, lambda: {"x": torch.ones(2)})
        {'x': tensor([1., 1.])}
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = None if root is None else Path(root)

    def tensors(
        self, name: str, key: Mapping[str, Any], compute: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """The tensors of ``compute``, found or computed now.

        A file that cannot be read is computed again; a folder that cannot be written costs
        nothing but the time. Several processes may ask at once: each finds a whole file or none.

        Args:
            name: what it is, for people who look at the folder.
            key: plain data that determine the result: all of it.
            compute: makes the tensors, on the CPU.
        """
        if self.root is None:
            return compute()
        path = self.root / f"{name}-{identity({'name': name, **key})}.safetensors"
        try:
            return load_file(path)
        except (OSError, SafetensorError):
            tensors = compute()
        with suppress(OSError):
            self.root.mkdir(parents=True, exist_ok=True)
            replace_file(path, save({k: v.contiguous() for k, v in tensors.items()}))
        return tensors
