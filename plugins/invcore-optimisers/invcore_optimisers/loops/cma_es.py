"""The loop ``cma-es``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from cmaes import CMA, CMAwM, SepCMA
from torch import Tensor

from invcore.numerics import point_keys
from invcore.plugin import Answers, FitEnvironment, Loop, Pairs, Problem, Targets
from invcore.search import PointLoop, mean_variance, stored_targets
from invcore_optimisers.loops.config import CMAESConfig
from invcore_optimisers.loops.object_state import set_tensors, tensors_of
from invcore_optimisers.margin import SepCMAwM
from invcore_optimisers.placement import Placement

_WORST = 1e300  # what a design without a response is worth: infinities have no range
_FULL = 200  # variables, beyond which an eigendecomposition costs more than most simulators


class CMAES(Loop[CMAESConfig]):
    """Adapt a normal distribution of designs to where the errors are small; no gradient.

    One optimiser for each candidate, begun at its point's design and seeded by its point's digits;
    the designs of all populations are asked for together. Categories stay as the start has them. A
    candidate that has come to an end asks for no more.

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
    answers = Answers.INTERVALS | Answers.GOALS
    uses_context = True

    def numbers(self, problem: Problem) -> int:
        """Covariances, populations, and what the optimiser remembers."""
        dim = problem.designs.dim
        spread = 8 * dim * (dim if kind_of(self.config, dim) is CMA else 1)
        return spread + 2 * population_of(self.config, dim) * (dim + 2) + 1000

    def start(
        self, problem: Problem, targets: Targets, pairs: Pairs, points: Tensor,
        env: FitEnvironment, *, variance: Tensor | None = None,
    ) -> StartedCMAES:  # fmt: skip
        """Begin at the points' designs, or the best ones that are known."""
        scale = mean_variance(variance)
        started = StartedCMAES(self.config, problem, targets, points, scale)
        if len(pairs):
            started.know(pairs)
            started.begin_at_known()
        return started

    def restore(
        self, problem: Problem, state: dict[str, Tensor], env: FitEnvironment
    ) -> StartedCMAES:
        """Go on with the populations as they were."""
        targets, scale = stored_targets(state), float(state["own.scale"])
        started = StartedCMAES(self.config, problem, targets, state["points"], scale)
        started.resume(state)
        return started


