"""The method ``random-search``."""

import torch
from torch import Tensor

from invcore.numerics import scattered
from invcore.plugin import Problem, Simulator, Targets
from invcore_optimisers.methods.config import RandomSearchConfig
from invcore_optimisers.methods.search import Search
from invcore_optimisers.problem import Problems, Result


class RandomSearch(Search[RandomSearchConfig]):
    """Simulate designs of the prior, and keep the best: what any other search has to beat.

    Each candidate has its own ``tries`` designs, which the digits of its point decide; its point's
    design is the first.

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
    ) -> Result:
        """Keep the best of ``tries`` designs, some tries at a time."""
        space, flat = problem.designs, points.flatten(0, 1)  # (N, Dx)
        problems = Problems(simulator, space, targets, space.from_unit(points))
        rows = torch.arange(len(flat))
        best_x, (best_y, best) = (
            space.from_unit(flat),
            problems.simulated(space.from_unit(flat), rows),
        )
        most, first = max(1, self.config.rows_at_once // max(1, len(flat))), 1
        while first < self.config.tries:
            # Twice as many each time, so that the history shows the way to the best
            last = min(first + min(first, most), self.config.tries)
            x = space.from_unit(scattered(flat, first, last))  # (T, N, Dx)
            every, errors = problems.simulated(x.flatten(0, 1), rows.repeat(len(x)))
            error, place = errors.view(x.shape[:2]).min(dim=0)
            y = every.unflatten(0, x.shape[:2])[place, rows]
            lower = error < best
            best_x = torch.where(lower[:, None], x[place, rows], best_x)
            best_y = torch.where(lower[:, None], y, best_y)
            best = torch.where(lower, error, best)
            first = last
        return Result(best_x, best_y, best)
