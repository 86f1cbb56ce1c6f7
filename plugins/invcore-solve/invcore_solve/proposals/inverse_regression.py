"""Inverse regression: where responses are curves, designs follow from them like any response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.learning import GaussianProcess, GaussianProcessConfig, fit_process, substate
from invcore.plugin import Space

Numbers = npt.NDArray[np.float64]

_SCORES = 16
_SURE = 0.9  # standard deviations of designs, within which the regression ranks
_TIE = 1e-3
_ARRAYS = ("centre", "loadings", "middle", "scale", "noise")


@dataclass(frozen=True)
class InverseRegression:
    """A Gaussian process from whitened principal scores of a curve to the features of its design.

    Args:
        centre: (Dy,), mean of the responses.
        loadings: (Dy, S), from centred responses to whitened scores.
        designs: their space.
        middle: (F,), mean of the features.
        scale: (F,), their standard deviations.
        process: F responses over S scores.
        noise: (F,), standard deviation that the process leaves, of scaled features.
    """

    centre: Numbers
    loadings: Numbers
    designs: Space
    middle: Numbers
    scale: Numbers
    process: GaussianProcess
    noise: Numbers

    @classmethod
    def fit(cls, designs: Space, x: Numbers, y: Numbers, seed: int = 0) -> InverseRegression:
        """From rows (N, Dx) and (N, Dy) without NaN."""
        centre, spread = y.mean(axis=0), y.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        _, sizes, directions = np.linalg.svd((y - centre) / spread, full_matrices=False)
        count = min(_SCORES, int((sizes > 1e-9 * sizes[0]).sum()), max(1, len(x) // 3))
        loadings = (directions[:count].T / spread[:, None]) / sizes[:count] * np.sqrt(len(y))
        loadings = np.ascontiguousarray(loadings)  # as it is restored: bit for bit the same
        features = designs.encode(torch.from_numpy(x)).numpy()
        middle, scale = features.mean(axis=0), features.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        scores = torch.from_numpy((y - centre) @ loadings)
        process = fit_process(
            GaussianProcessConfig(),
            scores,
            torch.from_numpy((features - middle) / scale),
            generator=torch.Generator().manual_seed(seed),
        )
        noise = process.parameters.noise.exp().sqrt().numpy()
        noise = np.broadcast_to(noise, middle.shape).copy()
        return cls(centre, loadings, designs, middle, scale, process, noise)

    def features(self, targets: Numbers) -> tuple[Numbers, Numbers]:
        """Mean and standard deviation of the design's scaled features for targets (B, Dy)."""
        mean, variance = self.process.predict(
            torch.from_numpy((targets - self.centre) @ self.loadings)
        )
        return mean.numpy(), np.sqrt(variance.numpy() + np.square(self.noise))

    def propose(self, targets: Numbers, count: int, rng: np.random.Generator) -> Numbers:
        """Designs (B, count, Dx): the expected one, and others as likely as not around it."""
        mean, spread = self.features(targets)
        drawn = rng.standard_normal((len(targets), count, mean.shape[1]))
        drawn[:, 0] = 0.0
        drawn *= np.linspace(0.0, 1.5, count)[:, None] / np.maximum(
            np.linalg.norm(drawn, axis=2, keepdims=True), 1e-300
        )
        features = (mean[:, None] + drawn * spread[:, None]) * self.scale + self.middle
        return self.designs.decode(torch.from_numpy(features)).numpy()

    def preference(self, targets: Numbers, x: Numbers, cost: Numbers) -> Numbers:
        """What designs (N, Dx) cost for targets (N, Dy), where the regression knows better (N,).

        A curve often holds more than what designs decide (drift, scatter), so that a design whose
        predicted curve is near may be far from the right one. Where the regression tells a
        target's design to less than what designs vary anyway, the squared distance from it
        counts, in its own standard deviations; elsewhere the expected squared distance of
        responses, on which the regression's answers are no better than others.
        """
        mean, spread = self.features(targets)
        features = (self.designs.encode(torch.from_numpy(x)).numpy() - self.middle) / self.scale
        away = np.square((features - mean) / spread).mean(axis=1)
        sure = np.sqrt(np.square(spread).mean(axis=1)) < _SURE
        return np.where(sure, away + _TIE * cost, cost)

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        own = {name: getattr(self, name) for name in _ARRAYS}
        state = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in own.items()}
        return state | {f"process.{name}": v for name, v in self.process.state().items()}

    @classmethod
    def restore(cls, designs: Space, state: dict[str, Tensor]) -> InverseRegression:
        """The regression that ``state`` came from."""
        own = {
            n: state[n].cpu().numpy() for n in ("centre", "loadings", "middle", "scale", "noise")
        }
        process = GaussianProcess.restore("matern", substate(state, "process."))
        return cls(own["centre"], own["loadings"], designs, own["middle"], own["scale"], process,
                   own["noise"])  # fmt: skip
