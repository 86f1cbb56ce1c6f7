"""A judge that stacks surrogates, and vouches for its error as rows that were held out do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import ConfigError, FittedJudge, FittedSurrogate, Space, Targets, Verdict
from invcore_solve.judging.error_scale import scale_of, spread_features
from invcore_solve.judging.probability.scenarios import Scenarios
from invcore_solve.judging.probability.targets import chance
from invcore_solve.judging.response_codes import ResponseCodes
from invcore_solve.judging.selection import supported_level, weighted_quantile
from invcore_solve.judging.threads import one_thread
from invcore_solve.typicality.neighbourhood import Neighbourhood

Numbers = npt.NDArray[np.float64]

_ROWS = 4000  # predicted at once
_LATENT = 0.05  # least share of a measurement's variance that is not its noise


@dataclass(frozen=True)
class Calibration:
    """What rows that were held out say of the error.

    Args:
        residuals: (R, Dy), response less prediction, over its standard deviation; NaN where the
            response is unknown.
        picks: (R,), how often a ranking picks each row, in sum one.
    """

    residuals: Numbers
    picks: Numbers

    @cached_property
    def largest(self) -> Numbers:
        """For each row (R,) its largest residual over the responses."""
        return np.nanmax(np.abs(self.residuals), axis=1)

    @cached_property
    def size(self) -> Numbers:
        """Root mean square of the picked rows' residuals (Dy,)."""
        square = np.square(self.residuals)
        known = ~np.isnan(square)
        weight = self.picks[:, None] * known
        total = np.maximum(weight.sum(axis=0), 1e-300)
        return np.sqrt((weight * np.where(known, square, 0.0)).sum(axis=0) / total)


@dataclass(frozen=True)
class KnownRows:
    """Designs that were measured, and what a new measurement of each would give.

    Args:
        x: (M, Dx), different designs, in the order of ``np.unique``.
        mean: (M, Dy), of the prediction without the design's rows and of its measurements, each
            weighted by its certainty.
        spread: (M, Dy), standard deviation of a new measurement around it.
        latent: (M, Dy), of the true response around it.
    """

    x: Numbers
    mean: Numbers
    spread: Numbers
    latent: Numbers

    def find(self, x: Numbers) -> npt.NDArray[np.intp]:
        """For each design (N, Dx) its position among the known, or -1."""
        known, asked = _keys(self.x), _keys(x)
        order = np.argsort(known)
        place = np.searchsorted(known, asked, sorter=order).clip(0, len(known) - 1)
        found = order[place]
        return np.where(known[found] == asked, found, -1)


def _keys(x: Numbers) -> npt.NDArray[np.void]:
    rows = np.ascontiguousarray(x + 0.0)  # a negative zero is a zero
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)


