"""Which responses are learnt as logarithms: those where held-out rows are likelier that way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.learning import GaussianProcessConfig, fit_process
from invcore.plugin import FitEnvironment, Pairs, Problem, UnknownNameError, close_names

_ROWS = 200  # that decide
_STEPS = 25
_RATIO = 5.0  # largest over smallest response, from which on it is asked
_CLEAR = 0.02  # gain in mean log likelihood of a row, from which on a logarithm is taken
_MOST = 12  # responses; of more, as curves have them, none is asked


def learnt_as_logarithms(
    choice: str | Sequence[str], problem: Problem, pairs: Pairs, fold: npt.NDArray[np.intp],
    env: FitEnvironment,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """For each response (Dy,) whether its logarithm is learnt.

    It is where a normal error of the logarithm makes held-out rows likelier under a Gaussian
    process than one of the response itself, and where the response itself is predicted no worse.
    That is asked where all responses are positive and spread over a factor of five.

    Args:
        choice: ``auto``, ``never``, or names of responses.
        problem: the spaces.
        pairs: the rows.
        fold: (N,), of each row.
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
    result = (low > 0) & (high > _RATIO * np.maximum(low, 1e-300)) & (len(names) < _MOST)
    rng = np.random.default_rng(env.derive("logarithms"))
    rows = np.sort(rng.permutation(len(pairs))[:_ROWS])
    features = problem.designs.encode(pairs.x[rows])
    few = torch.from_numpy(np.unique(fold[rows], return_inverse=True)[1].reshape(-1))
    for i in np.flatnonzero(result):
        values = pairs.y[rows, i]
        known = ~values.isnan()
        own, folds = values[known, None], few[known]
        plain = _held_out(features[known], own, folds)
        logs = _held_out(features[known], own.log(), folds)
        errors = [_mean_square(said - y) for said, y in ((plain, own), (logs, own.log()))]
        gain = 0.5 * (np.log(errors[0]) - np.log(errors[1])) - float(own.log().mean())
        result[i] = gain > _CLEAR and _mean_square(logs.exp() - own) < errors[0]
    return result


def _mean_square(off: Tensor) -> float:
    return float(off.square().mean()) + 1e-300


def _held_out(features: Tensor, y: Tensor, folds: Tensor) -> Tensor:
    """Predictions of rows (N, 1) that were held out."""
    centre, scale = features.mean(dim=0), features.std(dim=0)
    x = (features - centre) / torch.where(scale > 0, scale, 1.0)
    middle, size = y.mean(), y.std().clamp(min=1e-300)
    config = GaussianProcessConfig(steps=_STEPS)
    mean, _ = fit_process(config, x, (y - middle) / size).left_out(folds)
    return mean * size + middle
