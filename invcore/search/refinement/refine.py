"""The loop of refinement: simulate the best candidates, and step on from what that says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.errors import ConfigError, ShapeError
from invcore.base.types import Context
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import rows_of
from invcore.search.refinement.coordinates import RefinementCoordinates
from invcore.search.refinement.descent import Descents
from invcore.search.refinement.wanted import WantedResponses

TOLERANCE = 1e-14
"""Of the responses' variance: an error of an exact target that is none."""
_NUMBERS = 1 << 23  # of Jacobians and candidates, held at once

Slopes = Callable[[Tensor, Context | None], Tensor]
"""From designs (N, Dx) and what is known of their problems to how responses change (N, Dy, Dx)."""


@dataclass(frozen=True)
class Refined:
    """What came of a refinement.

    Args:
        designs: (B, K, Dx), the candidates in their order; in the place of each that was begun, the
            best design that steps from it came to.
        responses: (B, K, Dy), those of the simulator; NaN of candidates that were not simulated.
        begun: (B, K), bool, which candidates were simulated, with a response or without.
        calls: (B,), long, simulator calls for each target.
    """

    designs: Tensor
    responses: Tensor
    begun: Tensor
    calls: Tensor


def refine(
    problem: Problem, targets: Targets, candidates: Tensor, slopes: Slopes, simulator: Simulator,
    calls: int, *, variance: float, responses: Tensor | None = None, tolerance: float = TOLERANCE,
    advance: Callable[[int], None] | None = None,
) -> Refined:  # fmt: skip
    """Spend a few simulator calls for each target on steps from its best candidates.

    The first call simulates a target's first candidate. Each further one simulates a step of least
    squares on a linear model of the responses, whose slopes are at first those of a surrogate, and
    then follow what the simulator said, by Broyden's rank-one update. A step from a surrogate that
    is right up to a constant is a correction of the target: it asks for the target less the error
    that was seen. Steps are bounded, shorter after one that failed, and stay within the space;
    where they gain little any more, the next candidate that is elsewhere is begun.

    Whole numbers, categories, levels, listed and fixed designs stay as the candidate has them.
    From designs that meet all of a specification, steps go on to better goals.

    All targets step at once: their rows are simulated by one call of the simulator, at most one row
    a target.

    References:
        Broyden, Mathematics of Computation 19, 1965, https://doi.org/10.2307/2003941;
        Nocedal, Wright, Numerical Optimization, 2006, chapters 10 and 11.

    Args:
        problem: the spaces.
        targets: B of them, measured in the responses' spread.
        candidates: (B, K, Dx), in the order in which they are begun; allowed ones.
        slopes: those of a surrogate, from designs (N, Dx) and contexts to (N, Dy, Dx).
        simulator: counted; it is told whose row each is.
        calls: N, the most for a target.
        variance: of the responses, mean over Dy.
        responses: (B, K, Dy), where they are known: such candidates begin without a call.
        tolerance: of the variance: a smaller error of an exact target ends its search.
        advance: is told of each call that was made, or has become unnecessary.

    Raises:
        ConfigError: no calls.
        ShapeError: candidates are not (B, K, Dx).

    Example:
        >>> from invcore.contracts.task import Task
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> class Square(Task):
        ...     designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=2.0)))
        ...     responses = Space.of(Variable(name="y"))
        ...     def simulate(self, x, context=None):
        ...         return x.square()
        >>> task = Square()
        >>> found = refine(
        ...     Problem("square", task.designs, task.responses), Targets(torch.tensor([[2.0]])),
        ...     torch.ones(1, 1, 1).double(), lambda x, _: torch.full((len(x), 1, 1), 2.0),
        ...     Simulator(task), 8, variance=1.0)
        >>> found.designs.square().round(decimals=6), found.calls
        (tensor([[[2.]]], dtype=torch.float64), tensor([7]))
    """
    if calls < 1:
        raise ConfigError(f"refine: expected at least 1 simulator call a target, got {calls}")
    count, responses_dim = len(targets), problem.responses.dim
    if candidates.ndim != 3 or candidates.shape[::2] != (count, problem.designs.dim):
        shape = tuple(candidates.shape)
        raise ShapeError(f"refine: expected ({count}, K, {problem.designs.dim}), got {shape}")
    targets, coordinates = _float64(targets), RefinementCoordinates.of(problem.designs)
    size = problem.designs.dim * (responses_dim + candidates.shape[1])
    step, parts = max(1, _NUMBERS // size), []
    for begin in range(0, max(1, count), step):
        rows = slice(begin, begin + step)
        wanted = WantedResponses.of(targets[rows], variance, tolerance)
        known = None if responses is None else responses[rows]
        descents = Descents(coordinates, wanted, candidates[rows].double(), slopes, known)
        parts.append(_refined(descents, simulator.part(rows), calls, advance))
    return Refined(*(torch.cat([getattr(part, name) for part in parts])
                     for name in Refined.__dataclass_fields__))  # fmt: skip


@torch.no_grad()
def _refined(
    descents: Descents, simulator: Simulator, calls: int, advance: Callable[[int], None] | None
) -> Refined:
    count = len(descents.wanted.targets)
    spent, done = torch.zeros(count, dtype=torch.long), 0
    for round_ in range(calls):  # of which each asks for one row a target at most
        rows, x = descents.ask()
        if not len(rows):
            break
        y = simulator(x, rows_of(descents.context, rows), rows)
        spent[rows] += 1
        descents.tell(rows, x, y.detach().cpu().double())
        if advance is not None:
            advance(count)
            done = round_ + 1
    if advance is not None:
        advance(count * (calls - done))
    return Refined(descents.designs, descents.responses, descents.begun, spent)


def _float64(targets: Targets) -> Targets:
    """The targets on the CPU, in float64."""
    targets, context = targets.to(torch.device("cpu")), targets.context
    if targets.low is targets.high:
        return Targets(targets.low.double(), targets.context).measured_in(targets.spread)
    parts = (getattr(targets, name) for name in Targets.parts)
    exact = [part.double() if part.is_floating_point() else part for part in parts]
    return Targets.of_parts(*exact, context=context).measured_in(targets.spread)
