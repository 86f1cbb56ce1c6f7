"""A task with further responses, which are derived from its designs and its own responses."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.base.types import Context
from invcore.configs.config import Config
from invcore.contracts.task import Task
from invcore.data.pairs import Pairs, Splits, joined
from invcore.spaces.derived import DerivedResponse, derived_responses, with_derived
from invcore.spaces.space import Space, Variable

_TRIES = 20


def with_responses(task: Task[Any], texts: Sequence[str]) -> Task[Any]:
    """The task with derived responses behind its own; without any, the task itself.

    Args:
        task: any.
        texts: ``cost = 0.1*cement + 0.2*plast``, in the names of its designs and responses.

    Raises:
        ConfigError: a text is none, or its name is taken.
        UnknownNameError: it has a name that nothing has.

    Example:
        >>> from invcore.testing.cases.problems import Bowl
        >>> task = with_responses(Bowl(), ["sum = x1 + x2", "half = y/2"])
        >>> task.simulate(torch.tensor([[0.5, 0.25]])).tolist()
        [[20.5, 0.75, 10.25]]
    """
    if not texts:
        return task
    return DerivedTask(task, derived_responses(texts, task.designs.names, task.responses.names))


class DerivedTask(Task[Config]):
    """Another task, whose responses have derived ones behind them.

    Args:
        inner: the task.
        derived: in the names of its designs and responses.
    """

    def __init__(self, inner: Task[Any], derived: Sequence[DerivedResponse]) -> None:
        self.Config = type(inner.config)  # type: ignore[misc]
        super().__init__(inner.config)
        self.inner, self.derived = inner, tuple(derived)
        self._own = inner.responses.dim
        more = (Variable(name=each.name, description=each.expression) for each in derived)
        self._responses = Space.of(*inner.responses.variables, *more)
        self.gradient_calls = inner.gradient_calls  # type: ignore[misc]
        self.free_calls = inner.free_calls  # type: ignore[misc]
        self.stochastic = inner.stochastic  # type: ignore[misc]
        self.tolerances = inner.tolerances  # type: ignore[misc]
        self.reference = inner.reference  # type: ignore[misc]

    @property
    def designs(self) -> Space:
        """Those of the task."""
        return self.inner.designs

    @property
    def responses(self) -> Space:
        """Those of the task, and the derived ones."""
        return self._responses

    @property
    def differentiable(self) -> bool:
        """As the task: expressions are."""
        return self.inner.differentiable

    @property
    def context_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of the task."""
        return self.inner.context_shapes

    @property
    def noise_floor(self) -> float:
        """Of the task, as a mean over all responses: what is derived has no noise of its own."""
        return self.inner.noise_floor * self._own / self.responses.dim

    @property
    def fingerprint(self) -> str:
        """That of the task; the expressions are in a run's config."""
        return self.inner.fingerprint

    @property
    def constrained(self) -> bool:
        """As the task."""
        return self.inner.constrained

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Compute the task's responses, and the derived ones of them."""
        return self._whole(x, self.inner.simulate(x, context))

    def contexts(self, count: int, generator: torch.Generator) -> Context | None:
        """Draw those of the task."""
        return self.inner.contexts(count, generator)

    def observe(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """What is measured of the task's responses; derived ones stay as they are."""
        measured = self.inner.observe(y[..., : self._own], generator)
        return torch.cat([measured, y[..., self._own :]], dim=-1)

    def feasible(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Which designs can be made: as the task says."""
        return self.inner.feasible(x, context)

    def pairs(self, count: int, generator: torch.Generator) -> Pairs:
        """Draw pairs of the task."""
        return self._extended(self._asking().pairs(count, generator))

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        """The task's own data; all of a target's responses are known, derived ones too.

        Raises:
            DataError: hardly any design has all derived responses, or a row of a table has not.
        """
        inner = self._asking()
        whole_pairs = inner._whole_pairs

        def draw(count: int, generator: torch.Generator) -> Pairs:
            return self._cut(self.pairs(count, generator))

        def draw_whole(count: int, generator: torch.Generator) -> Pairs:
            """Pairs whose derived responses are known too."""
            parts: list[Pairs] = []
            missing = count
            for _ in range(_TRIES):
                drawn = whole_pairs(missing, generator)
                parts.append(drawn[self._extended(drawn).y.isfinite().all(dim=1)])
                missing -= len(parts[-1])
                if missing == 0:
                    return joined(parts)
            names = ", ".join(each.name for each in self.derived)
            raise DataError(f"hardly any design has the derived responses {names}: no targets")

        inner.pairs = draw  # type: ignore[method-assign]
        inner._whole_pairs = draw_whole  # type: ignore[method-assign]
        splits = inner.dataset(pairs, targets, seed)
        train, val, test = (self._extended(getattr(splits, n)) for n in ("train", "val", "test"))
        unknown = int((~test.y.isfinite().all(dim=1)).sum())
        if unknown:
            raise DataError(
                f"{unknown} of {len(test)} targets have no finite derived response "
                f"({', '.join(each.name for each in self.derived)}); define it for all designs"
            )
        return Splits(train, val, test)

    def draw(
        self, axes: Any, target: Tensor, designs: Tensor, responses: Tensor,
        context: Context | None = None,
    ) -> bool:  # fmt: skip
        """Draw the task's own responses as it draws them."""
        own = slice(self._own)
        return self.inner.draw(axes, target[own], designs, responses[:, own], context)

    def _asking(self) -> Task[Any]:
        """The inner task, which simulates by this one: where its calls are counted, all are."""
        inner = copy.copy(self.inner)

        def simulate(x: Tensor, context: Context | None = None) -> Tensor:
            return self.simulate(x, context)[..., : self._own]

        inner.simulate = simulate  # type: ignore[method-assign]
        return inner

    def _whole(self, x: Tensor, y: Tensor) -> Tensor:
        return with_derived(self.derived, self.designs, x, self.inner.responses.names, y)

    def _extended(self, pairs: Pairs) -> Pairs:
        y, facts = self._whole(pairs.x, pairs.y), pairs.facts
        if "noise" in facts:  # what is derived has none of its own
            more = y.new_zeros(len(y), len(self.derived))
            facts["noise"] = torch.cat([facts["noise"], more], dim=1)
        return Pairs(pairs.x, y, pairs.context, **facts)

    def _cut(self, pairs: Pairs) -> Pairs:
        facts, own = pairs.facts, slice(self._own)
        facts |= {"noise": facts["noise"][:, own]} if "noise" in facts else {}
        return Pairs(pairs.x, pairs.y[:, own], pairs.context, **facts)
