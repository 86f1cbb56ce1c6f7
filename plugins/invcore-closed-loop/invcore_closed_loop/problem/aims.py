"""What targets want, as arrays: of responses as they are measured, and as a surrogate has them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from invcore.plugin import Targets
from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.warp import Warp

_NUMBERS = 1 << 22  # held at once


class Aims:
    """The targets of a loop.

    An error is the sum of squared ``violation`` times ``share``: of exact targets the mean squared
    difference, of others the weighted mean of squared violations in units of their tolerances.

    Args:
        targets: T of them, measured in the responses' spread.
    """

    def __init__(self, targets: Targets) -> None:
        self.targets, self.exact = targets, targets.exact
        self.low: Array = targets.low.double().numpy()
        self.high: Array = targets.high.double().numpy()
        self.wanted: Flags = targets.wanted.numpy()
        """Which responses have an interval to meet (T, Dy)."""
        if self.exact:
            share = torch.full(targets.low.shape, 1.0 / max(1, targets.low.shape[1])).double()
        else:
            weight = torch.where(targets.wanted, targets.weight.double(), 0.0)
            total = weight.sum(dim=1, keepdim=True).clamp(min=1e-300)
            share = weight / total / targets.scale.double().square()
        self.share: Array = share.numpy()
        self.weight: Array = targets.weight.double().numpy()
        self.spread: Array = targets.spread.double().expand(targets.low.shape[1]).numpy()
        probe = targets.goals(torch.ones(targets.low.shape, dtype=torch.float64))
        self.signs: Array = probe.numpy()
        """(T, Dy): 1 for responses to minimise, -1 to maximise, else 0."""
        self.with_goals: Flags = (self.signs != 0).any(axis=1)
        """Which targets have goals (T,)."""

    def __len__(self) -> int:
        return len(self.low)

    def errors(self, y: Array, who: Places) -> Array:
        """Errors (M,) of responses (M, Dy) for targets (M,)."""
        return self._sum(y, who)

    def errors_of_all(self, y: Array) -> Array:
        """Errors (T, N) of responses (N, Dy) for every target."""
        step = max(1, _NUMBERS // max(1, y.size))
        parts = [
            self._sum(y[None], np.arange(first, min(first + step, len(self))))
            for first in range(0, len(self), step)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(y)))

    def met(self, y: Array, target: int) -> Flags:
        """Which responses (M, Dy) meet all that a target limits (M,)."""
        own = self.targets[target : target + 1]
        good: Flags = own.met(torch.from_numpy(y)[None])[0].numpy()
        return good

    def objectives_of_all(self, y: Array) -> Array:
        """What searches make small (T, N): errors, and the goals of rows that meet all."""
        value = self.errors_of_all(y)
        for target in np.nonzero(self.with_goals)[0]:
            own = self.targets[target : target + 1]
            value[target] = own.objective(torch.from_numpy(y)[None])[0].numpy()
        return value

    def _sum(self, y: Array, who: Places) -> Array:
        low, high, share = self.low[who], self.high[who], self.share[who]
        if y.ndim == 3:
            low, high, share = low[:, None], high[:, None], share[:, None]
        square = np.square(y - np.clip(y, low, high))
        result: Array = np.where(share > 0, square * share, 0.0).sum(axis=-1)
        return result

    def residuals(self, y: Array, who: Places) -> tuple[Array, Flags]:
        """Violations (M, Dy) whose squares are the errors, and where they have a slope."""
        away = y - np.clip(y, self.low[who], self.high[who])
        weight = np.sqrt(self.share[who])
        active = (away != 0) | (self.low[who] == self.high[who])
        return np.where(weight > 0, away * weight, 0.0), active & (weight > 0)


class SurrogateAims:
    """The same, of a surrogate's components.

    Args:
        aims: of the responses as they are measured.
        warp: of the responses.
        components: of the warped responses.
    """

    def __init__(self, aims: Aims, warp: Warp, components: Components) -> None:
        self._aims, self._components, self._warp = aims, components, warp
        self._low, self._high = warp(aims.low), warp(aims.high)
        self._weight = np.sqrt(aims.share)
        # Equal weights, and a basis that keeps distances: components say it all
        self._short = aims.exact
        if self._short:
            self._weight = np.full(aims.share.shape[:1], np.sqrt(aims.share[0, 0]))
            self._z = components(self._low)
            away = np.square(self._low - components.centre).sum(axis=1)
            self._rest = np.maximum(away - np.square(self._z).sum(axis=1), 0.0)
            self._rest *= self._weight**2

    def errors_of_rows(self, y: Array, who: Places) -> Array:
        """Errors (M,) of measured responses (M, Dy), warped, for targets (M,)."""
        away = self._away(self._warp(y), who)
        result: Array = np.square(away).sum(axis=-1)
        return result

    def _away(self, y: Array, who: Places) -> Array:
        low, high, weight = self._low[who], self._high[who], self._weight[who]
        if self._short:
            weight = weight[:, None]
        while low.ndim < y.ndim:
            low, high, weight = low[..., None, :], high[..., None, :], weight[..., None, :]
        away: Array = np.where(weight > 0, (y - np.clip(y, low, high)) * weight, 0.0)
        return away

    def residuals(
        self, who: Places, expected: Callable[[Array, Places], tuple[Array, Array]]
    ) -> Callable[[Array, Places], tuple[Array, Array]]:
        """Residuals and slopes of starts that are for targets ``who`` (M,), for least squares."""

        def short(u: Array, rows: Places) -> tuple[Array, Array]:
            z, slopes = expected(u, rows)
            return z - self._z[who[rows]], slopes

        def full(u: Array, rows: Places) -> tuple[Array, Array]:
            z, slopes = expected(u, rows)
            away = self._away(self._components.responses(z), who[rows])
            exact = self._low[who[rows]] == self._high[who[rows]]
            active = np.where((away != 0) | exact, self._weight[who[rows]], 0.0)
            return away, active[..., None] * (self._components.basis @ slopes)

        return short if self._short else full

    def sampled_errors(self, z: Array, deviation: Array, who: Places, normals: Array) -> Array:
        """Errors (M, S) of S samples of designs whose components are z (M, K) ± deviation.

        Args:
            z: (M, K).
            deviation: (M, K).
            who: (M,), their targets.
            normals: (S, K), the same for all.
        """
        if self._short:
            away = z - self._z[who]
            square = np.square(away).sum(1)[:, None] + 2 * (away * deviation) @ normals.T
            square += np.square(deviation) @ np.square(normals).T
            weight = np.square(self._weight[who])[:, None]
            return np.maximum(square, 0.0) * weight + self._rest[who][:, None]
        width = self._low.shape[1]
        step = max(1, _NUMBERS // (width * len(normals)))
        parts = []
        for first in range(0, len(z), step):
            rows = slice(first, first + step)
            samples = z[rows, None] + deviation[rows, None] * normals
            away = self._away(self._components.responses(samples), who[rows])
            parts.append(np.square(away).sum(axis=-1))
        return np.concatenate(parts)
