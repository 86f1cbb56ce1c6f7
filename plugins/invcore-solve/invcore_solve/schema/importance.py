"""Which columns matter: how much worse a forest predicts when one column is shuffled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_TREES = 60
_ROWS = 2000


def importance(
    x: Numbers, y: Numbers, names: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    """For each design column the share of the responses' variance that shuffling it costs.

    A forest of extremely randomised trees is fitted to two thirds of the rows; the loss is
    measured on the others, on average over responses. Columns that say the same share what they
    say.

    References:
        Breiman, Random forests, Machine Learning 45, 2001, section 10.

    Args:
        x: (N, Dx).
        y: (N, Dy); rows of which a part is unknown are left out.
        names: of the columns.
        rng: of what is held out and shuffled.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.random((200, 2))
        >>> shares = importance(x, x[:, :1], ["a", "b"], rng)
        >>> shares["a"] > 1 and abs(shares["b"]) < 0.1
        True
    """
    from sklearn.ensemble import ExtraTreesRegressor

    known = np.flatnonzero(~np.isnan(y).any(axis=1))
    if len(known) < 12:
        return {}
    order = rng.permutation(known)[:_ROWS]
    rest = len(order) // 3
    test, train = order[:rest], order[rest:]
    centre, scale = y[known].mean(axis=0), y[known].std(axis=0)
    z = (y - centre) / np.where(scale > 0, scale, 1.0)
    forest = ExtraTreesRegressor(
        _TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31)), n_jobs=1
    )
    target = z[train] if z.shape[1] > 1 else z[train, 0]
    forest.fit(x[train], target)

    def loss(copies: Numbers) -> float:
        """Mean square of the errors, for copies (C, N, Dx) of the rows that were held out."""
        said = forest.predict(copies.reshape(-1, x.shape[1])).reshape(*copies.shape[:2], -1)
        return float(np.square(said - z[test]).mean())

    base = loss(x[test][None])
    shares = {}
    for i, name in enumerate(names):
        shuffled = np.repeat(x[test][None], 3, axis=0)
        for copy in shuffled:
            copy[:, i] = rng.permutation(copy[:, i])
        shares[name] = loss(shuffled) - base
    return shares
