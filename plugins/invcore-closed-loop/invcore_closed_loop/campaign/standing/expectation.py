"""What the rows of a campaign let one expect: of designs that were made, and of further ones.

It is the same for every loop, and knows nothing of how rows were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.learning import GaussianProcess, GaussianProcessConfig, Normaliser, fit_process
from invcore.plugin import Problem
from invcore_closed_loop.campaign.tables.given_designs import designs_of

FEWEST = 5
"""Rows of a response, below which nothing is expected of it."""
_PRIOR = 1.0  # measurements that the first guess of the noise is worth
_LEAST = 1e-12  # of a response's variance: below it, an error is rounding
NORMAL90 = 1.6448536269514722
"""Of a normal distribution nine in ten lie within so many standard deviations."""


@dataclass(frozen=True)
class Normal:
    """Responses of N designs: their means and standard deviations (N, Dy); NaN where unknown."""

    mean: Tensor
    std: Tensor

    def __getitem__(self, rows: Tensor | slice) -> Normal:
        """Some of the designs."""
        return Normal(self.mean[rows], self.std[rows])


@dataclass(frozen=True)
class Expectation:
    """What rows say of the true responses of designs.

    Of each response a Gaussian process is fitted to all rows. What it expects of further designs is
    as uncertain as it was wrong about rows that were left out. Of a design that was made, this is
    weighed against its own measurements by their noise: that is what is stated, or what
    measurements of one design differ by, or, where nothing was measured twice, no less than what
    the process was wrong about rows that were left out. So a single lucky measurement proves
    little, and a second one of the same design a lot.

    Args:
        problem: the spaces.
        x: (M, Dx), the different designs that were made.
        made: what their true responses are, as far as is known.
        count: (M, Dy), how often each was measured.
        noise: (Dy,), standard deviation of a measurement; NaN where nothing is known.
        noise_is: for each response ``stated``, ``measured`` or ``guessed``; empty if unknown.
        repeats: how many measurements repeat a design.
        processes: of each response; None of which too few rows are known, or which is computed.
        inflation: (Dy,), factor of the processes' variances.
        computed: gives responses (N, Dy) that follow from designs alone; NaN for others.
    """

    problem: Problem
    x: Tensor
    made: Normal
    count: Tensor
    noise: Tensor
    noise_is: tuple[str, ...]
    repeats: int
    processes: tuple[_ScaledProcess | None, ...]
    inflation: Tensor
    computed: Callable[[Tensor], Tensor]

    @classmethod
    def of(
        cls, problem: Problem, x: Tensor, y: Tensor, stated: Mapping[str, float],
        computed: Callable[[Tensor], Tensor],
    ) -> Expectation:  # fmt: skip
        """From rows.

        Args:
            problem: the spaces.
            x: (N, Dx), designs as they were made.
            y: (N, Dy), NaN where a response is unknown.
            stated: standard deviations of measurements that are known, by response.
            computed: gives responses (N, Dy) that follow from designs alone; NaN for others.

        Example:
            >>> from invcore.plugin import Space, Uniform, Variable
            >>> own = Variable(name="x", prior=Uniform(low=0.0, high=1.0))
            >>> problem = Problem("line", Space.of(own), Space.of(Variable(name="y")))
            >>> x = torch.linspace(0, 1, 6, dtype=torch.float64)[:, None]
            >>> unknown = lambda x: torch.full_like(x, torch.nan)
            >>> said = Expectation.of(problem, x, 3 * x, {}, unknown)
            >>> there = said.at(torch.tensor([[0.5]], dtype=torch.float64))
            >>> bool((there.mean - 1.5).abs() < 0.05), said.noise_is
            (True, ('guessed',))
        """
        known = y.isfinite().any(dim=1)
        x, y = x[known].double(), y[known].double()
        designs, group = x.unique(dim=0, return_inverse=True)
        exact = computed(designs)
        parts = [
            _response(
                problem, designs, x, y[:, j], group, stated.get(name), exact[:, j]
            )
            for j, name in enumerate(problem.responses.names)
        ]  # fmt: skip
        most = torch.stack([part.count for part in parts], dim=1)
        return cls(
            problem, designs,
            Normal(*(torch.stack([getattr(p, n) for p in parts], dim=1) for n in ("mean", "std"))),
            most, torch.tensor([p.noise for p in parts], dtype=torch.float64),
            tuple(p.noise_is for p in parts), int((most.amax(dim=1) - 1).clamp(min=0).sum()),
            tuple(p.process for p in parts),
            torch.tensor([p.inflation for p in parts], dtype=torch.float64), computed,
        )  # fmt: skip

    @property
    def able(self) -> bool:
        """Whether something is expected of further designs, of every response."""
        return all(
            process is not None or bool(known)
            for process, known in zip(self.processes, self._follows, strict=True)
        )

    @property
    def _follows(self) -> Tensor:
        """Which responses follow from designs alone (Dy,)."""
        if not len(self.x):
            return torch.zeros(self.problem.responses.dim, dtype=torch.bool)
        return self.computed(self.x).isfinite().any(dim=0)

    def at(self, x: Any) -> Normal:
        """The true responses of designs, whether they were made or not.

        Args:
            x: a tensor (N, Dx), or a data frame or file that has a column for each design.

        Raises:
            DataError: it lacks a design, or cannot be read.
            ShapeError: designs of another width.
        """
        if not isinstance(x, Tensor):
            x = designs_of(x, self.problem.designs)
        self.problem.designs.check(x, "designs")
        mean = torch.full((len(x), self.problem.responses.dim), torch.nan, dtype=torch.float64)
        std = mean.clone()
        for j, process in enumerate(self.processes):
            if process is not None:
                mean[:, j], variance = process.predict(self.problem.designs.encode(x.double()))
                std[:, j] = (variance * self.inflation[j]).sqrt()
        follows = self.computed(x.double())
        given = follows.isfinite()
        return Normal(torch.where(given, follows, mean), torch.where(given, 0.0, std))

    def measured_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What to expect of one measurement of designs (N, Dx), and its error for nine in ten."""
        there = self.at(x)
        noise = self.noise.nan_to_num()
        return there.mean, NORMAL90 * (there.std.square() + noise.square()).sqrt()


