"""Gaussian processes in torch: exact, float64, several responses at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.configs.config import Config, Field

Kernel = Literal["matern", "rbf"]
_UNKNOWN = 1e8  # noise of a response that is unknown, in variances of the known ones: no weight
_JITTER = 1e-10
_NUMBERS = 1 << 24  # of a prediction's kernel, held at once


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
        500, ge=2, description="Most rows by which lengths and noise are found."
    )
    steps: int = Field(60, ge=1, description="Most iterations of that, from each of two starts.")
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


class GaussianProcess:
    """A Gaussian process of R responses over F features, given rows; all in scaled units.

    Each response is a process of its own with mean zero, given its parameters.

    References:
        Rasmussen, Williams, Gaussian processes for machine learning, MIT Press 2006, chapters 2, 5.

    Args:
        kernel: of all processes.
        x: (N, F).
        y: (N, R), NaN where it is unknown.
        noise: (N, R), what each row's noise has beside the common one: a factor of it, see below.
        extra: (N, R), further variance of each row's noise.
        parameters: of R processes.

    The noise of row n and response r is exp(parameters.noise[r]) noise[n, r] + extra[n, r].

    Example:
        >>> x = torch.linspace(0, 1, 12, dtype=torch.float64)[:, None]
        >>> process = fit_process(GaussianProcessConfig(), x, (6 * x).sin())
        >>> mean, variance = process.predict(torch.tensor([[0.43]], dtype=torch.float64))
        >>> bool((mean - math.sin(6 * 0.43)).abs() < 0.01)
        True
    """

    def __init__(
        self, kernel: Kernel, x: Tensor, y: Tensor, noise: Tensor, extra: Tensor,
        parameters: Parameters,
    ) -> None:  # fmt: skip
        self.kernel, self.x, self.y, self.parameters = kernel, x, y, parameters
        self.noise, self.extra = noise, extra
        self._length = parameters.length.exp()
        self._signal = parameters.signal.exp()
        self._factor, filled = _factor(kernel, x, y, noise, extra, parameters)
        self._weights = torch.cholesky_solve(filled.T[..., None], self._factor)[..., 0]  # (R, N)

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the processes, without noise, at x (M, F): two (M, R)."""
        means, variances = [], []
        step = max(1, _NUMBERS // max(1, len(self.x) * self.y.shape[1]))
        for part in x.split(step):
            cross = self._signal[:, None, None] * _kernel(self.kernel, part, self.x, self._length)
            means.append((cross @ self._weights[..., None])[..., 0].T)
            with torch.no_grad():
                half = torch.linalg.solve_triangular(self._factor, cross.mT, upper=False)
                left = self._signal[:, None] - half.square().sum(dim=1)
            variances.append(left.clamp(min=0.0).T.expand(-1, self.y.shape[1]))
        return torch.cat(means), torch.cat(variances)

    def state(self) -> dict[str, Tensor]:
        """Rows and parameters; the same factors follow from them."""
        return {
            "x": self.x, "y": self.y, "noise": self.noise, "extra": self.extra,
            "length": self.parameters.length, "signal": self.parameters.signal,
            "log_noise": self.parameters.noise,
        }  # fmt: skip

    @classmethod
    def restore(cls, kernel: Kernel, state: dict[str, Tensor]) -> GaussianProcess:
        """The process that ``state`` came from."""
        parameters = Parameters(state["length"], state["signal"], state["log_noise"])
        x, y, noise, extra = (state[name] for name in ("x", "y", "noise", "extra"))
        return cls(kernel, x, y, noise, extra, parameters)


def fit_process(
    config: GaussianProcessConfig, x: Tensor, y: Tensor, *, noise: Tensor | None = None,
    extra: Tensor | None = None, generator: torch.Generator | None = None,
) -> GaussianProcess:  # fmt: skip
    """A process whose parameters make the rows most likely.

    Args:
        config: kernel, sizes, steps.
        x: (N, F), scaled.
        y: (N, R), scaled; NaN where it is unknown.
        noise: (N, R), factor of the common noise; 1 by default.
        extra: (N, R), further variance of the noise; 0 by default.
        generator: draws rows where there are too many.

    Raises:
        DataError: a response that is never known, or fewer than two rows.
    """
    x, y = x.double(), y.double()
    if len(x) < 2 or bool(y.isnan().all(dim=0).any()):
        raise DataError("a Gaussian process needs two rows, and a known value of each response")
    noise = torch.ones_like(y) if noise is None else noise.double()
    extra = torch.zeros_like(y) if extra is None else extra.double()
    parts = [x, y, noise, extra]
    if len(x) > config.rows:
        rows = torch.randperm(len(x), generator=generator)[: config.rows].to(x.device)
        parts = [part[rows] for part in parts]
    few = [part[: config.tuning_rows] for part in parts]
    if config.kernels == "shared" or (config.kernels == "auto" and _alike(y, noise, extra)):
        parameters = _tuned_together(config, *few)
    else:
        parameters = _tuned(config, *few)
    x, y, noise, extra = parts
    return GaussianProcess(config.kernel, x, y, noise, extra, parameters)


def _alike(y: Tensor, noise: Tensor, extra: Tensor) -> bool:
    """Whether many responses have the same rows and noise."""
    same = all(bool((part == part[:, :1]).all()) for part in (noise, extra))
    return y.shape[1] > 8 and same and not bool(y.isnan().any())


def _starts(config: GaussianProcessConfig, responses: int, x: Tensor) -> list[Tensor]:
    """Two starts (R, F + 2): of long and of short lengths."""
    features = x.shape[1]
    base = math.log(math.sqrt(features))
    starts = []
    for length, noise in ((base + 0.7, -6.0), (base - 0.7, -3.0)):
        start = torch.full((responses, features + 2), length, dtype=torch.float64)
        start[:, -2], start[:, -1] = 0.0, max(noise, math.log(config.least_noise))
        starts.append(start.to(x.device))
    return starts


def _split(config: GaussianProcessConfig, numbers: Tensor) -> Parameters:
    least = math.log(config.least_noise)
    noise = least + torch.nn.functional.softplus(numbers[:, -1] - least)
    return Parameters(numbers[:, :-2].clamp(-6.0, 8.0), numbers[:, -2].clamp(-12.0, 12.0), noise)


def _tuned(
    config: GaussianProcessConfig, x: Tensor, y: Tensor, noise: Tensor, extra: Tensor
) -> Parameters:
    """The most likely parameters of each response by itself; a few responses at a time."""
    step = max(1, _NUMBERS // max(1, 4 * len(x) ** 2))
    parts = []
    for columns in torch.arange(y.shape[1]).split(step):
        own = (y[:, columns], noise[:, columns], extra[:, columns])

        def loss(numbers: Tensor, own: tuple[Tensor, ...] = own) -> Tensor:
            return _loss(config, numbers, x, *own)

        parts.append(_minimised(config, loss, _starts(config, len(columns), x)))
    return _split(config, torch.cat(parts))


def _tuned_together(
    config: GaussianProcessConfig, x: Tensor, y: Tensor, noise: Tensor, extra: Tensor
) -> Parameters:
    """The most likely parameters that all responses share."""

    def loss(numbers: Tensor) -> Tensor:
        return _loss(config, numbers, x, y, noise, extra).mean(dim=0, keepdim=True)

    return _split(config, _minimised(config, loss, _starts(config, 1, x)))


def _loss(
    config: GaussianProcessConfig, numbers: Tensor, x: Tensor, y: Tensor, noise: Tensor,
    extra: Tensor,
) -> Tensor:  # fmt: skip
    """Negative log likelihood of a row, of each response (R,), with a weak prior of the lengths."""
    parameters = _split(config, numbers)
    factor, filled = _factor(config.kernel, x, y, noise, extra, parameters)
    half = torch.linalg.solve_triangular(factor, filled.T[..., None], upper=False)[..., 0]
    logs = factor.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    count = (~y.isnan()).sum(dim=0)
    # What an unknown row adds to the logarithms is no matter of the parameters
    logs = logs - 0.5 * math.log(_UNKNOWN) * (len(y) - count)
    base = math.log(math.sqrt(x.shape[1]))
    prior = 0.5 * ((parameters.length - base) / 2.0).square().sum(dim=1)
    return (0.5 * half.square().sum(dim=1) + logs + prior) / count


def _minimised(
    config: GaussianProcessConfig, loss: Callable[[Tensor], Tensor], starts: list[Tensor]
) -> Tensor:
    """The better end of L-BFGS from each start, response by response."""
    best, lowest = starts[0], torch.full((len(starts[0]),), torch.inf).to(starts[0])
    for start in starts:
        numbers = start.clone().requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            [numbers], max_iter=config.steps, line_search_fn="strong_wolfe", tolerance_change=1e-7
        )

        def closure(numbers: Tensor = numbers, optimiser: torch.optim.LBFGS = optimiser) -> float:
            optimiser.zero_grad()
            total: Tensor = loss(numbers).sum()
            total.backward()
            return float(total.detach())

        optimiser.step(closure)
        with torch.no_grad():
            value = loss(numbers).nan_to_num(torch.inf)
        better = value < lowest
        best = torch.where(better[:, None], numbers.detach(), best)
        lowest = torch.where(better, value, lowest)
    return best


def _factor(
    kernel: Kernel, x: Tensor, y: Tensor, noise: Tensor, extra: Tensor, parameters: Parameters
) -> tuple[Tensor, Tensor]:
    """Cholesky factors (R, N, N) of the rows' covariances, and y with zeros where it is unknown;
    one factor (1, N, N) where all responses share their parameters.
    """
    unknown = y.isnan()
    signal = parameters.signal.exp()[:, None, None]
    covariance = signal * _kernel(kernel, x, x, parameters.length.exp())
    own = parameters.noise.exp()[:, None] * noise.T + extra.T + _JITTER
    own = torch.where(unknown.T, _UNKNOWN, own)
    if len(parameters.noise) < y.shape[1]:  # parameters that all responses share
        own = own[:1]
    covariance = covariance + own.diag_embed()
    return torch.linalg.cholesky(covariance), torch.where(unknown, 0.0, y)


def _kernel(kernel: Kernel, a: Tensor, b: Tensor, length: Tensor) -> Tensor:
    """Correlations (R, M, N) of features (M, F) and (N, F), for lengths (R, F)."""
    left, right = a[None] / length[:, None], b[None] / length[:, None]
    square = left.square().sum(2)[:, :, None] + right.square().sum(2)[:, None] - 2 * left @ right.mT
    square = square.clamp(min=0.0)
    if kernel == "rbf":
        return (-0.5 * square).exp()
    distance = (5 * square + 1e-24).sqrt()  # whose slope at zero would be infinite
    return (1 + distance + distance.square() / 3) * (-distance).exp()
