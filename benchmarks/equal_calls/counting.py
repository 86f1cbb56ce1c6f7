"""The simulator as searches see it: every row counts, and at the last one the search ends."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from equal_calls.problems import Numbers, System
from equal_calls.rows import LEVELS
from invcore.plugin import Targets, generator

FAILED = 10.0  # difference, in standard deviations, that stands for a response that there is not


class EndedError(BaseException):
    """No calls are left, or the last level is reached.

    Packages catch what derives from ``Exception`` and go on; this goes through.
    """


class Counted:
    """The simulator for one or more targets of a system.

    Args:
        system: whose simulator it is.
        targets: (T, Dy); every row counts for each of them.
        cap: the most rows.
        seed: of the draws from the prior that searches start from.
    """

    def __init__(self, system: System, targets: Tensor, cap: int, *seed: int | str) -> None:
        self.system, self.targets, self.cap = system, targets, cap
        self.problem, self.wanted = system.problem, Targets(targets)
        # Of the responses' variances searches know the mean, in which errors are measured
        self.variance = torch.full((targets.shape[1],), system.scale, dtype=torch.float64)
        self.low, self.high = system.box
        self.dim = len(self.low)
        self.parts: list[Tensor] = []
        self.best = torch.full((len(targets),), torch.inf, dtype=torch.float64)
        self.calls, self.simulate_s = 0, 0.0
        self._random = generator(0, *(str(part) for part in seed))

    @property
    def errors(self) -> Tensor:
        """Errors of all rows so far (calls, T), in the order in which they were simulated."""
        return torch.cat(self.parts) if self.parts else torch.empty(0, len(self.targets)).double()

    def starts(self, count: int) -> Numbers:
        """Further draws of the prior, in the unit cube (count, Dx)."""
        x = self.system.problem.designs.sample(count, self._random).double().numpy()
        return self.inside((x - self.low) / (self.high - self.low))

    @staticmethod
    def inside(units: Numbers) -> Numbers:
        """Points moved just inside of the cube."""
        return np.clip(units, 1e-9, 1 - 1e-9)

    def simulate(self, designs: Tensor) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx).

        Raises:
            EndedError: no rows are left, or all targets have reached the last level.
        """
        rows = designs[: self.cap - self.calls]
        if len(rows):
            begin = time.perf_counter()
            y = self.system.simulate(rows)
            self.simulate_s += time.perf_counter() - begin
            errors = self.system.errors(y, self.targets)
            self.parts.append(errors)
            self.calls += len(rows)
            self.best = torch.minimum(self.best, errors.amin(dim=0))
        if len(rows) < len(designs) or bool((self.best <= LEVELS[-1]).all()):
            raise EndedError
        return y

    def responses(self, units: Numbers) -> Numbers:
        """Responses (N, Dy) of points of the unit cube (N, Dx); outside, of the nearest inside."""
        units = np.clip(np.atleast_2d(np.asarray(units, dtype=float)), 0.0, 1.0)
        designs = self.low + units * (self.high - self.low)
        return self.simulate(torch.from_numpy(designs)).numpy()

    def residuals(self, units: Numbers) -> Numbers:
        """Differences from the first target (N, Dy), whose sums of squares are the errors."""
        target = self.targets[0].numpy()
        unit = np.sqrt(self.system.scale * len(target))
        differences = (self.responses(units) - target) / unit
        return np.nan_to_num(differences, nan=FAILED, posinf=FAILED, neginf=FAILED)

    def residual(self, unit: Numbers) -> Numbers:
        """Of one point (Dx,): (Dy,)."""
        return self.residuals(unit)[0]

    def error(self, unit: Numbers) -> float:
        """Of one point (Dx,)."""
        return float(np.square(self.residual(unit)).sum())
