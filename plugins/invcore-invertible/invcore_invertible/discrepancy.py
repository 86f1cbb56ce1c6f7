"""The maximum mean discrepancy, as a loss."""

import torch
from torch import Tensor

_KERNELS = (0.05, 0.2, 0.9)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """Squared maximum mean discrepancy of two samples, inverse multi-quadratic kernels.

    Args:
        a: (n, D).
        b: (m, D).

    References:
        Gretton et al., JMLR 2012; kernels of Ardizzone et al., https://arxiv.org/abs/1808.04730.

    Example:
        >>> a = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
        >>> bool(mmd(a, a).abs() < 1e-6), bool(mmd(a, a + 3) > 0.5)
        (True, True)
    """

    def kernel(left: Tensor, right: Tensor) -> Tensor:
        squares = left.square().sum(1)[:, None] + right.square().sum(1)[None]
        apart = (squares - 2 * left @ right.T).clamp(min=0)
        values = [(width**2 / (width**2 + apart)).mean() for width in _KERNELS]
        return torch.stack(values).sum()

    return kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
