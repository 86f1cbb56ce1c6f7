"""The method ``cma-es``."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from cmaes import CMA, CMAwM, SepCMA
from torch import Tensor

from invcore.numerics import point_keys
from invcore.plugin import Problem, Simulator, Targets
from invcore_optimisers.margin import SepCMAwM
from invcore_optimisers.methods.config import CMAESConfig
from invcore_optimisers.methods.search import Search
from invcore_optimisers.problem import Problems, Result

_WORST = 1e300  # what a design without a response is worth: infinities have no range
_FULL = 200  # variables, beyond which an eigendecomposition costs more than most simulators


class CMAES(Search[CMAESConfig]):
    """Adapt a normal distribution of designs to where the errors are small; no gradient.

    One optimiser for each candidate, begun at its point's design and seeded by its point's digits;
    the designs of all populations are simulated together. Categories stay as the start has them. A
    candidate that has come to an end leaves the batch.

    Whole numbers move, and with a margin: however small the steps have become, each is another
    number with a probability of at least 1 / (variables x population). Such a candidate has come to
    an end with an error of zero, too.

    References:
        Hansen, The CMA evolution strategy: a tutorial, 2016, https://arxiv.org/abs/1604.00772;
        Ros, Hansen, A simple modification in CMA-ES achieving linear time and space complexity,
        PPSN X, 2008, https://doi.org/10.1007/978-3-540-87700-4_30 (``covariance=diagonal``);
        Hamano, Saito, Nomura, Shirakawa, CMA-ES with margin: lower-bounding marginal probability
        for mixed-integer black-box optimization, GECCO 2022, https://arxiv.org/abs/2205.13482;
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
        steps, bounds = problems.coordinates.steps.numpy(), problems.coordinates.bounds.numpy()
        margin = bool(steps.any())
        begin: Callable[..., Any] = self._kind(start.shape[1])
        if margin:
            kind = CMAwM if begin is CMA else SepCMAwM
            begin = partial(kind, bounds=bounds, steps=steps)
        optimisers = {
            row: begin(mean=z, sigma=config.sigma, seed=seed, population_size=size)
            for row, (z, seed) in enumerate(zip(start.numpy(), seeds, strict=True))
        }
        for _ in range(config.generations):
            if not optimisers:
                break
            rows = torch.tensor(list(optimisers))
            asked = np.stack([[one.ask() for _ in range(size)] for one in optimisers.values()])
            # With a margin, (M, P, 2, D): what is simulated, and what is told
            simulated, told = (asked[:, :, 0], asked[:, :, 1]) if margin else (asked, asked)
            z = torch.from_numpy(simulated)  # (M, P, D)
            value = problems(z.flatten(0, 1), rows.repeat_interleave(size)).view(len(rows), size)
            low, place = value.min(dim=1)
            lower = low < best[rows]
            best[rows[lower]] = low[lower]
            best_z[rows[lower]] = z[lower, place[lower]]
            answers = value.nan_to_num(nan=_WORST, posinf=_WORST).numpy()
            for (row, one), designs, values in zip(
                list(optimisers.items()), told, answers, strict=True
            ):
                one.tell(list(zip(designs, values.tolist(), strict=True)))
                if one.should_stop() or (margin and values.min() == 0):
                    del optimisers[row]
        return problems.result(best_z)
