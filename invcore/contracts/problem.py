"""What a method may know of a task, and the responses that are wanted of it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
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
POINT = 0.01
"""Of a response's standard deviation: how near an exact value that has no tolerance must be met."""


@dataclass(frozen=True)
class Problem:
    """What a method may know of a task.

    Args:
        name: of the task, for messages.
        designs: space of x.
        responses: space of y.
        differentiable: whether the simulator has gradients.
        stochastic: whether responses are draws, whose noise a surrogate does not have.
    """

    name: str
    designs: Space
    responses: Space
    differentiable: bool = False
    stochastic: bool = False


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
        tolerance: (B, Dy), the violation that counts as one; NaN for ``spread``.
        spread: (Dy,), the responses' standard deviations among training pairs; ones until
            ``measured_in`` has said more.

    Example:
        >>> Targets(torch.tensor([[1.0, 2.0]])).y
        tensor([[1., 2.]])
        >>> responses = Space.model_validate({"variables": [{"name": "gap"}, {"name": "mass"}]})
        >>> light = {"gap": Requirement(low=0.5, high=0.7), "mass": Requirement(goal="minimise")}
        >>> targets = Targets.of([Specification.of(light)], responses)
        >>> targets.exact, targets.goal.tolist()
        (False, [[0, 1]])
        >>> targets.violation(torch.tensor([[0.8, 3.0]]).double()).round(decimals=6).tolist()
        [[0.1, 0.0]]
    """

    low: Tensor
    high: Tensor
    goal: Tensor
    weight: Tensor
    tolerance: Tensor
    spread: Tensor
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
        object.__setattr__(self, "spread", torch.ones_like(parts[-1][:1].reshape(-1)))
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

    def measured_in(self, spread: Tensor) -> Targets:
        """The same targets, whose violations without a tolerance are measured in ``spread`` (Dy,).

        A response that does not vary among the training pairs, or not finitely, counts as it is.
        """
        spread = spread.to(self.weight).reshape(-1)
        usable = spread.isfinite() & (spread > 0)
        targets = copy(self)
        object.__setattr__(targets, "spread", torch.where(usable, spread, 1.0))
        return targets

    @property
    def scale(self) -> Tensor:
        """The violations (B, Dy) that count as one."""
        return torch.where(self.tolerance.isnan(), self.spread, self.tolerance)

    @property
    def wanted(self) -> Tensor:
        """Which responses (B, Dy) have an interval to meet: bool. Goals and ignored ones may have
        any value unless they are limited.
        """
        return self.low.isfinite() | self.high.isfinite()

    def violation(self, y: Tensor) -> Tensor:
        """How far responses are from their intervals, with the sign: y less its nearest good value.

        Args:
            y: (B, …, Dy); what is NaN stays NaN, unless it may have any value.

        Returns:
            (B, …, Dy), in the responses' own units; of exact targets the differences.
        """
        low, high, wanted = (_beside(part, y) for part in (self.low, self.high, self.wanted))
        return torch.where(wanted, y - y.clamp(low, high), 0.0)

    def error(self, y: Tensor) -> Tensor:
        """How much is violated: the mean squared difference from exact targets, in the responses'
        own units, and of others the weighted mean of squared violations, in units of ``scale``.

        Args:
            y: (B, …, Dy).

        Returns:
            (B, …); zero where all is met, NaN where a response that is wanted is not known.
        """
        if self.exact:
            return (y - _beside(self.low, y)).square().mean(dim=-1)
        weight = torch.where(self.wanted, self.weight, 0.0)
        weight = weight / weight.sum(dim=1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
        squares = (self.violation(y) / _beside(self.scale, y)).square()
        return (squares * _beside(weight, y)).sum(dim=-1)

    @property
    def slack(self) -> Tensor:
        """How much (B, Dy) an interval is wider when it is asked whether it is met: its tolerance.

        An exact value without a tolerance counts as met within ``POINT`` of ``spread``.
        """
        point = torch.where(self.low == self.high, POINT * self.spread, 0.0)
        return torch.where(self.tolerance.isnan(), point, self.tolerance)

    def met(self, y: Tensor) -> Tensor:
        """Whether all that is wanted is met by responses (B, …, Dy): (B, …), bool.

        NaN meets nothing: neither a limit, nor what is to be small or large.
        """
        violation, slack = self.violation(y).abs(), _beside(self.slack, y)
        # What rounding adds to the ends of an interval is no violation
        ends = torch.maximum(
            self.low.nan_to_num(posinf=0, neginf=0).abs(),
            self.high.nan_to_num(posinf=0, neginf=0).abs(),
        )
        rounding = 4 * torch.finfo(y.dtype).eps * _beside(ends, y)
        return (violation <= slack + rounding).all(dim=-1) & ~self.goals(y).isnan().any(dim=-1)

    def goals(self, y: Tensor) -> Tensor:
        """What is to be made small: (B, …, Dy); minimised responses as they are, maximised ones
        with the other sign, and zero for those without a goal.
        """
        sign = torch.zeros_like(self.weight)
        sign[self.goal == GOALS.index("minimise")] = 1.0
        sign[self.goal == GOALS.index("maximise")] = -1.0
        sign = _beside(sign, y)
        return torch.where(sign == 0, 0.0, sign * y)

    def objective(self, y: Tensor) -> Tensor:
        """What a search makes small that takes goals: the error, until all is met, and from there
        the weighted sum of the goals, in units of ``spread``, squeezed to between -2 and 0.

        Args:
            y: (B, …, Dy).

        Returns:
            (B, …); without goals the error.
        """
        error = self.error(y)
        if not self.has_goals:
            return error
        reached = (self.goals(y) / self.spread.to(y) * _beside(self.weight, y)).sum(dim=-1)
        error = torch.where(reached.isnan() & (error == 0), torch.nan, error)  # it is not known
        return torch.where(self.met(y), reached / (1 + reached.abs()) - 1, error)

    def narrowed(self, by: Tensor, most: float = 1.0) -> Targets:
        """The same, whose intervals begin and end further inside, for who would stop at their ends.

        Args:
            by: (Dy,) or (B, Dy), how much, in the responses' own units.
            most: at most this share of half the width.

        Example:
            >>> responses = Space.model_validate({"variables": [{"name": "gap"}]})
            >>> wanted = Specification.of(gap=Requirement(low=0.0, high=1.0))
            >>> Targets.of([wanted], responses).narrowed(torch.tensor([0.25])).high.tolist()
            [[0.75]]
        """
        if self.exact:
            return self
        low, high = self.low, self.high
        by = torch.minimum(by.to(low).expand_as(low), most * 0.5 * (high - low))
        by = torch.where(low.isfinite() | high.isfinite(), by, 0.0)
        # In the middle, rounding does not turn them round
        low, high = low + by, torch.maximum(high - by, low + by)
        parts = (low, high, *(getattr(self, name) for name in self.parts[2:]))
        return Targets.of_parts(*parts, context=self.context).measured_in(self.spread)

    @property
    def has_goals(self) -> bool:
        """Whether something is to be minimised or maximised."""
        names = [GOALS.index("minimise"), GOALS.index("maximise")]
        return bool(torch.isin(self.goal, torch.tensor(names, device=self.goal.device)).any())

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, rows: slice | Tensor) -> Targets:
        """Some of the targets."""
        context = rows_of(self.context, rows)
        if self.low is self.high:
            return Targets(self.low[rows], context).measured_in(self.spread)
        parts = (getattr(self, name)[rows] for name in self.parts)
        return Targets.of_parts(*parts, context=context).measured_in(self.spread)

    def to(self, device: torch.device) -> Targets:
        """The same targets on another device."""
        context = self.context and {name: v.to(device) for name, v in self.context.items()}
        spread = self.spread.to(device)
        if self.low is self.high:
            return Targets(self.low.to(device), context).measured_in(spread)
        parts = (getattr(self, name).to(device) for name in self.parts)
        return Targets.of_parts(*parts, context=context).measured_in(spread)


def _beside(part: Tensor, y: Tensor) -> Tensor:
    """(B, Dy) or (Dy,) so that it stands beside responses (B, …, Dy), of their type."""
    part = part.to(y) if part.is_floating_point() else part
    return part.view(len(part), *[1] * (y.ndim - 2), part.shape[-1])
