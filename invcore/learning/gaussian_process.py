"""Gaussian processes in torch: exact, float64, several responses at once."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.learning.processes.kernels import Kernel, correlations, squares
from invcore.learning.processes.parameters import (
    GaussianProcessConfig,
    Parameters,
    Rows,
    factor,
)
from invcore.learning.processes.tuning import tuned

__all__ = ["GaussianProcess", "GaussianProcessConfig", "Parameters", "fit_process"]

_NUMBERS = 1 << 20  # of a prediction's kernel, held at once


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
        >>> import math
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
        self._rows = Rows(x, y, noise, extra)
        self._length = parameters.length.exp()
        self._signal = parameters.signal.exp()
        self._factor = factor(kernel, self._rows, parameters)  # (R, N, N), or (1, N, N)
        filled = self._rows.filled.T[..., None]
        self._weights = torch.cholesky_solve(filled, self._factor)[..., 0]  # (R, N)

    @property
    def noise(self) -> Tensor:
        """Variance of the common noise of each response (R,)."""
        return self.parameters.noise.exp().expand(self.y.shape[1])

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the processes, without noise, at x (M, F): two (M, R)."""
        means, variances = [], []
        for part in x.split(self._step):
            cross = self._cross(part)
            means.append((cross @ self._weights[..., None])[..., 0].T)
            with torch.no_grad():
                half = torch.linalg.solve_triangular(self._factor, cross.mT, upper=False)
                left = self._signal[:, None] - half.square().sum(dim=1)
            variances.append(left.clamp(min=0.0).T.expand(-1, self.y.shape[1]))
        return torch.cat(means), torch.cat(variances)

    def mean(self, x: Tensor) -> Tensor:
        """Mean of the processes at x (M, F): (M, R), without the cost of the variances."""
        parts = x.split(self._step)
        return torch.cat([(self._cross(p) @ self._weights[..., None])[..., 0].T for p in parts])

    @property
    def _step(self) -> int:
        return max(1, _NUMBERS // max(1, len(self.x) * self.y.shape[1]))

    def _cross(self, x: Tensor) -> Tensor:
        """Covariances (R, M, N) of the processes at x (M, F) and at the rows."""
        square = squares(x, self.x, self._length)
        return self._signal[:, None, None] * correlations(self.kernel, square)

    @torch.no_grad()
    def left_out(self, folds: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (N, R) of the processes at each row, given the rows of other folds.

        Parameters stay as they are; nothing is solved anew but a small system for each fold. Of a
        response that is unknown the variance is a rough one.

        References:
            Ginsbourger, Schärer, Fast calculation of Gaussian process multiple-fold
            cross-validation residuals and their covariances, Journal of Computational and Graphical
            Statistics 34, 2025, https://arxiv.org/abs/2101.03108.

        Args:
            folds: (N,), long, the fold of each row.

        Example:
            >>> x = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
            >>> process = fit_process(GaussianProcessConfig(), x, (3 * x).sin())
            >>> mean, _ = process.left_out(torch.arange(9) % 3)
            >>> bool((mean - process.y).abs().max() < 0.1)
            True
        """
        inverse = torch.cholesky_inverse(self._factor)
        own, filled = self._rows.own_variance(self.parameters), self._rows.filled
        mean, variance = torch.empty_like(filled), torch.empty_like(filled)
        for fold in folds.unique():
            out = (folds == fold).nonzero()[:, 0].to(filled.device)
            block = torch.linalg.cholesky(inverse[:, out[:, None], out])
            away = torch.cholesky_solve(self._weights[:, out, None], block)[..., 0]
            mean[out] = filled[out] - away.T
            spread = torch.cholesky_inverse(block).diagonal(dim1=1, dim2=2) - own[:, out]
            variance[out] = spread.clamp(min=0.0).minimum(self._signal[:, None]).T
        return mean, variance

    def state(self) -> dict[str, Tensor]:
        """Rows and parameters; the same factors follow from them."""
        return {
            "x": self.x, "y": self.y, "noise": self._rows.noise, "extra": self._rows.extra,
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
    start: Parameters | None = None, steps: int | None = None,
) -> GaussianProcess:  # fmt: skip
    """A process whose parameters make the rows most likely.

    Args:
        config: kernel, sizes, steps.
        x: (N, F), scaled.
        y: (N, R), scaled; NaN where it is unknown.
        noise: (N, R), factor of the common noise; 1 by default.
        extra: (N, R), further variance of the noise; 0 by default.
        generator: draws rows where there are too many; always the same ones by default.
        start: parameters to begin with, as of a fit to nearly the same rows.
        steps: most of them, instead of the config's; with ``start``, 0 takes it as it is.

    Raises:
        DataError: a response that is never known, or fewer than two rows.
    """
    x, y = x.double(), y.double()
    if len(x) < 2 or bool(y.isnan().all(dim=0).any()):
        raise DataError("a Gaussian process needs two rows, and a known value of each response")
    noise = torch.ones_like(y) if noise is None else noise.double()
    extra = torch.zeros_like(y) if extra is None else extra.double()
    rows = Rows(x, y, noise, extra)
    shared = config.kernels == "shared" or (config.kernels == "auto" and _alike(rows))
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    rows = _drawn(rows, config.rows, generator)
    if start is not None and steps == 0:
        parameters = start
    else:
        few = _drawn(rows, config.tuning_rows, generator)
        parameters = tuned(config, few, shared=shared, start=start, steps=steps)
    return GaussianProcess(config.kernel, rows.x, rows.y, rows.noise, rows.extra, parameters)


def _drawn(rows: Rows, most: int, generator: torch.Generator) -> Rows:
    """So many rows, drawn, in their order; all of them where they are no more."""
    if len(rows) <= most:
        return rows
    return rows[
        torch.randperm(len(rows), generator=generator)[:most].sort().values.to(rows.x.device)
    ]


def _alike(rows: Rows) -> bool:
    """Whether many responses have the same rows and noise."""
    same = all(bool((part == part[:, :1]).all()) for part in (rows.noise, rows.extra))
    return rows.y.shape[1] > 8 and same and not bool(rows.y.isnan().any())
