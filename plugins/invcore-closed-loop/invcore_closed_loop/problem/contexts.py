"""What is known of each target's problem, as features of a surrogate."""

from __future__ import annotations

import numpy as np

from invcore.plugin import Targets
from invcore_closed_loop.arrays import Array, Flags, Places

_ALIKE = 1e-12


class Contexts:
    """Problem contexts of T targets, in one scale.

    Args:
        targets: T of them.
    """

    def __init__(self, targets: Targets) -> None:
        parts = [
            value.detach().cpu().double().reshape(len(targets), -1).numpy()
            for _, value in sorted((targets.context or {}).items())
        ]
        flat = np.concatenate(parts, axis=1) if parts else np.empty((len(targets), 0))
        centre, spread = flat.mean(axis=0), flat.std(axis=0)
        varies = spread > _ALIKE * (1.0 + np.abs(centre))
        self.features: Array = (flat[:, varies] - centre[varies]) / (4.0 * spread[varies])
        """(T, C); of what differs between targets alone."""
        self.shared = not bool(varies.any())
        """Whether a row serves every target."""
        self.given = bool(parts)

    def of_rows(self, owner: Places) -> Array:
        """Features (N, C) of rows of targets (N,)."""
        return self.features[np.maximum(owner, 0)]

    def serving(self, owner: Places) -> Flags:
        """Which rows (T, N) are measurements of each target's own problem."""
        if self.shared:
            return np.ones((len(self.features), len(owner)), dtype=bool)
        alike = (self.features[:, None] == self.of_rows(owner)[None]).all(axis=2)
        return alike & (owner >= 0)
