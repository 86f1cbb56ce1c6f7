"""A request: what the pipeline is asked to do, frozen, and the identity that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch

from invcore.pipeline.components import Part
from invcore.registry.code import code_of
from invcore.registry.registry import Entry
from invcore.registry.versions import versions_of
from invcore.storage.identity import identities, identity


@dataclass(frozen=True)
class Request:
    """A piece of work whose names have been looked up, and whose settings are complete.

    Args:
        kind: ``run`` on a task, or ``solve`` on a table or a simulator of one's own.
        task: what records call the forward system.
        method: built; None where no single method answers.
        seed: root of all randomness.
        device: where networks live.
        document: all that decides the result beside the versions, as plain data.
        config: what the record keeps of it; all of it where nothing else is said.
        sampler: built; None where nothing is proposed yet.
        candidates: for each target.
        targets: how many.
        proposer: what records call who answers, where that is not the method's name.
        beside: further components that the result depends on.
        apart: what decides nothing of the result, and is kept in the record's config.
    """

    kind: Literal["run", "solve"]
    task: str
    method: Part | None
    seed: int
    device: torch.device
    document: Mapping[str, Any]
    config: Mapping[str, Any] | None = None
    sampler: Part | None = None
    candidates: int = 0
    targets: int = 0
    proposer: str = ""
    beside: tuple[Entry, ...] = field(default=(), repr=False)
    apart: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answered_by(self) -> str:
        """What records call who answers."""
        return self.proposer or ("" if self.method is None else self.method.name)

    @property
    def _entries(self) -> list[Entry]:
        parts = [part.entry for part in (self.method, self.sampler) if part is not None]
        return [*parts, *self.beside]

    @cached_property
    def versions(self) -> dict[str, str]:
        """Of invcore, of the plugins that take part and what they share, and of torch."""
        return versions_of(self._entries) | {"torch": torch.__version__}

    @cached_property
    def code(self) -> dict[str, str]:
        """Checksums of the code of those that can be edited in place."""
        return code_of(self._entries)

    @property
    def resolved(self) -> dict[str, Any]:
        """All that determines the result, as plain data."""
        facts = {"device": self.device.type, "versions": self.versions, "code": self.code}
        return {**self.document, **facts}

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that stand for ``resolved``."""
        return identity(self.resolved)

    def ids_of_seeds(self, seeds: Sequence[int]) -> list[str]:
        """The ids of requests that are this one but for their seed."""
        return identities(self.resolved, "seed", seeds)
