"""What the loop expects of designs: a process over the components of warped responses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invcore_closed_loop.arrays import Array
from invcore_closed_loop.coordinates import Coordinates
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.process import KERNELS, Limits, Process, tuned, usual_length
from invcore_closed_loop.surrogates.warp import Warp

_TUNING_ROWS = 400  # by which lengths are found
_RETUNE, _ALWAYS, _AT_LATEST = 1.1, 40, 40  # growth, rows up to which, and rows after which
_SEVERAL = 60  # rows up to which the search for lengths begins anew as well


@dataclass
class Tuning:
    """What is kept of one fit for the next.

    Args:
        parameters: (2, F + 1), the best ones of each kernel; None: not found yet.
        kernel: the likelier one, by its place.
        rows: at how many they were found.
    """

    parameters: Array | None = None
    kernel: int = 0
    rows: int = 0


class ResponseSurrogate:
    """A process that is fitted to rows, as the loop sees it: coordinates in, components out.

    Args:
        coordinates: of the designs.
        u: (N, D), coordinates of the rows.
        context: (N, C), what is known of each row's problem.
        y: (N, Dy), responses.
        tuning: of the last fit; is changed.
        random: draws rows by which lengths are found.
        limits: of the lengths and the noise.
        tune: whether lengths may be found anew.
    """

    def __init__(
        self, coordinates: Coordinates, u: Array, context: Array, y: Array, tuning: Tuning,
        random: np.random.Generator, limits: Limits | None = None, tune: bool = True,
    ) -> None:  # fmt: skip
        self.coordinates = coordinates
        self.warp = Warp.of(y)
        warped = self.warp(y)
        self.components = Components.of(warped)
        z = self.components(warped)
        x = np.concatenate([coordinates.features(u), context], axis=1)
        limits = limits or Limits()
        if tune and _due(tuning, len(x)):
            _tune(tuning, x, z, random, limits)
        assert tuning.parameters is not None
        kernel = KERNELS[tuning.kernel]
        self.process = Process(kernel, x, z, tuning.parameters[tuning.kernel])

    def _features(self, u: Array, context: Array) -> Array:
        return np.concatenate([self.coordinates.features(u), context], axis=1)

    def mean(self, u: Array, context: Array) -> Array:
        """Components (M, K) that are expected at coordinates (M, D)."""
        return self.process.mean(self._features(u, context))

    def mean_and_slopes(self, u: Array, context: Array) -> tuple[Array, Array]:
        """Components (M, K), and their slopes (M, K, D) by the coordinates."""
        z, slopes = self.process.mean_and_slopes(self._features(u, context))
        own = slopes[..., : len(self.coordinates.owner)]
        return z, self.coordinates.slopes(u, own)

    def deviation(self, u: Array, context: Array) -> Array:
        """Standard deviations (M, K) of the components."""
        doubt = self.process.doubt(self._features(u, context))
        return np.sqrt(np.outer(doubt, self.process.variance))

    def responses(self, u: Array, context: Array) -> Array:
        """Responses (M, Dy) that are expected, as they are measured."""
        return self.warp.back(self.components.responses(self.mean(u, context)))

    def response_slopes(self, u: Array, context: Array, y: Array) -> Array:
        """Slopes (M, Dy, D) of the responses, where these are y (M, Dy)."""
        slopes = self.components.basis @ self.mean_and_slopes(u, context)[1]
        result: Array = slopes / self.warp.slope(y)[..., None]
        return result


def _due(tuning: Tuning, rows: int) -> bool:
    """Whether lengths are to be found again."""
    if tuning.parameters is None or tuning.rows <= _ALWAYS:
        return True
    return rows >= _RETUNE * tuning.rows or rows - tuning.rows >= _AT_LATEST


def _tune(
    tuning: Tuning, x: Array, z: Array, random: np.random.Generator, limits: Limits
) -> None:
    count = len(x)
    if count > _TUNING_ROWS:
        some = random.choice(count, _TUNING_ROWS, replace=False)
        x, z = x[some], z[some]
    usual = np.r_[np.full(x.shape[1], usual_length(x.shape[1])), np.log(1e-7)]
    ends = []
    for place, kernel in enumerate(KERNELS):
        starts = [usual if tuning.parameters is None else tuning.parameters[place]]
        if tuning.parameters is not None and place == 0 and count < _SEVERAL:
            starts.append(usual)
        ends.append(tuned(kernel, x, z, starts, limits))
    tuning.parameters = np.stack([end[1] for end in ends])
    tuning.kernel = int(np.argmin([end[0] for end in ends]))
    tuning.rows = count
