"""The constraints of a space, as SciPy's optimisers take them: functions of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invcore.plugin import LinearEquality, LinearInequality, Nonlinear
from invcore_closed_loop.arrays import Array
from invcore_closed_loop.problem.coordinates import Coordinates


class SpaceLimits:
    """Linear constraints by their coefficients, expressions by their violation.

    Args:
        coordinates: of the designs.
    """

    def __init__(self, coordinates: Coordinates) -> None:
        self._coordinates = coordinates
        space = coordinates.space
        equal, most = [], []
        for constraint in space.constraints:
            if isinstance(constraint, LinearEquality):
                row = _row(constraint.coefficients, space.names)
                equal.append(np.r_[row, constraint.value])
            elif isinstance(constraint, LinearInequality):
                row = _row(constraint.coefficients, space.names)
                low, high = constraint.ends
                if np.isfinite(high):
                    most.append(np.r_[row, high])
                if np.isfinite(low):
                    most.append(-np.r_[row, low])
        self._equal = np.array(equal).reshape(len(equal), space.dim + 1)
        self._most = np.array(most).reshape(len(most), space.dim + 1)
        self._curved = [i for i, c in enumerate(space.constraints) if isinstance(c, Nonlinear)]

    def constraints(self) -> list[dict[str, Any]]:
        """As ``scipy.optimize.minimize`` takes them, by ``SLSQP``."""
        found: list[dict[str, Any]] = []
        if len(self._equal):
            found.append(self._linear("eq", self._equal))
        if len(self._most):
            found.append(self._linear("ineq", self._most))
        if self._curved:
            found.append({
                "type": "ineq", "fun": lambda u: -self._violation(u)[0],
                "jac": lambda u: -self._violation(u)[1],
            })  # fmt: skip
        return found

    def _linear(self, kind: str, rows: Array) -> dict[str, Any]:
        size = np.abs(rows[:, :-1]) @ np.abs(self._coordinates.width) + 1e-300

        def value(u: Array) -> Array:
            left = rows[:, -1] - rows[:, :-1] @ self._coordinates.values(u[None])[0]
            return left / size

        def slope(u: Array) -> Array:
            change = self._coordinates.value_slopes(u[None])[0]
            return -rows[:, :-1] * change / size[:, None]

        return {"type": kind, "fun": value, "jac": slope}

    def _violation(self, u: Array) -> tuple[Array, Array]:
        values = torch.from_numpy(self._coordinates.values(u[None])).requires_grad_()
        violation = self._coordinates.space.violation(values)[0, self._curved]
        change = self._coordinates.value_slopes(u[None])[0]
        slopes = [
            torch.autograd.grad(part, values, retain_graph=True, allow_unused=True)[0]
            if part.requires_grad
            else None
            for part in violation
        ]
        flat = [np.zeros(len(u)) if s is None else s[0].numpy() * change for s in slopes]
        return violation.detach().numpy(), np.array(flat)


def _row(coefficients: dict[str, float], names: tuple[str, ...]) -> Array:
    return np.array([coefficients.get(name, 0.0) for name in names])
