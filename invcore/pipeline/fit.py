"""Fitting: whether a method can do a task at all, and its model from the training pairs."""

from collections.abc import Iterable
from typing import Any

from invcore.base.errors import UnfitError
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseMethod, InverseModel, Needs
from invcore.contracts.problem import Problem
from invcore.data.pairs import Splits

SEARCHES = Needs.SIMULATOR | Needs.GRADIENT
"""What a method needs that searches on the simulator."""


def check_fits(
    name: str, method: InverseMethod[Any] | type[InverseMethod[Any]], *, simulator: bool = True,
    differentiable: bool = True, contexts: Iterable[str] = (),
) -> None:  # fmt: skip
    """Refuse a method that cannot do a task.

    Args:
        name: of the method.
        method: it, or its class.
        simulator: whether there is one to search on.
        differentiable: whether that has gradients.
        contexts: names of what is known of each problem beside its target.

    Raises:
        UnfitError: it needs what is not there, or makes no use of what is.
    """
    if method.needs & SEARCHES and not simulator:
        raise UnfitError(f"method {name!r} needs a simulator; a table has none")
    if Needs.GRADIENT in method.needs and not differentiable:
        raise UnfitError(f"method {name} needs gradients, the task has none")
    if list(contexts) and not method.uses_context:
        raise UnfitError(
            f"method {name} does not use what is known of each problem of the task "
            f"({', '.join(contexts)})"
        )


def fit_model(
    method: InverseMethod[Any], problem: Problem, splits: Splits, env: FitEnvironment
) -> InverseModel:
    """The method's model from training pairs, its checkpoint chosen by validation pairs.

    The test split is not handed on; nor are pairs some of whose responses are unknown, to a method
    that makes no use of them.
    """
    train, val = splits.train, splits.val
    if not method.uses_partial:
        train, val = train.whole(), val.whole()
    return method.fit(problem, train, val, env)
