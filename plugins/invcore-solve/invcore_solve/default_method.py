"""Which method answers with a simulator: by what the budget is worth, and what it can do with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from invcore.pipeline import check_fits
from invcore.plugin import (
    ConfigError,
    InvcoreError,
    InverseMethod,
    Needs,
    Plugins,
    Space,
    UnfitError,
)
from invcore_solve.simulators.task import SimulatorTask

MANY_PAIRS = "na"
"""Where there are calls enough for pairs to learn from."""
FEW_CALLS = "closed-loop"
"""Where each call counts."""
WITHOUT = "cma-es"
"""In the place of the loop of few calls where that is not installed."""

CALLS_PER_TARGET = 40
CALLS_PER_VARIABLE = 30
CALLS = 2000
"""So many calls are few, whatever they are for."""


def default_method(budget: int | None, targets: int, dims: int) -> str:
    """The method for a budget.

    Args:
        budget: the most simulator calls; None for no limit.
        targets: B.
        dims: Dx.

    Example:
        >>> default_method(40, 3, 4), default_method(100_000, 3, 4), default_method(None, 3, 4)
        ('closed-loop', 'na', 'na')
    """
    if budget is None:
        return MANY_PAIRS
    few = max(CALLS, CALLS_PER_TARGET * targets + CALLS_PER_VARIABLE * (dims + 1))
    return FEW_CALLS if budget <= few else MANY_PAIRS


@dataclass(frozen=True)
class Choice:
    """A method, and why it was chosen; empty where it was named."""

    method: str
    why: str = ""


def chosen(
    plugins: Plugins, method: str | None, budget: int | None, targets: int, dims: int, learns: bool
) -> Choice:
    """The method that is named, or that which suits the budget.

    Args:
        plugins: where names are looked up.
        method: that was named, if one was.
        budget: the most simulator calls; None for no limit.
        targets: B.
        dims: Dx.
        learns: whether something was asked for that only methods do that learn from pairs.
    """
    if method is not None:
        return Choice(method)
    name = MANY_PAIRS if learns else default_method(budget, targets, dims)
    if name == MANY_PAIRS:
        return Choice(name)
    what = f"{targets} target{'s' * (targets != 1)} of {dims} variable{'s' * (dims != 1)}"
    why = f"since a budget of {budget} call{'s' * (budget != 1)} for {what} is small"
    if not is_loop(plugins, name):
        if not is_loop(plugins, WITHOUT):
            return Choice(MANY_PAIRS)
        lacking = f"; {name} would be better, and is not installed (invcore-{name})"
        return Choice(WITHOUT, f"method {WITHOUT}, {why}{lacking}")
    return Choice(name, f"method {name}, {why}; --method chooses another")


def is_loop(plugins: Plugins, name: str) -> bool:
    """Whether a method is a loop."""
    return any(entry.component.name == name for entry in plugins.registry.entries("loop"))


def check_method(
    name: str, method: InverseMethod[Any], task: SimulatorTask, plugins: Plugins
) -> None:
    """Check that a method can do with a simulator.

    Raises:
        UnfitError: it needs gradients, and there are none.
    """
    if Needs.GRADIENT not in method.needs or task.differentiable:
        check_fits(name, method)
        return
    raise UnfitError(
        f"method {name!r} needs gradients, simulator {task.name} has none: "
        f"{task.why_no_gradient}; without gradients work {', '.join(without_gradients(plugins))}"
    )


def check_budget(
    budget: int, pairs: int, targets: int, each: int, refine: int, more: int, loops: bool,
    check: bool,
) -> None:  # fmt: skip
    """Check that a budget suffices for the least that there is to do.

    Args:
        budget: without what is put aside.
        pairs: to simulate.
        targets: B.
        each: the fewest calls for each of them.
        refine: calls for each of them to refine.
        more: calls that are put aside, for yields.
        loops: whether a loop searches.
        check: whether what is proposed is simulated.

    Raises:
        ConfigError: it does not.
    """
    least = pairs + targets * (each + refine)
    if budget >= least:
        return
    parts = f"{pairs} pairs" + " and a check of what is found" * check
    if loops:
        parts = f"a call for each of {targets} targets"
    parts += f" and {refine} calls a target to refine" * bool(refine)
    parts += f" and {more} calls for yields" * bool(more)
    verb = "takes" if loops and not more and not refine else "take"
    raise ConfigError(
        f"a budget of {budget + more} is too small: {parts} {verb} at least "
        f"{least + more} simulator calls"
    )


def unmoved(name: str, method: InverseMethod[Any], designs: Space) -> list[str]:
    """That a search by gradients leaves some variables as its starts have them."""
    names = [v.name for v in designs.variables if v.whole or v.categories]
    if Needs.GRADIENT not in method.needs or not names:
        return []
    return [
        f"method {name!r} follows gradients and does not move {', '.join(names)}: try cma-es, or "
        "a method that learns from pairs"
    ]


def without_gradients(plugins: Plugins) -> list[str]:
    """Methods that need no gradients."""
    registry, names = plugins.registry, set()
    for entry in registry.entries("method"):
        name = entry.component.name
        try:
            if Needs.GRADIENT not in registry.load("method", name).needs:
                names.add(name)
        except InvcoreError:
            continue  # a broken plugin is of no use here
    return sorted(names)
