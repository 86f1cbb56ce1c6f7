"""Settings and parameters of Gaussian processes, and the covariance that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from invcore.configs.config import Config, Field
from invcore.learning.processes.kernels import Kernel, correlations, squares

UNKNOWN = 1e8
"""Noise of a response that is unknown, in variances of the known ones: no weight."""
JITTER = 1e-10


class GaussianProcessConfig(Config):
    """Settings of a Gaussian process."""

    kernel: Kernel = Field(
        "matern", description="matern: with smoothness 5/2; rbf: infinitely smooth."
    )
    kernels: Literal["auto", "each", "shared"] = Field(
        "auto",
        description="each: every response has lengths of its own; shared: all have the same, which "
        "is cheaper; auto: each for at most 8 responses, or where some are unknown.",
    )
    rows: int = Field(
        2000, ge=2, description="Most rows it rests on; of more, so many are drawn: cost grows as "
        "their cube."
    )  # fmt: skip
    tuning_rows: int = Field(
        800, ge=2, description="Most rows by which lengths and noise are found."
    )
    steps: int = Field(60, ge=1, description="Most iterations of that, from each start.")
    starts: int = Field(
        1, ge=1, le=2, description="1: from short lengths and some noise; 2: from long lengths and "
        "little noise as well, and the likelier end is kept."
    )  # fmt: skip
    least_noise: float = Field(
        1e-8, gt=0, description="Least variance of the noise, in variances of the response."
    )


@dataclass(frozen=True)
class Parameters:
    """What is found of R responses' processes; all numbers are logarithms.

    Args:
        length: (R, F), of each feature; (1, F) where all responses share what follows.
        signal: (R,) or (1,), variance of the process.
        noise: (R,) or (1,), variance of the noise.
    """

    length: Tensor
    signal: Tensor
    noise: Tensor


@dataclass(frozen=True)
class Rows:
    """What is known of N rows and R responses; all in scaled units.

    Args:
        x: (N, F).
        y: (N, R), NaN where it is unknown.
        noise: (N, R), factor of the common noise.
        extra: (N, R), further variance of the noise.
    """

    x: Tensor
    y: Tensor
    noise: Tensor
    extra: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Tensor) -> Rows:
        return Rows(self.x[rows], self.y[rows], self.noise[rows], self.extra[rows])

    def responses(self, columns: Tensor) -> Rows:
        """The same rows with some of the responses."""
        return Rows(self.x, self.y[:, columns], self.noise[:, columns], self.extra[:, columns])

    @property
    def filled(self) -> Tensor:
        """Responses (N, R) with zeros where they are unknown."""
        return torch.where(self.y.isnan(), 0.0, self.y)

    def own_variance(self, parameters: Parameters) -> Tensor:
        """What each measured row varies by itself (R, N); (1, N) where parameters are shared."""
        own = parameters.noise.exp()[:, None] * self.noise.T + self.extra.T + JITTER
        own = torch.where(self.y.T.isnan(), UNKNOWN, own)
        return own[:1] if len(parameters.noise) < self.y.shape[1] else own


def factor(kernel: Kernel, rows: Rows, parameters: Parameters) -> Tensor:
    """Cholesky factors (R, N, N) of the rows' covariances; one where parameters are shared.

    Where rounding leaves a covariance that is not positive, its diagonal is raised until it is.
    """
    signal = parameters.signal.exp()[:, None, None]
    square = squares(rows.x, rows.x, parameters.length.exp())
    covariance = signal * correlations(kernel, square)
    covariance.diagonal(dim1=1, dim2=2).add_(rows.own_variance(parameters))
    lower, failed = torch.linalg.cholesky_ex(covariance)
    raised = 10 * JITTER
    while bool(failed.any()):
        more = torch.where(failed > 0, raised, 0.0)[:, None] * signal[:, 0]
        covariance.diagonal(dim1=1, dim2=2).add_(more)
        lower, failed = torch.linalg.cholesky_ex(covariance)
        raised *= 10
    return lower
