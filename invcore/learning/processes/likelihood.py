"""How unlikely rows are under parameters, with the slope of that, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.learning.processes.kernels import Kernel, correlations_and_slopes, squares
from invcore.learning.processes.parameters import UNKNOWN, Parameters, Rows

_LENGTHS, _SIGNALS = (-6.0, 8.0), (-12.0, 12.0)


@dataclass(frozen=True)
class Loss:
    """Negative logarithm of the posterior of numbers (R, F + 2), given rows; and its gradient.

    Numbers are logarithms of lengths, of the signal's variance and, smoothly kept above the least
    one, of the noise's. Their priors are weak normal distributions.

    References:
        Rasmussen, Williams, Gaussian processes for machine learning, MIT Press 2006, section 5.4.1.

    Args:
        kernel: of all processes.
        rows: N rows of R responses.
        least_noise: least variance of the noise.
        shared: whether one set of numbers (1, F + 2) is that of all responses: a mean over them.
    """

    kernel: Kernel
    rows: Rows
    least_noise: float
    shared: bool = False

    def parameters(self, numbers: Tensor) -> Parameters:
        """Of numbers (R, F + 2)."""
        least = math.log(self.least_noise)
        noise = least + torch.nn.functional.softplus(numbers[:, -1] - least)
        return Parameters(numbers[:, :-2].clamp(*_LENGTHS), numbers[:, -2].clamp(*_SIGNALS), noise)

    def numbers(self, parameters: Parameters) -> Tensor:
        """Numbers (R, F + 2) that such parameters come from."""
        least = math.log(self.least_noise)
        above = (parameters.noise - least).clamp(min=1e-6)
        noise = least + above + (-(-above).exp()).log1p()  # the inverse of softplus
        columns = [parameters.length, parameters.signal[:, None], noise[:, None]]
        return torch.cat(columns, dim=1)

    def __call__(self, numbers: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Values (A,), infinite where a covariance is not positive, and slopes (A, F + 2), of
        numbers (A, F + 2) of the responses ``columns`` (A,).
        """
        rows = self.rows if self.shared else self.rows.responses(columns)
        found = self.parameters(numbers)
        value, slope = self._likelihood(rows, found)
        centre, width = _prior(numbers)
        away = torch.cat([numbers[:, :-1], found.noise[:, None]], dim=1) - centre
        value = value + 0.5 * (away / width).square().sum(dim=1)
        pull = away / width.square()
        inside = (numbers[:, :-2] > _LENGTHS[0]) & (numbers[:, :-2] < _LENGTHS[1])
        slope[:, :-2] *= inside
        slope = slope + pull
        slope[:, -1] *= (numbers[:, -1] - math.log(self.least_noise)).sigmoid()
        return value, slope

    def _likelihood(self, rows: Rows, found: Parameters) -> tuple[Tensor, Tensor]:
        """Negative log likelihood (A,), and slopes (A, F + 2) by the parameters' logarithms."""
        length, signal = found.length.exp(), found.signal.exp()[:, None, None]
        correlation, slope = correlations_and_slopes(
            self.kernel, squares(rows.x, rows.x, length)
        )  # (A, N, N)
        own = rows.own_variance(found)
        covariance = signal * correlation
        covariance.diagonal(dim1=1, dim2=2).add_(own)
        lower, failed = torch.linalg.cholesky_ex(covariance)
        if bool(failed.any()):
            unit = torch.eye(len(rows)).to(lower)
            lower = torch.where((failed > 0)[:, None, None], unit, lower)
        y = rows.filled[None] if self.shared else rows.filled.T[..., None]  # (A, N, C)
        weights = torch.cholesky_solve(y, lower)
        unknown = rows.y.T.isnan()[: len(own)]
        # What an unknown row adds to the logarithms is no matter of the parameters
        logs = lower.diagonal(dim1=1, dim2=2).log() - unknown * (0.5 * math.log(UNKNOWN))
        value = 0.5 * (y * weights).sum(dim=(1, 2)) / y.shape[2] + logs.sum(dim=1)

        # Half the trace of (K⁻¹ - α αᵀ) dK, for the dK of each parameter
        pull = torch.cholesky_inverse(lower)
        pull.baddbmm_(weights, weights.mT, alpha=-1.0 / y.shape[2])
        diagonal = pull.diagonal(dim1=1, dim2=2).clone()
        common = torch.where(unknown, 0.0, found.noise.exp()[:, None] * rows.noise.T[: len(own)])
        by_noise = 0.5 * (diagonal * common).sum(dim=1)
        by_signal = 0.5 * ((pull * covariance).sum(dim=(1, 2)) - (diagonal * own).sum(dim=1))
        pull = pull.mul_(slope).mul_(signal)
        z = rows.x[None] / length[:, None]  # (A, N, F)
        by_length = pull.sum(dim=2)[..., None] * z.square() - z * (pull @ z)
        parts = [by_length.sum(dim=1), by_signal[:, None], by_noise[:, None]]
        return torch.where(failed > 0, torch.inf, value), torch.cat(parts, dim=1)


def _prior(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Centres and widths (F + 2,) of the numbers' prior."""
    centre, width = torch.zeros_like(numbers[0]), torch.full_like(numbers[0], 1.5)
    centre[:-2] = math.log(1.5 * math.sqrt(max(1, numbers.shape[1] - 2)))
    centre[-1], width[-1] = -5.0, 3.0
    return centre, width
