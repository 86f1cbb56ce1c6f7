"""The method ``cma-es``."""

import math

import numpy as np
import torch
from cmaes import CMA, SepCMA
from torch import Tensor

from invcore.numerics import point_keys
from invcore.plugin import Problem, Simulator, Targets
from invcore_optimisers.methods.config import CMAESConfig
from invcore_optimisers.methods.search import Search
from invcore_optimisers.problem import Problems, Result

_WORST = 1e300  # what a design without a response is worth: infinities have no range
_FULL = 200  # variables, beyond which an eigendecomposition costs more than most simulators


class CMAES(Search[CMAESConfig]):
    """Adapt a normal distribution of designs to where the errors are small; no gradient.

    One optimiser for each candidate, begun at its point's design and seeded by its point's digits;
    the designs of all populations are simulated together. Whole numbers move, rounded when they are
    simulated; categories stay as the start has them. A candidate that has come to an end leaves the
    batch.

    References:
        Hansen, The CMA evolution strategy: a tutorial, 2016, https://arxiv.org/abs/1604.00772;
        Ros, Hansen, A simple modification in CMA-ES achieving linear time and space complexity,
        PPSN X, 2008, https://doi.org/10.1007/978-3-540-87700-4_30 (``covariance=diagonal``);
        Nomura, Shibata, cmaes: a simple yet practical Python library for CMA-ES, 2024,
        https://arxiv.org/abs/2402.01373.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "cma-es", "targets": 2, "candidates": 4}
        >>> run(RunConfig.resolve(settings, preset="quick")).status
        'ok'
    """

    Config = CMAESConfig

    def numbers(self, dim: int) -> int:
        """Covariances, populations, and what the optimiser remembers."""
        spread = 8 * dim * (dim if self._kind(dim) is CMA else 1)
        return spread + 2 * self._population(dim) * (dim + 2) + 1000

    def _kind(self, dim: int) -> type[CMA] | type[SepCMA]:
        covariance = self.config.covariance
        # Of one variable both are the same, and the diagonal one refuses it
        full = dim == 1 or covariance == "full" or (covariance == "auto" and dim <= _FULL)
        return CMA if full else SepCMA

    def _population(self, dim: int) -> int:
        return self.config.population or 4 + math.floor(3 * math.log(max(1, dim)))

    @torch.no_grad()
    def search(
        self,
        simulator: Simulator,
        problem: Problem,
        targets: Targets,
        points: Tensor,
        scale: float,
    ) -> Result:
        """Ask all optimisers for a generation, simulate it in one batch, tell them; again."""
        config = self.config
        problems = Problems(
            simulator,
            problem.designs,
            targets,
            problem.designs.from_unit(points),
            scale=scale,
            moves="numbers",
        )
        start = problems.start
        if not len(problems.movable):
            return problems.result(start)
        best_z, size = start.clone(), self._population(start.shape[1])
        best = torch.full((len(start),), torch.inf, dtype=torch.float64)
        seeds = (point_keys(points.flatten(0, 1)) >> np.uint64(32)).tolist()
        kind = self._kind(start.shape[1])
        optimisers = {
            row: kind(mean=z, sigma=config.sigma, seed=seed, population_size=size)
            for row, (z, seed) in enumerate(zip(start.numpy(), seeds, strict=True))
        }
        for _ in range(config.generations):
            if not optimisers:
                break
            rows = torch.tensor(list(optimisers))
            proposals = np.stack([[one.ask() for _ in range(size)] for one in optimisers.values()])
            z = torch.from_numpy(proposals)  # (M, P, D)
            value = problems(z.flatten(0, 1), rows.repeat_interleave(size)).view(len(rows), size)
            low, place = value.min(dim=1)
            lower = low < best[rows]
            best[rows[lower]] = low[lower]
            best_z[rows[lower]] = z[lower, place[lower]]
            answers = value.nan_to_num(nan=_WORST, posinf=_WORST).numpy()
            for (row, one), designs, values in zip(
                list(optimisers.items()), proposals, answers, strict=True
            ):
                one.tell(list(zip(designs, values.tolist(), strict=True)))
                if one.should_stop():
                    del optimisers[row]
        return problems.result(best_z)
