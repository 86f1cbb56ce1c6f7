"""The method ``random-search``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore import Problem, Simulator, Targets
from invcore_optimisers.methods.config import RandomSearchConfig
from invcore_optimisers.methods.search import Search
from invcore_optimisers.problem import Found, Problems

_EDGE = 2.0**-40  # a scattered point may be an end of the unit interval


def factors(tries: int, dim: int) -> Tensor:
    """Odd numbers (tries, dim) by which a point is multiplied and wrapped, for other points.

    Uniform points stay uniform, and those of one point are as good as independent of each other.
    More tries leave the first ones as they are; the first of all is the point itself.
    """
    draws = torch.Generator().manual_seed(1)
    odd = 2 * torch.randint(500, 50_000, (tries, dim), generator=draws) + 1
    odd[0] = 1
    return odd.double()


class RandomSearch(Search[RandomSearchConfig]):
    """Simulate designs of the prior, and keep the best: what any other search has to beat.

    Each candidate has its own ``tries`` designs, which its point alone decides.

    References:
        Bergstra, Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012,
        https://jmlr.org/papers/v13/bergstra12a.html.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "random-search", "targets": 2}
        >>> run(RunConfig.resolve(settings, preset="quick")).status
        'ok'
    """

    Config = RandomSearchConfig

    def numbers(self, dim: int) -> int:
        """Of the best designs so far."""
        return 4 * (dim + 1)

    @torch.no_grad()
    def search(
        self,
        simulator: Simulator,
        problem: Problem,
        targets: Targets,
        points: Tensor,
        scale: float,
    ) -> Found:
        """Keep the best of ``tries`` designs, some tries at a time."""
        space, flat = problem.designs, points.flatten(0, 1)  # (N, Dx)
        problems = Problems(simulator, space, targets, space.from_unit(points))
        rows = torch.arange(len(flat))
        best: Found | None = None
        block = max(1, self.config.rows_at_once // max(1, len(flat)))
        for factor in factors(self.config.tries, space.dim).split(block):
            units = torch.remainder(flat * factor[:, None], 1.0).clamp(_EDGE, 1.0 - _EDGE)
            x = space.from_unit(units)  # (T, N, Dx)
            found = problems.simulated(x.flatten(0, 1), rows.repeat(len(x)))
            error, first = found.error.view(x.shape[:2]).min(dim=0)
            y = found.y.unflatten(0, x.shape[:2])[first, rows]
            best = _better(best, Found(x[first, rows], y, error))
        return best or problems.found(problems.start)


def _better(old: Found | None, new: Found) -> Found:
    """Row by row, the one with the smaller error; the old one where they are equal."""
    if old is None:
        return new
    lower = new.error < old.error
    return Found(
        torch.where(lower[:, None], new.x, old.x),
        torch.where(lower[:, None], new.y, old.y),
        torch.where(lower, new.error, old.error),
    )
