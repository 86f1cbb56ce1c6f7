"""Which responses are learnt as logarithms: those where held-out rows are likelier that way."""

from __future__ import annotations

from collections.abc import Sequence

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import (
    FitEnvironment,
    Pairs,
    Problem,
    Space,
    SurrogateModel,
    UnknownNameError,
    close_names,
)

_ROWS = 200  # that decide
_RATIO = 5.0  # largest over smallest response, from which on it is asked
_CLEAR = 0.02  # gain in mean log likelihood of a row, from which on a logarithm is taken


def learnt_as_logarithms(
    choice: str | Sequence[str], problem: Problem, pairs: Pairs, fold: npt.NDArray[np.intp],
    model: SurrogateModel[Any], env: FitEnvironment,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """For each response (Dy,) whether its logarithm is learnt.

    A normal error of the logarithm is compared with one of the response itself, by the likelihood
    of held-out rows, where all responses are positive and spread over a factor of five.

    Args:
        choice: ``auto``, ``never``, or names of responses.
        problem: the spaces.
        pairs: the rows.
        fold: (N,), of each row.
        model: that predicts rows.
        env: as for a fit.

    Raises:
        UnknownNameError: a name that no response has.
    """
    names, y = problem.responses.names, pairs.y.numpy()
    if choice == "never":
        return np.zeros(len(names), dtype=bool)
    if choice != "auto":
        for name in choice:
            if name not in names:
                raise UnknownNameError(f"no response {name!r}. {close_names(name, names)}")
        return np.array([name in choice for name in names])
    low, high = np.nanmin(y, axis=0), np.nanmax(y, axis=0)
    asked = (low > 0) & (high > _RATIO * np.maximum(low, 1e-300))
    result = np.zeros(len(names), dtype=bool)
    if not asked.any() or len(names) > 12:
        return result
    rng = np.random.default_rng(env.derive("logarithms"))
    rows = np.sort(rng.permutation(len(pairs))[:_ROWS])
    part = pairs[torch.from_numpy(rows)]
    few = torch.from_numpy(np.unique(fold[rows], return_inverse=True)[1].reshape(-1) % 5)
    for i in np.flatnonzero(asked):
        known = ~part.y[:, i].isnan()
        own = part[known]
        values = own.y[:, [i]]
        plain, logs = (_held_out(problem, own.x, v, few[known], model, env)
                       for v in (values, values.log()))  # fmt: skip
        gain = 0.5 * (np.log(plain) - np.log(logs)) - float(values.log().mean())
        result[i] = gain > _CLEAR
    return result


def _held_out(
    problem: Problem, x: torch.Tensor, y: torch.Tensor, fold: torch.Tensor, model: SurrogateModel[Any],
    env: FitEnvironment,
) -> float:  # fmt: skip
    """Mean square of the errors of held-out rows."""
    one = Problem(problem.name, problem.designs, Space.of(problem.responses.variables[0]))
    pairs = Pairs(x, y)
    fitted = model.fit(one, pairs, env)
    said = model.held_out(one, pairs, env, fold, fitted=fitted)
    return float((said.mean - y).square().mean()) + 1e-300
