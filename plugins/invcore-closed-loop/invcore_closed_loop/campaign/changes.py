"""What a campaign may change its mind about while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from invcore_solve.schema.constraints import constraints_of
from invcore_solve.simulators.bounds import limits, variable
from torch import Tensor

from invcore.plugin import (
    ConfigError,
    Problem,
    Space,
    UnknownNameError,
    Variable,
    close_names,
    resolved,
    specification_of,
)
from invcore.search import LoopJournal
from invcore_closed_loop.campaign.facts import Facts, noise_of
from invcore_closed_loop.campaign.wanted import spread_of, targets_of

_ENOUGH = 5  # values of each response, whose deviation tells its scale


def change(
    journal: LoopJournal, facts: Facts, want: tuple[str, ...], constraints: tuple[str, ...],
    bounds: Mapping[str, tuple[float, float]], noise: Mapping[str, float], y: Tensor,
) -> None:  # fmt: skip
    """Write a change; arguments are those of ``Campaign.change``, ``y`` (N, Dy) what is known.

    Raises:
        ConfigError: nothing is said, or something that cannot be.
        UnknownNameError: no design or response has a name.
    """
    if not (want or constraints or bounds or noise):
        raise ConfigError("say what is to change: want, constraints, bounds or noise")
    problem = journal.problem
    responses = problem.responses
    wishes = joined(facts.want, want, responses.names) if want else facts.want
    known = noise_of(noise, facts.measured(responses.names))
    new = facts.model_copy(update={"want": wishes, "noise": {**facts.noise, **known}})
    targets = targets_of(wishes, responses, y) if want else None
    space = None
    if constraints or bounds:
        variables = _bounded(problem.designs, bounds)
        more = constraints_of(constraints, variables, (), "designs")
        space = Problem(
            problem.name,
            Space.of(*variables, constraints=[*problem.designs.constraints, *more]), responses,
        )  # fmt: skip
    journal.change(targets=targets, problem=space, facts=new.document())


def measure_targets(journal: LoopJournal, y: Tensor) -> None:
    """Let a loop that began without known rows weigh several responses by their deviations.

    Args:
        journal: of the campaign.
        y: (N, Dy), responses that are known by now.
    """
    targets = journal.targets
    several = int((targets.wanted | (targets.goals(torch.ones_like(targets.low)) != 0)).sum()) > 1
    if not several or targets.exact or not bool((targets.spread == 1).all()):
        return
    spread = spread_of(y)
    enough = bool((y.isfinite().sum(dim=0) >= _ENOUGH).all())
    if enough and bool((spread.isfinite() & (spread > 0)).all()):
        journal.change(targets=targets.measured_in(spread))


def joined(old: Sequence[str], new: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Wishes with new ones in the place of those of the same responses.

    Example:
        >>> joined(["strength>=300", "cost=min"], ["strength>=320"], ["strength", "cost"])
        ('strength>=320', 'cost=min')
    """
    specification_of(new, names)  # says what is wrong with them
    left, result = list(new), list[str]()
    for text in old:
        again = [each for each in left if _about(each, names) & _about(text, names)]
        result += again
        left = [each for each in left if each not in again]
        if not any(_about(each, names) & _about(text, names) for each in new):
            result.append(text)
    return (*result, *left)


def _about(text: str, names: Sequence[str]) -> set[str]:
    """The responses that a wish is about."""
    return set(specification_of([text], names).wishes)


def _bounded(designs: Space, bounds: Mapping[str, tuple[float, float]]) -> list[Variable]:
    variables = {v.name: v for v in designs.variables}
    for given, ends in bounds.items():
        name = resolved(given, designs.names, "design")
        old = variables.get(name)
        if old is None:
            raise UnknownNameError(f"no design {name!r}. {close_names(name, designs.names)}")
        if old.categories:
            raise ConfigError(f"{name!r} has categories, and no bounds")
        low, high = limits(name, ends)
        variables[name] = variable(name, low, high, whole=old.whole, unit=old.unit)
    return [*variables.values()]