@dataclass(frozen=True)
class _ScaledProcess:
    """A process of one response over scaled features."""

    process: GaussianProcess
    x: Normaliser
    y: Normaliser

    @torch.no_grad()
    def predict(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (N,) at features (N, F)."""
        mean, variance = self.process.predict(self.x(features))
        scale = self.y.scale.double()
        return self.y.inverse(mean)[:, 0], (variance * scale.square())[:, 0]


@dataclass(frozen=True)
class _Response:
    """One response of the designs that were made."""

    mean: Tensor
    std: Tensor
    count: Tensor
    noise: float
    noise_is: str
    process: _ScaledProcess | None
    inflation: float


def _response(
    problem: Problem, designs: Tensor, x: Tensor, y: Tensor, group: Tensor, stated: float | None,
    exact: Tensor,
) -> _Response:  # fmt: skip
    """What is known of one response (N,) of rows of M designs."""
    known = y.isfinite()
    x, y, group = x[known], y[known], group[known]
    count = torch.zeros(len(designs), dtype=torch.float64).index_add_(0, group, torch.ones_like(y))
    total = torch.zeros_like(count).index_add_(0, group, y)
    own = total / count  # NaN where it was never measured
    if bool(exact.isfinite().any()):  # it follows from the design, and nothing else is to be known
        return _Response(exact, torch.zeros_like(exact), count, 0.0, "stated", None, 1.0)
    within = (y - own[group]).square().sum()
    degrees = float((count - 1).clamp(min=0).sum())
    if int((count > 0).sum()) < FEWEST:
        noise = stated
        if noise is None:
            noise = float((within / degrees).sqrt()) if degrees else torch.nan
        spread = torch.full_like(own, noise) / count.sqrt()
        kind = "stated" if stated is not None else "measured" if degrees else ""
        return _Response(own, spread, count, noise, kind, None, 1.0)
    process, left_mean, left_variance = _fitted(problem, x, y, group, stated)
    wrong = (y - left_mean).square()
    if stated is not None:
        noise, kind = stated, "stated"
    else:
        guess = float(wrong.mean())
        pooled = (float(within) + _PRIOR * guess) / (degrees + _PRIOR)
        noise, kind = pooled**0.5, "measured" if degrees else "guessed"
    fitted = float((process.process.noise * process.y.scale.square()).sum())
    inflation = max(1.0, float((wrong / (left_variance + max(noise**2, fitted))).mean()))
    # One value a design of what the others say of it: it is the same for all of its rows
    said = torch.zeros_like(own).index_copy_(0, group, left_mean)
    doubt = torch.zeros_like(own).index_copy_(0, group, left_variance * inflation)
    weight = count / max(noise**2, _LEAST * float(y.var(unbiased=False)), 1e-300)
    some = count > 0
    at = process.predict(problem.designs.encode(designs))
    trust = 1 / doubt.clamp(min=1e-300)
    mean = torch.where(some, (trust * said + weight * own.nan_to_num()) / (trust + weight), at[0])
    variance = torch.where(some, 1 / (trust + weight), at[1] * inflation)
    return _Response(mean, variance.sqrt(), count, noise, kind, process, inflation)


def _fitted(
    problem: Problem, x: Tensor, y: Tensor, group: Tensor, stated: float | None
) -> tuple[_ScaledProcess, Tensor, Tensor]:
    """A process of rows, and its mean and variance (N,) of each row, given other designs' rows."""
    features = problem.designs.encode(x)
    scale_x, scale_y = Normaliser.standard(features), Normaliser.standard(y[:, None])
    unit = float(scale_y.scale[0])
    extra = torch.full((len(y), 1), ((stated or 0.0) / unit) ** 2, dtype=torch.float64)
    process = fit_process(
        GaussianProcessConfig(starts=2), scale_x(features), scale_y(y[:, None]), extra=extra
    )
    mean, variance = process.left_out(group)
    scaled = _ScaledProcess(process, scale_x, scale_y)
    return scaled, scale_y.inverse(mean)[:, 0], variance[:, 0] * unit**2
