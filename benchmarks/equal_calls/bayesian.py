"""Searches with BoTorch: expected improvement of a composite, TuRBO, and both with constraints.

Gaussian processes are BoTorch's ``SingleTaskGP`` with its own priors, on the unit cube, responses
standardised. First rows are draws of the prior, one more than there are variables.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from equal_calls.counting import Counted
from equal_calls.problems import Numbers

SAMPLES, RESTARTS, RAW = 64, 4, 64  # of an acquisition function, and of its maximisation
CANDIDATES = 1000  # points of a trust region among which a sampled function chooses


def process(x: Tensor, y: Tensor) -> Any:
    """Independent processes of responses (N, M) on designs (N, Dx), fitted."""
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SingleTaskGP(x, y, outcome_transform=Standardize(m=y.shape[1]))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def expected_improvement(
    model: Any, best: Tensor, objective: Callable[..., Tensor], seed: int,
    constraints: Sequence[Callable[[Tensor], Tensor]] = (),
) -> Numbers:  # fmt: skip
    """The point (Dx,) where the logarithm of an objective's expected improvement is largest."""
    from botorch.acquisition import qLogExpectedImprovement
    from botorch.acquisition.objective import GenericMCObjective
    from botorch.optim import optimize_acqf
    from botorch.sampling import SobolQMCNormalSampler

    acquisition = qLogExpectedImprovement(
        model, best_f=best, sampler=SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed),
        objective=GenericMCObjective(objective), constraints=list(constraints) or None,
    )  # fmt: skip
    dim = model.train_inputs[0].shape[-1]
    bounds = torch.stack([torch.zeros(dim), torch.ones(dim)]).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, _ = optimize_acqf(acquisition, bounds, 1, num_restarts=RESTARTS, raw_samples=RAW)
    return found[0].detach().numpy()


def composite(counted: Counted, seed: int) -> None:
    """Expected improvement of minus the squared residuals, of which each has a process."""
    torch.manual_seed(seed)
    units = counted.starts(counted.dim + 1)
    residuals = counted.residuals(units)
    while True:
        x, r = torch.from_numpy(units), torch.from_numpy(residuals)
        own = seed + len(units)
        new = expected_improvement(process(x, r), -_squares(r).min(), _minus_squares, own)
        units = np.concatenate([units, new[None]])
        residuals = np.concatenate([residuals, counted.residuals(new)])


def _squares(r: Tensor) -> Tensor:
    return r.square().sum(dim=-1)


def _minus_squares(r: Tensor, X: Any = None) -> Tensor:
    return -_squares(r)


@dataclass
class TrustRegion:
    """The length of TuRBO's box (Eriksson et al., 2019), with the paper's settings for one row.

    Args:
        dim: Dx.
    """

    dim: int
    length: float = 0.8
    shortest: float = 0.5**7
    longest: float = 1.6
    successes: int = 0
    failures: int = 0

    def update(self, better: bool) -> None:
        """Take whether a row was better than all before in this region."""
        self.successes, self.failures = (
            (self.successes + 1, 0) if better else (0, self.failures + 1)
        )
        if self.successes == 3:
            self.length, self.successes = min(2 * self.length, self.longest), 0
        if self.failures == max(4, self.dim):
            self.length, self.failures = self.length / 2, 0

    @property
    def over(self) -> bool:
        """Whether it is to begin again elsewhere."""
        return self.length < self.shortest

    def points(self, model: Any, centre: Tensor, seed: int) -> Tensor:
        """Points of the box about its centre, longer where the response varies slowly."""
        kernel = getattr(model.covar_module, "base_kernel", model.covar_module)
        scales = kernel.lengthscale.detach()
        scales = scales.reshape(-1, self.dim).log().mean(dim=0).exp()
        widths = self.length * scales / scales.log().mean().exp() / 2
        low, high = (centre - widths).clamp(0, 1), (centre + widths).clamp(0, 1)
        sobol = torch.quasirandom.SobolEngine(self.dim, scramble=True, seed=seed)
        points = low + (high - low) * sobol.draw(CANDIDATES).double()
        generator = torch.Generator().manual_seed(seed)
        chance = min(1.0, 20.0 / self.dim)
        moved = torch.rand(points.shape, generator=generator) < chance
        alone = torch.randint(self.dim, (len(points),), generator=generator)
        moved[torch.arange(len(points)), alone] = True
        return torch.where(moved, points, centre)


Measure = Callable[[Numbers], Numbers]
"""Points (N, Dx) to what is small (N,) and then what is to be at most zero: (N, 1 + C)."""


def turbo(counted: Counted, seed: int) -> None:
    """TuRBO-1 on the logarithm of the error, which the process follows over all its decades."""

    def measure(units: Numbers) -> Numbers:
        error = np.square(counted.residuals(units)).sum(axis=1)
        return np.log(error + 1e-300)[:, None]

    trust_region_search(measure, counted.starts, counted.dim, seed)


def trust_region_search(
    measure: Measure, starts: Callable[[int], Numbers], dim: int, seed: int
) -> None:
    """Thompson sampling in a trust region; with constraints SCBO (Eriksson, Poloczek, 2021)."""
    torch.manual_seed(seed)
    number = 0
    while True:
        region = TrustRegion(dim)
        units = starts(dim + 1)
        values = measure(units)
        while not region.over:
            number += 1
            x, v = torch.from_numpy(units), torch.from_numpy(values)
            model = process(x, v)
            points = region.points(model, x[_first(v)], seed + number)
            with torch.no_grad():
                sample = model.posterior(points).rsample()[0]
            new = points[_first(sample)].numpy()[None]
            value = measure(new)
            both = torch.from_numpy(np.concatenate([values[[int(_first(v))]], value]))
            region.update(int(_first(both)) == 1 and not torch.equal(both[0], both[1]))
            units, values = np.concatenate([units, new]), np.concatenate([values, value])


def _first(values: Tensor) -> int:
    """The best of rows (N, 1 + C): the smallest that violates nothing, or what violates least."""
    violation = values[:, 1:].clamp(min=0).sum(dim=1)
    good = violation <= 0
    if bool(good.any()):
        return int(torch.where(good, values[:, 0], math.inf).argmin())
    return int(violation.argmin())
