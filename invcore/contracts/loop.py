"""Loops: searches that ask for rows and are told their responses, one at a time or many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.configs.configurable import C, Configurable
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import Answers, Needs
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Pairs


@dataclass(frozen=True)
class Requests:
    """Rows that a loop wants to be simulated, or made and measured.

    Args:
        id: (N,), long: names each row when its response is told.
        designs: (N, Dx), in the task's own units.
        target: (N,), long, whose row each is; None for rows that are for all targets alike.
    """

    id: Tensor
    designs: Tensor
    target: Tensor | None = None

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, rows: Tensor | slice) -> Requests:
        """Some of the rows."""
        target = None if self.target is None else self.target[rows]
        return Requests(self.id[rows], self.designs[rows], target)


@dataclass(frozen=True)
class Results:
    """What came of rows: those that a loop asked for, and others.

    Args:
        id: (N,), long, of requests; -1 for rows that nobody asked for. None: nobody asked for any.
        designs: (N, Dx), as they were made, which may differ from what was asked for.
        responses: (N, Dy); NaN for what is unknown.
        failed: (N,), bool, rows that could not be made or have no response; None: those without
            any known response.

    Raises:
        ShapeError: the numbers of rows differ.
    """

    id: Tensor | None
    designs: Tensor
    responses: Tensor
    failed: Tensor | None = None

    def __post_init__(self) -> None:
        for name in ("id", "responses", "failed"):
            part = getattr(self, name)
            if part is not None and len(part) != len(self.designs):
                raise ShapeError(f"results: {len(part)} {name} for {len(self.designs)} designs")

    def __len__(self) -> int:
        return len(self.designs)

    @property
    def lost(self) -> Tensor:
        """Which rows have failed (N,), bool."""
        return self.responses.isnan().all(dim=1) if self.failed is None else self.failed


class StartedLoop(ABC):
    """A loop at work on B targets. It never calls a simulator: whoever drives it does.

    Its requests depend on its start and on what it was told, in the order in which it was told.
    """

    @abstractmethod
    def ask(self, count: int | None = None) -> Requests:
        """Further rows to simulate.

        Args:
            count: the most that are wanted; None: as many as the loop has use for at once.

        Returns:
            At most ``count``; fewer, or none, where the loop first has to be told of rows that it
            has asked for, or has finished.
        """

    @abstractmethod
    def tell(self, results: Results) -> None:
        """Take what came of rows; of some of those that were asked for, in any order.

        Raises:
            DataError: an id that is not pending.
            ShapeError: designs or responses of another width.
        """

    @abstractmethod
    def pending(self) -> Requests:
        """The rows that were asked for and not told."""

    @abstractmethod
    def retarget(self, targets: Targets) -> None:
        """Go on for other targets, as many as before: what was told stays known.

        Rows that are pending may still be told.

        Raises:
            ShapeError: another number of targets.
        """

    @abstractmethod
    def best(self, count: int = 1) -> Candidates:
        """The best designs that were told for each target (B, count, Dx), best first.

        ``predicted`` are their responses. NaN where fewer are known.
        """

    @abstractmethod
    def finished(self) -> Tensor:
        """Which targets nothing more will be asked for (B,), bool."""

    def converged(self) -> Tensor:
        """Which targets are answered, as far as the loop can tell (B,), bool; by default none is
        said to be.
        """
        return torch.zeros_like(self.finished())

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Tensors from which ``Loop.restore`` goes on: it asks for the same rows."""


class Loop(Configurable[C]):
    """A search that asks for rows and is told their responses.

    Every loop is an inverse method too, which the pipeline drives on the counted simulator.
    """

    needs: ClassVar[Needs] = Needs.SIMULATOR
    """With ``Needs.PAIRS`` where it learns from known pairs."""
    answers: ClassVar[Answers] = Answers.EXACT
    """What targets it takes as they are: those whose ``Targets.error`` or ``objective`` it makes
    small."""
    uses_context: ClassVar[bool] = False
    """Whether it makes use of what is known of each problem."""
    joint: ClassVar[bool] = False
    """Whether targets share rows, so that a target's rows depend on the others that are searched
    for with it."""

    def point_dim(self, problem: Problem) -> int:
        """L, how many numbers of the unit cube drive a candidate: by default one a variable."""
        return problem.designs.dim

    def numbers(self, problem: Problem) -> int:
        """How many numbers the state of one candidate holds, so that memory can be bounded."""
        return 16 * (problem.designs.dim + 1)

    @abstractmethod
    def start(
        self, problem: Problem, targets: Targets, pairs: Pairs, points: Tensor,
        env: FitEnvironment, *, variance: Tensor | None = None,
    ) -> StartedLoop:  # fmt: skip
        """Begin a search for B targets.

        Args:
            problem: the spaces.
            targets: B of them.
            pairs: what is known already, as a warm start; may be empty.
            points: (B, K, L) in the open unit cube: the only source of randomness.
            env: progress, and what to keep.
            variance: of the responses (Dy,), where it is known; it tells how they scale.
        """

    @abstractmethod
    def restore(
        self, problem: Problem, state: dict[str, Tensor], env: FitEnvironment
    ) -> StartedLoop:
        """The search that ``state`` came from."""


def no_pairs(problem: Problem) -> Pairs:
    """Pairs of a problem, none of them."""
    x, y = (torch.empty(0, space.dim) for space in (problem.designs, problem.responses))
    return Pairs(x.double(), y.double())
