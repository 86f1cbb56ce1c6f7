"""How far a proxy is off: errors on pairs that it has not seen, and whether its spread says so."""

import torch
from torch import Tensor

from invcore.plugin import Config, DataError, Field, Pairs
from invcore_proxy.ensemble import Proxy
from invcore_proxy.symmetry import images

_BINS = 10
_ROWS, _IMAGES = 200, 25  # equivalent designs that are compared, at most


class Errors(Config):
    """Errors in the responses' units, over rows and columns.

    Args:
        mse: mean squared error.
        mae: mean absolute error.
        worst: largest absolute error.
        zero_right: share of numbers rightly said to be exactly 0 or not; with a zero part alone.
    """

    mse: float
    mae: float
    worst: float
    zero_right: float | None = None


class Bin(Config):
    """Rows of similar spread.

    Args:
        rows: how many.
        spread: their mean spread.
        error: their mean error.
    """

    rows: int
    spread: float
    error: float


class Reliability(Config):
    """Whether rows of larger spread have larger errors.

    A row's spread and error are root mean squares over its columns.

    Args:
        bins: from the smallest spread to the largest, of as many rows each.
        rank_correlation: Spearman's, of spread and error over the rows; None where one of them is
            the same in all.
    """

    bins: tuple[Bin, ...]
    rank_correlation: float | None = None


class Parity(Config):
    """Some of the numbers, truth and prediction, for a picture.

    Args:
        truth: of the pairs.
        predicted: of the ensemble, for the same.
    """

    truth: tuple[float, ...] = ()
    predicted: tuple[float, ...] = ()


class ProxyErrors(Config):
    """How far a proxy is off on pairs.

    Args:
        rows: how many pairs.
        ensemble: errors of the ensemble's mean.
        members: errors of each member alone.
        unexplained: mean squared error over the responses' variance, averaged over the columns
            that vary: 0 is perfect, 1 no better than their mean.
        symmetric_deviation: largest difference between the predictions of equivalent designs,
            over at most 200 rows and 24 symmetries.
        reliability: whether the spread says where it is off.
        parity: some of the numbers, evenly from all rows and columns.
    """

    rows: int = Field(ge=1)
    ensemble: Errors
    members: tuple[Errors, ...]
    unexplained: float | None = None
    symmetric_deviation: float = 0.0
    reliability: Reliability
    parity: Parity = Parity()


@torch.no_grad()
def evaluate_proxy(proxy: Proxy, pairs: Pairs, *, parity: int = 0) -> ProxyErrors:
    """Measure a proxy on pairs, best such as it has not learnt from.

    Args:
        proxy: a fitted one.
        pairs: designs and the simulator's responses.
        parity: how many numbers to keep for a picture.

    Raises:
        DataError: no pairs, or numbers that are not finite.
        ShapeError: other numbers of columns than the proxy's.
    """
    x, y = pairs.x.double(), pairs.y.double()
    if not len(pairs) or not bool(x.isfinite().all() and y.isfinite().all()):
        raise DataError("a proxy is measured on at least one pair of finite numbers")
    if y.shape[1] != proxy.dim:
        raise DataError(f"the proxy has {proxy.dim} responses, the pairs {y.shape[1]}")
    prediction = proxy.predict(x)
    variance = y.var(0, correction=0)
    varies = variance > 1e-24 * y.square().mean(0)
    squares = (prediction.mean - y).square()
    share = (squares.mean(0) / variance)[varies]
    return ProxyErrors(
        rows=len(pairs),
        ensemble=_errors(prediction.mean, y, proxy),
        members=tuple(_errors(one, y, proxy) for one in proxy.members(x)),
        unexplained=float(share.mean()) if len(share) else None,
        symmetric_deviation=_deviation(proxy, x),
        reliability=reliability(prediction.spread, prediction.mean - y),
        parity=Parity(truth=_some(y, parity), predicted=_some(prediction.mean, parity)),
    )


def reliability(spread: Tensor, error: Tensor, bins: int = _BINS) -> Reliability:
    """Bin rows by spread, and correlate spread and error.

    Args:
        spread: of predictions (N, Dy).
        error: of predictions (N, Dy).
        bins: how many, or as many as there are rows.

    Example:
        >>> result = reliability(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5], [-3.0]]))
        >>> result.rank_correlation, [one.error for one in result.bins]
        (1.0, [0.5, 3.0])
    """
    spreads, errors = (v.square().mean(1).sqrt() for v in (spread, error))
    order = torch.argsort(spreads, stable=True)
    return Reliability(
        bins=tuple(
            Bin(rows=len(r), spread=float(spreads[r].mean()), error=float(errors[r].mean()))
            for r in order.tensor_split(min(bins, len(order)))
        ),
        rank_correlation=rank_correlation(spreads, errors),
    )


def rank_correlation(a: Tensor, b: Tensor) -> float | None:
    """Spearman's rank correlation of two (N,), ties sharing their ranks' mean; None without one.

    Example:
        >>> rank_correlation(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([9.0, 4.0, 1.0]))
        -1.0
    """
    ranks = [_ranks(v) - (len(v) - 1) / 2 for v in (a, b)]
    size = ranks[0].square().sum().sqrt() * ranks[1].square().sum().sqrt()
    if not float(size) > 0:
        return None
    return round(float((ranks[0] * ranks[1]).sum() / size), 12)


def _some(values: Tensor, count: int) -> tuple[float, ...]:
    """Numbers from all over a matrix."""
    flat = values.flatten()
    places = torch.linspace(0, len(flat) - 1, min(len(flat), count), device=flat.device)
    return tuple(float(f"{value:.6g}") for value in flat[places.round().long()].tolist())


def _ranks(values: Tensor) -> Tensor:
    """From 0; equal values have the mean of their ranks."""
    _, place, counts = torch.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double() - 1
    return (last - (counts.double() - 1) / 2)[place]


def _errors(predicted: Tensor, y: Tensor, proxy: Proxy) -> Errors:
    difference = (predicted - y).abs()
    right = None
    if proxy.config.zero_part:
        right = float(((predicted == 0) == (y == 0)).double().mean())
    return Errors(
        mse=float(difference.square().mean()),
        mae=float(difference.mean()),
        worst=float(difference.max()),
        zero_right=right,
    )


def _deviation(proxy: Proxy, x: Tensor) -> float:
    """The largest difference between the predictions of equivalent designs, of some of them."""
    first, *others = (proxy(image) for image in images(x[:_ROWS], proxy.elements[:_IMAGES]))
    return max((float((other - first).abs().max()) for other in others), default=0.0)