@dataclass(frozen=True)
class FittedStack(FittedJudge):
    """Surrogates that are weighted by how well they predict rows that they did not see.

    Args:
        members: fitted to all rows, in codes.
        names: of the members.
        codes: between responses and codes.
        weights: (M, C), of the members for each code.
        coefficients: (C, 4), of the error's scale.
        floor: (C,), standard deviation of measurements, which no error is under.
        calibration: what held-out rows say.
        known: designs that were measured.
        coverage: the level that is stated where none is asked for.
        held_out: (M + 1, N, Dy), predictions of each member, and of all together, of the N rows
            that they were fitted to, by fits that did not see them.
        y: (N, Dy), responses of these rows.
        neighbourhood: of the designs that were measured; None where distances say nothing.
    """

    members: tuple[FittedSurrogate, ...]
    names: tuple[str, ...]
    codes: ResponseCodes
    weights: Numbers
    coefficients: Numbers
    floor: Numbers
    calibration: Calibration
    known: KnownRows
    coverage: float
    held_out: Numbers
    y: Numbers
    neighbourhood: Neighbourhood | None = None

    @property
    def held_out_errors(self) -> Tensor:
        """How far predictions of rows were off (N, Dy) that no fit had seen."""
        return torch.from_numpy(np.abs(self.held_out[-1] - self.y))

    @property
    def member_errors(self) -> Numbers:
        """Mean of that for each member, and for all together (M + 1, Dy)."""
        return np.nanmean(np.abs(self.held_out - self.y), axis=1)

    @property
    def supported(self) -> float:
        """The highest level that the rows can vouch for."""
        return supported_level(self.calibration.picks)

    def factor(self, level: float) -> float:
        """Error over standard deviation, for all responses of a design at once.

        Raises:
            ConfigError: a level that is no share, or that the rows do not support.
        """
        if not 0 < level < 1:
            raise ConfigError(f"level: expected a number between 0 and 1, got {level}")
        if level > self.supported:
            raise ConfigError(f"level {level}: the rows support {self.supported:.3g} at most")
        return weighted_quantile(self.calibration.largest, self.calibration.picks, level)

    def predict(self, x: Tensor, level: float | None = None) -> Verdict:
        """The weighted mean, and the error that covers picked rows, all responses at once.

        Without a level it is the one that the settings say, or as much as the rows support.
        """
        factor = self.factor(min(self.coverage, self.supported) if level is None else level)
        mean, spread, latent = self._all_moments(x)
        size = self.calibration.size
        return Verdict(
            torch.from_numpy(mean),
            torch.from_numpy(spread * factor),
            torch.from_numpy(latent * size),
        )

    def moments(self, x: Tensor) -> tuple[Numbers, Numbers]:
        """Mean and standard deviation of measurements of designs (N, Dx): two (N, Dy)."""
        mean, spread, _ = self._all_moments(x)
        return mean, spread

    def _all_moments(self, x: Tensor) -> tuple[Numbers, Numbers, Numbers]:
        """Mean, standard deviation of a measurement, and of the true response: three (N, Dy)."""
        with one_thread():
            parts = [self._moments(part) for part in x.detach().cpu().double().split(_ROWS)]
        mean, spread, latent = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return mean, spread, latent

    def _moments(self, x: Tensor) -> tuple[Numbers, Numbers, Numbers]:
        predictions = [member.predict(x) for member in self.members]
        means = np.stack([p.mean.numpy() for p in predictions])  # (M, N, C)
        variances = np.stack([p.std.square().numpy() for p in predictions])
        mean, spread = combine(
            means, variances, self.weights, self.coefficients, self.floor, self.codes.zero
        )
        y, s = self.codes.decode(mean), self.codes.spread(mean, spread)
        latent = self.codes.spread(mean, without_noise(spread, self.floor))
        found = self.known.find(x.numpy())
        if (found >= 0).any():
            rows = np.flatnonzero(found >= 0)
            y[rows], s[rows] = self.known.mean[found[rows]], self.known.spread[found[rows]]
            latent[rows] = self.known.latent[found[rows]]
        return y, s, latent

    def scenarios(self, x: Tensor) -> Scenarios:
        """What measurements of designs (N, Dx) may give, by the errors of picked rows.

        Errors grow with the distance to the rows where that is more than rows keep.
        """
        mean, spread = self.moments(x)
        if self.neighbourhood is not None:
            apart = self.neighbourhood.distance(x.detach().cpu().double().numpy())
            away = apart / max(self.neighbourhood.limit, np.finfo(np.float64).tiny)
            spread = spread * np.maximum(away, 1.0)[:, None]
        picked = np.flatnonzero(self.calibration.picks > 0)
        residuals, picks = self.calibration.residuals[picked], self.calibration.picks[picked]
        return Scenarios(mean, spread, residuals, picks / picks.sum())

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The share of picked rows whose errors, at a design, would meet its target.

        A row's errors of all responses count together, so that it is joint over responses.
        """
        return chance(self.scenarios(x.flatten(0, 1)), targets, x.shape[1])

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        own = {
            "weights": self.weights, "coefficients": self.coefficients, "floor": self.floor,
            "held_out": self.held_out, "y": self.y, "residuals": self.calibration.residuals,
            "picks": self.calibration.picks, "known.x": self.known.x,
            "known.mean": self.known.mean, "known.spread": self.known.spread,
            "known.latent": self.known.latent,
        }  # fmt: skip
        state = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in own.items()}
        state |= {f"codes.{name}": value for name, value in self.codes.state().items()}
        for i, member in enumerate(self.members):
            state |= {f"{i}.{name}": value for name, value in member.state().items()}
        return state


def without_noise(spread: Numbers, floor: Numbers) -> Numbers:
    """Standard deviations (N, C) of what is measured, without those of measurements (C,)."""
    variance = np.square(spread)
    return np.sqrt(np.maximum(variance - np.square(floor), _LATENT * variance))


def combine(
    means: Numbers, variances: Numbers, weights: Numbers, coefficients: Numbers, floor: Numbers,
    zero: Numbers,
) -> tuple[Numbers, Numbers]:  # fmt: skip
    """Codes and their standard deviations, two (N, C), from those of members (M, N, C)."""
    mean = np.einsum("mnc,mc->nc", means, weights)
    spread = np.empty_like(mean)
    for c in range(mean.shape[1]):
        own = (means[:, :, c], variances[:, :, c], weights[:, c], float(zero[c]))
        features = spread_features(*own)
        spread[:, c] = scale_of(coefficients[c], features, float(floor[c]))
    return mean, spread


def restore_stack(
    state: dict[str, Tensor], members: Sequence[FittedSurrogate], names: Sequence[str],
    codes: ResponseCodes, coverage: float, designs: Space,
) -> FittedStack:  # fmt: skip
    """The judge that ``state`` came from, with its members restored."""
    own = {name: value.cpu().numpy() for name, value in state.items() if value.ndim}
    neighbourhood = Neighbourhood.of(designs, own["known.x"])
    return FittedStack(
        tuple(members), tuple(names), codes, own["weights"], own["coefficients"], own["floor"],
        Calibration(own["residuals"], own["picks"]),
        KnownRows(*(own[f"known.{name}"] for name in ("x", "mean", "spread", "latent"))), coverage,
        own["held_out"], own["y"], neighbourhood,
    )  # fmt: skip
