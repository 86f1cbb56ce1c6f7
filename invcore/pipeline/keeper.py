"""What a fit wants to be kept with its run: log lines, tensors, and files of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from invcore.contracts.environment import Keeper


class RunKeeper(Keeper):
    """Keeps all of it until the run is written.

    Args:
        on_epoch: is told the log lines of epochs, as they come.
        on_note: is told what readers of the result should know.
    """

    def __init__(
        self, on_epoch: Callable[[dict[str, Any]], None], on_note: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._on_epoch, self._on_note = on_epoch, on_note
        self.lines: list[dict[str, Any]] = []
        self.tensors: dict[str, Tensor] = {}

    def log(self, record: dict[str, Any]) -> None:
        """Keep a line; one of an epoch is an event too."""
        self.lines.append(record)
        if "epoch" in record:
            self._on_epoch(record)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._on_note(text)

    def diagnostics(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor."""
        self.tensors[name] = tensor

    @property
    def artefacts(self) -> dict[str, Path]:
        """The files that were written, by name."""
        if self._folder is None:
            return {}
        files = sorted(self._folder.iterdir())
        return {path.name: path for path in files if path.is_file() and not path.is_symlink()}