class StartedCMAES(PointLoop):
    """An optimiser for each search, and the generation that each has open."""

    def __init__(
        self, config: CMAESConfig, problem: Problem, targets: Targets, points: Tensor, scale: float
    ) -> None:
        super().__init__(problem, targets, points)
        self._config, self._scale, self._era = config, scale, 0
        self._begin(problem.designs.from_unit(self.points).flatten(0, 1))

    def _begin(self, starts: Tensor) -> None:
        """New optimisers at designs (N, Dx)."""
        self._starts = starts
        self._place = placement = Placement(self.problem.designs, starts, "numbers")
        count, dim = placement.start.shape
        # Where nothing can move, each search has its start to ask for and no more
        self._size = population_of(self._config, dim) if dim else 1
        self._handed, self._generation = torch.zeros(2, count, dtype=torch.long)
        self._open = torch.zeros(count, dtype=torch.bool)
        shape = (count, self._size, dim)
        self._simulated, self._drawn = torch.zeros(2, *shape, dtype=torch.float64)
        self._values = torch.full(shape[:2], torch.nan, dtype=torch.float64)
        self._optimisers = {}
        if dim:
            self._margin = bool(placement.coordinates.steps.any())
            self._optimisers = self._new_optimisers(range(count))
        self._alive = torch.ones(count, dtype=torch.bool)

    def _new_optimisers(self, rows: Any) -> dict[int, Any]:
        place, config = self._place, self._config
        seeds = point_keys(self.points.flatten(0, 1)) >> np.uint64(32)
        seeds = (seeds + np.uint64(self._era)) % np.uint64(2**32)
        begin: Callable[..., Any] = kind_of(config, place.start.shape[1])
        if self._margin:
            steps, bounds = place.coordinates.steps.numpy(), place.coordinates.bounds.numpy()
            kind = CMAwM if begin is CMA else SepCMAwM
            begin = partial(kind, bounds=bounds, steps=steps)
        starts = place.start.numpy()
        optimisers = {
            row: begin(
                mean=starts[row], sigma=config.sigma, seed=int(seeds[row]),
                population_size=self._size,
            )
            for row in rows
        }  # fmt: skip
        for one in optimisers.values():  # which has memory there that nothing was written into
            vars(getattr(one, "_cma", one))["_funhist_values"].fill(0.0)
        return optimisers

    def begin_at_known(self) -> None:
        """Begin the searches at the best designs that are known, as far as there are such."""
        known = self.best_x[1]
        whole = known.isfinite().all(dim=1, keepdim=True)
        self._begin(torch.where(whole, known, self._starts))

    def begin_again(self) -> None:
        """New optimisers, with other seeds."""
        self._era += 1
        self.begin_at_known()

    def further(self, count: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """The rest of the open generations, then new ones of the searches that have none."""
        self._open_generations()
        left = torch.where(self._open, self._size - self._handed, 0)  # (N,)
        row = torch.arange(len(left)).repeat_interleave(left)
        before = left.cumsum(0) - left
        member = torch.arange(len(row)) - before[row] + self._handed[row]
        row, member = row[:count], member[:count]
        self._handed += torch.bincount(row, minlength=len(left))
        x = self._place.allowed(self._simulated[row, member], row)
        return row, member, x

    def _open_generations(self) -> None:
        rows = (self._alive & ~self._open).nonzero()[:, 0]
        if not len(rows):
            return
        self._open[rows], self._handed[rows], self._values[rows] = True, 0, torch.nan
        if not self._optimisers:
            return
        each = [self._optimisers[row] for row in rows.tolist()]
        asked = np.stack([[one.ask() for _ in range(self._size)] for one in each])
        # With a margin, (M, P, 2, D): what is simulated, and what is told
        simulated, told = (asked[:, :, 0], asked[:, :, 1]) if self._margin else (asked, asked)
        self._simulated[rows], self._drawn[rows] = map(torch.from_numpy, (simulated, told))

    def learn(self, row: Tensor, tag: Tensor, asked: Tensor, made: Tensor, error: Tensor) -> None:
        """Tell each optimiser its generation, when all of that is there."""
        other = (made != asked).any(dim=1)
        if bool(other.any()):  # what was made is what its response is of
            z = self._place.points(made[other])
            moves = self._place.coordinates.steps == 0  # whole numbers are told as drawn
            drawn = self._drawn[row[other], tag[other]]
            self._drawn[row[other], tag[other]] = torch.where(moves, z, drawn)
        scale = self._scale if self.exact else 1.0  # violations have no unit
        self._values[row, tag] = (error / scale).nan_to_num(posinf=_WORST)
        done = row.unique()
        done = done[~self._values[done].isnan().any(dim=1)]
        for search in done.tolist():
            self._end_generation(search)

    def _end_generation(self, search: int) -> None:
        self._open[search] = False
        self._generation[search] += 1
        ended = bool(self._generation[search] >= self._config.generations)
        if search in self._optimisers:
            one, values = self._optimisers[search], self._values[search].numpy()
            one.tell(list(zip(self._drawn[search].numpy(), values.tolist(), strict=True)))
            # Whole numbers and intervals come to an error of zero, and nothing is better
            zero = self._margin or not self.exact
            best = zero and not self.targets.has_goals and values.min() == 0
            ended |= bool(one.should_stop() or best)
        if ended or not self._optimisers:
            self._alive[search] = False

    def finished(self) -> Tensor:
        """Targets all of whose searches have come to an end."""
        return ~self._alive.view(len(self.targets), self.each).any(dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """Generations, and the numbers of the optimisers."""
        names = ("handed", "generation", "open", "simulated", "drawn", "values", "alive", "starts")
        tensors = {name: getattr(self, f"_{name}") for name in names}
        tensors |= {"scale": torch.tensor(self._scale).double(), "era": torch.tensor(self._era)}
        stacked = tensors_of(list(self._optimisers.values())) if self._optimisers else {}
        return tensors | {f"cma.{name}": value for name, value in stacked.items()}

    def resume(self, state: dict[str, Tensor]) -> None:
        """Be where ``state`` was."""
        super().resume(state)
        own = {n.removeprefix("own."): v for n, v in state.items() if n.startswith("own.")}
        self._era = int(own["era"])
        self._begin(own["starts"].clone())
        for name in ("handed", "generation", "open", "simulated", "drawn", "values", "alive"):
            setattr(self, f"_{name}", own[name].clone())
        begin = "cma."
        stacked = {n.removeprefix(begin): v for n, v in own.items() if n.startswith(begin)}
        if self._optimisers:
            set_tensors(list(self._optimisers.values()), stacked)


def kind_of(config: CMAESConfig, dim: int) -> type[CMA] | type[SepCMA]:
    """The optimiser for so many variables."""
    # Of one variable both are the same, and the diagonal one refuses it
    full = dim == 1 or config.covariance == "full" or (config.covariance == "auto" and dim <= _FULL)
    return CMA if full else SepCMA


def population_of(config: CMAESConfig, dim: int) -> int:
    """How many designs a generation has."""
    return config.population or 4 + math.floor(3 * math.log(max(1, dim)))
