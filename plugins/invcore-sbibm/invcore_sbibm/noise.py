"""Random numbers of stochastic simulators, which the design alone decides.

The contract of tasks asks that the same design gives the same response, whatever the order, the
batch or the process. So the noise of a design comes from its own digits, mixed: of designs that
differ at all it is independent, and over draws of a prior the pairs are draws of p(x) p(y | x).
"""

import torch
from torch import Tensor

from invcore.numerics import scattered


def uniforms(x: Tensor, count: int) -> Tensor:
    """Uniform random numbers of designs (N, Dx), inside (0, 1): (N, count), float64.

    Example:
        >>> x = torch.tensor([[0.5, 0.25], [0.5, 0.75]], dtype=torch.float64)
        >>> u = uniforms(x, 3)
        >>> u.shape, bool((u[:1] == uniforms(x[:1], 3)).all()), bool((u[0] != u[1]).all())
        (torch.Size([2, 3]), True, True)
    """
    places = -(-count // x.shape[1])
    # The place 0 is the design itself
    return scattered(x, 1, 1 + places).transpose(0, 1).flatten(1)[:, :count].to(x.device)


def normals(u: Tensor) -> Tensor:
    """Standard normal numbers of uniform ones, elementwise."""
    return torch.special.ndtri(u)


def binomials(u: Tensor, trials: int, probability: Tensor) -> Tensor:
    """Binomial numbers by the inverse of their distribution function, elementwise.

    Args:
        u: uniform numbers (N, D), float64.
        trials: how many there are.
        probability: of success (N, D), from 0 to 1.

    Returns:
        (N, D), whole numbers in float64.

    Example:
        >>> p = torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.float64)
        >>> binomials(torch.full_like(p, 0.5001), 10, p)
        tensor([[ 0.,  5., 10.]], dtype=torch.float64)
    """
    k = torch.arange(trials + 1, dtype=torch.float64, device=u.device)
    total = torch.tensor(float(trials), dtype=torch.float64, device=u.device)
    ways = (total + 1).lgamma() - (k + 1).lgamma() - (total - k + 1).lgamma()
    p = probability[..., None]
    masses = (ways + torch.xlogy(k, p) + torch.special.xlog1py(total - k, -p)).exp()
    below = torch.searchsorted(masses.cumsum(dim=-1), u[..., None].contiguous())
    return below[..., 0].clamp(max=trials).to(torch.float64)
