"""Two populations, one of which grows at the cost of the other: their paths in time."""

import torch
from torch import Tensor

_LARGEST = 700.0  # of a logarithm: what grows further has no exponential


def population_paths(
    rates: Tensor, start: tuple[float, float], every: float, count: int, steps: int
) -> Tensor:
    """Solve x' = a x - b x y and y' = d x y - c y, at even times.

    The logarithms are followed, (ln x)' = a - b y and (ln y)' = d x - c, so that both stay
    positive, by the Runge-Kutta method of the fourth order with even steps: each row on its own.

    Args:
        rates: a, b, c, d of each row (N, 4), float64.
        start: x and y at the time 0, both positive.
        every: time between two that are given.
        count: how many times, the first of which is 0.
        steps: of the method between two of them.

    Returns:
        x and y (N, 2, count); NaN where the steps are too long to follow them.

    Example:
        >>> free = torch.tensor([[1.0, 0.0, 2.0, 0.0]], dtype=torch.float64)
        >>> x, y = population_paths(free, (1.0, 1.0), 0.5, 2, 50)[0]
        >>> torch.stack((x.log(), y.log())).round(decimals=6).tolist()  # growth and decay
        [[0.0, 0.5], [0.0, -1.0]]
    """
    own = torch.stack((rates[:, 0], -rates[:, 2]), dim=1)
    others = torch.stack((-rates[:, 1], rates[:, 3]), dim=1)
    step = every / steps

    def slope(logarithms: Tensor) -> Tensor:
        return own + others * logarithms.flip(1).exp()

    now = torch.tensor(start, dtype=rates.dtype, device=rates.device).log().repeat(len(rates), 1)
    path = [now]
    for _ in range(count - 1):
        for _ in range(steps):
            first = slope(now)
            second = slope(now + 0.5 * step * first)
            third = slope(now + 0.5 * step * second)
            fourth = slope(now + step * third)
            now = now + step / 6 * (first + 2 * (second + third) + fourth)
        path.append(now)
    logarithms = torch.stack(path, dim=2)
    followed = (logarithms.isfinite() & (logarithms < _LARGEST)).all(dim=2).all(dim=1)
    return torch.where(followed[:, None, None], logarithms, torch.nan).exp()
