"""Where and how a fit or a proposal happens: device, randomness, progress, what is kept of it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from invcore.base.progress import Progress
from invcore.base.seeding import Stream
from invcore.base.text import checked_name
from invcore.contracts.problem import Targets


class Keeper:
    """Takes what a fit wants to be kept beside its model; this one keeps nothing for long."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def log(self, record: dict[str, Any]) -> None:
        """Take one record of plain values."""

    def note(self, text: str) -> None:
        """Take what a reader of the result should know."""

    def diagnostics(self, name: str, tensor: Tensor) -> None:
        """Take a tensor."""

    def artefact(self, name: str) -> Path:
        """A path to write a file to, which lasts as long as this keeper."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="invcore-"))
            weakref.finalize(self, shutil.rmtree, self._folder, True)
        return self._folder / name


class FitEnvironment:
    """Where and how a fit or a proposal happens.

    Its seeds are a fit's own: the run's data cannot be drawn again from them.

    Args:
        seed: the run's.
        device: where networks live.
        progress: shows what goes on; silent.
        log: takes one record of plain values, say for each epoch.
        keeper: takes what is to be kept.

    Example:
        >>> env = FitEnvironment(seed=3)
        >>> env.derive("network") == env.derive("network") != env.derive("order")
        True
    """

    def __init__(
        self, seed: int = 0, device: torch.device | None = None, progress: Progress | None = None,
        log: Callable[[dict[str, Any]], None] | None = None, *, keeper: Keeper | None = None,
    ) -> None:  # fmt: skip
        self.device = device or torch.device("cpu")
        self.progress = progress or Progress()
        self._keeper = keeper or Keeper()
        self.log = log or self._keeper.log
        self._stream = Stream(seed, "fit")

    def generator(self, *names: object) -> torch.Generator:
        """A generator for one use within this fit."""
        return self._stream.generator(*names)

    def derive(self, *names: object) -> int:
        """A seed for one use within this fit, for ``invcore.plugin.isolated``."""
        return self._stream.derive(*names)

    def seeds(self, targets: Targets, points: Tensor) -> list[int]:
        """A seed for each target, for libraries that draw samples by themselves.

        They follow from the target, its context and its points alone: a target gets the same seed
        by itself as among others, and in every run.

        Args:
            targets: B of them.
            points: (B, K, L).

        Returns:
            B numbers of 31 bits, which every library takes.
        """
        parts = [targets.low, targets.high, targets.goal, targets.weight, targets.tolerance, points]
        parts += [values for _, values in sorted((targets.context or {}).items())]
        parts = [part.detach().cpu().double() for part in parts]
        rows = [part.flatten(1) if part.ndim > 1 else part[:, None] for part in parts]
        numbers = torch.cat(rows, dim=1).numpy()
        digests = (hashlib.sha256(row.tobytes()).digest() for row in numbers)
        return [int.from_bytes(digest[:4], "big") >> 1 for digest in digests]

    def note(self, text: str) -> None:
        """Say what a reader of the result should know: it stands in the run's record.

        Args:
            text: a sentence or a few.
        """
        self._keeper.note(text)

    def diagnostics(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor with the run, for people who want to look into it.

        Args:
            name: letters, digits, ``-``, ``_`` and ``.``; given again, the last one is kept.
            tensor: of any shape; a copy is kept, on the CPU.

        Raises:
            ConfigError: a name of another form.
        """
        self._keeper.diagnostics(checked_name(name), tensor.detach().cpu().clone())

    def artefact(self, name: str) -> Path:
        """A path to write a file to, which is kept with the run: a picture, a report.

        Args:
            name: of the file: letters, digits, ``-``, ``_`` and ``.``, no folder.

        Raises:
            ConfigError: a name of another form.
        """
        return self._keeper.artefact(checked_name(name))


SILENT = FitEnvironment()
"""An environment that shows nothing and keeps nothing, on the CPU."""
