"""A task whose designs have further constraints."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from invcore.base.types import Context
from invcore.contracts.task import Task
from invcore.spaces.space import Space


def with_constraints(task: Task[Any], texts: Sequence[str]) -> Task[Any]:
    """The task, of whose designs constraints hold too; without any, the task itself.

    Pairs that the task draws, and candidates, satisfy them. Those of a table stay as they are.

    Args:
        task: any.
        texts: ``x1 + x2 <= 3``, in the names of its designs.

    Raises:
        ConfigError: a text is no constraint, or no design satisfies all of them at once.
        UnknownNameError: it has a name that no design has.

    Example:
        >>> import torch
        >>> from invcore.testing.cases.problems import Bowl
        >>> task = with_constraints(Bowl(), ["x1 + x2 <= 0"])
        >>> bool((task.pairs(100, torch.Generator()).x.sum(dim=1) <= 1e-9).all())
        True
    """
    if not texts:
        return task
    designs, kind = task.designs, type(task)
    plain = designs.model_dump(mode="json")
    plain["constraints"] += texts
    space = Space.parse(plain, where="constraints")

    def feasible(self: Task[Any], x: Tensor, context: Context | None = None) -> Tensor:
        return kind.feasible(self, x, context) & space.contains(x)

    # A property stands before whatever the task has: an attribute of class or object, or its own
    parts = {"designs": property(lambda self: space), "__module__": kind.__module__}
    if kind.feasible is not Task.feasible:
        parts["feasible"] = feasible
    narrower = copy.copy(task)
    narrower.__class__ = type(kind.__name__, (kind,), parts)
    return narrower
