"""What a method may know of a task, and the responses that are wanted of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Tensor

from invcore.base.errors import ShapeError, UnfitError, UnknownNameError, close_names
from invcore.base.types import Context
from invcore.data.pairs import rows_of
from invcore.spaces.space import Space
from invcore.spaces.specification import Goal, Requirement, Specification

GOALS: tuple[Goal, ...] = get_args(Goal)
"""What the whole numbers in ``Targets.goal`` stand for, by their places."""


@dataclass(frozen=True)
class Problem:
    """What a method may know of a task.

    Args:
        name: of the task, for messages.
        designs: space of x.
        responses: space of y.
        differentiable: whether the simulator has gradients.
    """

    name: str
    designs: Space
    responses: Space
    differentiable: bool = False


@dataclass(frozen=True, init=False)
class Targets:
    """What is wanted: B specifications of the responses, most often one exact response each.

    ``Targets(y)`` are exact ones; ``Targets.of`` takes specifications.

    Args:
        y: (B, Dy), the responses that are wanted exactly.
        context: what is known of each problem; tensors with leading dimension B.

    Attributes:
        low: (B, Dy), lowest value that is good; minus infinity where nothing limits it.
        high: (B, Dy), highest value that is good; that of ``low`` where it is exact.
        goal: (B, Dy), long, places in ``GOALS``.
        weight: (B, Dy), how much a violation counts beside others.
        tolerance: (B, Dy), the violation that counts as one; NaN for the response's standard
            deviation among training pairs.

    Example:
        >>> Targets(torch.tensor([[1.0, 2.0]])).y
        tensor([[1., 2.]])
        >>> responses = Space.model_validate({"variables": [{"name": "gap"}, {"name": "mass"}]})
        >>> light = {"gap": Requirement(low=0.5, high=0.7), "mass": Requirement(goal="minimise")}
        >>> targets = Targets.of([Specification.of(light)], responses)
        >>> targets.exact, targets.goal.tolist()
        (False, [[0, 1]])
    """

    low: Tensor
    high: Tensor
    goal: Tensor
    weight: Tensor
    tolerance: Tensor
    context: Context | None

    parts: ClassVar[tuple[str, ...]] = ("low", "high", "goal", "weight", "tolerance")

    def __init__(self, y: Tensor, context: Context | None = None) -> None:
        real = y.dtype if y.is_floating_point() else torch.float64
        weight = torch.ones_like(y, dtype=real)
        goal = torch.zeros_like(y, dtype=torch.long)
        self._set(y, y, goal, weight, torch.full_like(weight, torch.nan), context=context)

    def _set(self, *parts: Tensor, context: Context | None) -> None:
        for name, value in zip(self.parts, parts, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "context", context)

    @classmethod
    def of(
        cls, specifications: Sequence[Specification], responses: Space,
        context: Context | None = None,
    ) -> Targets:  # fmt: skip
        """Targets from specifications.

        Args:
            specifications: B of them; responses that one does not name are ignored.
            responses: whose names count.
            context: what is known of each problem.

        Raises:
            UnknownNameError: a specification names a response that there is not.
        """
        ignored = Requirement(goal="ignore")
        rows = []
        for specification in specifications:
            for name in specification.requirements.keys() - set(responses.names):
                close = close_names(name, responses.names)
                raise UnknownNameError(f"no response {name!r}. {close}")
            rows.append([specification.requirements.get(n, ignored) for n in responses.names])
        shape = (len(rows), responses.dim)

        def numbers(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float64).view(shape)

        flat = [requirement for row in rows for requirement in row]
        low, high = (numbers([each.ends[i] for each in flat]) for i in (0, 1))
        goal = torch.tensor([GOALS.index(each.goal) for each in flat], dtype=torch.long)
        tolerance = numbers([torch.nan if r.tolerance is None else r.tolerance for r in flat])
        return cls.of_parts(
            low, high, goal.view(shape), numbers([each.weight for each in flat]), tolerance,
            context=context,
        )  # fmt: skip

    @classmethod
    def of_parts(cls, *parts: Tensor, context: Context | None = None) -> Targets:
        """Targets from the tensors that ``Targets.parts`` names, in that order.

        Raises:
            ShapeError: they are not all (B, Dy).
        """
        if len({tuple(part.shape) for part in parts}) != 1 or parts[0].ndim != 2:
            shapes = ", ".join(str(tuple(part.shape)) for part in parts)
            raise ShapeError(f"parts of targets: expected all (B, Dy), got {shapes}")
        targets = cls.__new__(cls)
        targets._set(*parts, context=context)
        return targets

    @property
    def exact(self) -> bool:
        """Whether every target is one response that is wanted exactly."""
        if self.low is self.high and not bool(self.goal.any()):
            return True
        plain = (self.goal == 0) & (self.weight == 1) & self.tolerance.isnan()
        return bool((plain & (self.low == self.high)).all())

    @property
    def y(self) -> Tensor:
        """The responses (B, Dy) that are wanted exactly.

        Raises:
            UnfitError: some target is no exact response.
        """
        if not self.exact:
            raise UnfitError(
                "these targets are intervals or goals, and exact responses alone are answered"
            )
        return self.low

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, rows: slice | Tensor) -> Targets:
        """Some of the targets."""
        if self.low is self.high:
            return Targets(self.low[rows], rows_of(self.context, rows))
        parts = (getattr(self, name)[rows] for name in self.parts)
        return Targets.of_parts(*parts, context=rows_of(self.context, rows))

    def to(self, device: torch.device) -> Targets:
        """The same targets on another device."""
        context = self.context and {name: v.to(device) for name, v in self.context.items()}
        if self.low is self.high:
            return Targets(self.low.to(device), context)
        parts = (getattr(self, name).to(device) for name in self.parts)
        return Targets.of_parts(*parts, context=context)
