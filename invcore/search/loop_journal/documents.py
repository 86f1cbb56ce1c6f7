"""What a journal's first event holds: problem, targets, pairs and points, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field
from torch import Tensor

from invcore.base.errors import ConfigError, DataError, StoreError
from invcore.configs.config import Config
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Pairs
from invcore.search.loop_journal.event_files import EventFolder
from invcore.search.point_loop import stored_targets, targets_tensors
from invcore.spaces.space import Space


class ProblemDocument(Config):
    """A problem as plain data."""

    name: str
    designs: dict[str, Any]
    responses: dict[str, Any]
    differentiable: bool = False

    @classmethod
    def of(cls, problem: Problem) -> ProblemDocument:
        """The document of a problem."""
        spaces = (space.model_dump(mode="json") for space in (problem.designs, problem.responses))
        designs, responses = spaces
        return cls(
            name=problem.name, designs=designs, responses=responses,
            differentiable=problem.differentiable,
        )  # fmt: skip

    def problem(self) -> Problem:
        """The problem.

        Raises:
            ConfigError: its spaces are none.
        """
        designs = Space.parse(self.designs, where="designs of the journal")
        responses = Space.parse(self.responses, where="responses of the journal")
        return Problem(self.name, designs, responses, self.differentiable)


class LoopDocument(Config):
    """Which loop it is.

    Args:
        name: of the component.
        config: its settings, complete.
    """

    name: str = Field(min_length=1)
    config: dict[str, Any]


class StartDocument(Config):
    """What the first event says beside its tensors."""

    loop: LoopDocument
    problem: ProblemDocument
    facts: dict[str, Any]


@dataclass(frozen=True)
class Beginning:
    """All that a loop was started with.

    Args:
        loop: which one.
        problem: the spaces.
        targets: B of them.
        pairs: what was known already.
        points: (B, K, L), in the open unit cube.
        variance: of the responses (Dy,), where it is known.
        facts: plain data of whoever owns the journal.
    """

    loop: LoopDocument
    problem: Problem
    targets: Targets
    pairs: Pairs
    points: Tensor
    variance: Tensor | None
    facts: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """The plain data."""
        problem = ProblemDocument.of(self.problem)
        made = StartDocument(loop=self.loop, problem=problem, facts=dict(self.facts))
        return made.model_dump(mode="json")

    def tensors(self) -> dict[str, Tensor]:
        """The rest."""
        variance = {} if self.variance is None else {"variance": self.variance}
        parts = targets_tensors(self.targets) | pairs_tensors(self.pairs)
        return {"points": self.points, **variance, **parts}

    @classmethod
    def read(cls, files: EventFolder) -> Beginning:
        """What a journal began with.

        Raises:
            StoreError: there is none, or it is damaged.
        """
        first = next(files.new(), None)
        if first is None or first.kind != "start":
            raise StoreError(f"{files.folder}: there is no journal of a loop")
        return cls.of(first.body, first.tensors, str(files.path(0)))

    @classmethod
    def of(cls, body: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str) -> Beginning:
        """What an event holds.

        Raises:
            StoreError: something that it must have is missing or cannot be.
        """
        try:
            document = StartDocument.parse(body, where=where)
            problem = document.problem.problem()
            targets, pairs = stored_targets(dict(tensors)), pairs_of(tensors)
            points = tensors["points"]
        except (ConfigError, KeyError) as error:
            missing = f"{where}: it has no {error}" if isinstance(error, KeyError) else str(error)
            raise StoreError(missing) from None
        return cls(
            document.loop, problem, targets, pairs, points, tensors.get("variance"), document.facts
        )

    def check(self) -> None:
        """Check that targets, pairs and points belong together.

        Raises:
            DataError: pairs without what is known of their problems, where targets have it.
            ShapeError: other widths.
        """
        self.problem.responses.check(self.targets.low, "targets")
        self.problem.designs.check(self.pairs.x, "known designs")
        self.problem.responses.check(self.pairs.y, "known responses")
        if len(self.pairs) and (self.targets.context or {}).keys() != (
            self.pairs.context or {}
        ).keys():  # fmt: skip
            raise DataError(
                "known pairs: expected the context that targets have, by the same names"
            )


def pairs_tensors(pairs: Pairs) -> dict[str, Tensor]:
    """Pairs as tensors to store."""
    parts = {"x": pairs.x, "y": pairs.y, **pairs.facts}
    parts |= {f"context.{name}": values for name, values in (pairs.context or {}).items()}
    return {f"pairs.{name}": values for name, values in parts.items()}


def pairs_of(tensors: Mapping[str, Tensor]) -> Pairs:
    """The pairs that were stored."""
    begin = "pairs."
    parts = {name.removeprefix(begin): v for name, v in tensors.items() if name.startswith(begin)}
    inner = "context."
    context = {n.removeprefix(inner): v for n, v in parts.items() if n.startswith(inner)}
    facts = {name: parts[name] for name in ("weights", "noise", "groups") if name in parts}
    return Pairs(parts["x"], parts["y"], context or None, **facts)
