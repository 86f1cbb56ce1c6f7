"""The Riccati-Bessel functions ψ and χ of real arguments, and their derivatives of any order."""

import math
from typing import Any

import torch
from torch import Tensor

TINY = 1e-150  # where the downward recurrence starts; it may grow to 1e150
DIGITS = 20.0  # e^-20 in the function is e^-40 in Miller's error


def riccati_start(argument: float, order: int) -> int:
    """Where Miller's recurrence may start, to have all digits up to an order.

    The first n above the order and the argument z with n [arcosh(n/z) - sqrt(1 - z²/n²)] > 20,
    where Debye's asymptotic form says that ψ_n is below e^-20.

    Args:
        argument: the largest.
        order: the highest that is wanted.

    Example:
        >>> riccati_start(26.4, 23)
        50
    """
    start = max(order, math.ceil(argument)) + 1
    while start * _debye(start / argument) < DIGITS:
        start += 1
    return start


def _debye(ratio: float) -> float:
    return math.acosh(ratio) - math.sqrt(1 - ratio**-2) if ratio > 1 else 0.0


class RiccatiBessel(torch.autograd.Function):
    """ψ_n(z) = z j_n(z) and χ_n(z) = -z y_n(z) for n = 0 to N, (N + 1, ...) each.

    ψ by Miller's downward recurrence, scaled to sin z and its neighbour; χ by the upward one,
    where it is stable. The derivative f_n' = f_(n-1) - n f_n / z needs the values alone, so that
    no step of a recurrence is kept.

    References:
        Bohren, Huffman, Absorption and Scattering of Light by Small Particles, section 4.8
    """

    @staticmethod
    def forward(z: Tensor, order: int) -> tuple[Tensor, Tensor]:
        """Compute both, (order + 1, ...), of positive z, float64."""
        inverse = 1 / z
        # f_(n-1) = (2n+1)/z f_n - f_(n+1) has a + instead, and is one fused operation, for
        # g = f, f, -f, -f, f, ... of the orders 0, 1, 2, ...
        psi = z.new_empty((order + 1, *z.shape))
        spare = [torch.zeros_like(z), torch.full_like(z, TINY), torch.empty_like(z)]
        above, here, below = spare
        for n in range(riccati_start(float(z.max()), order) if z.numel() else order + 1, 0, -1):
            target = psi[n - 1] if n <= order + 1 else below
            torch.addcmul(above, inverse, here, value=_alternated(n, 2 * n + 1), out=target)
            above, here, below = here, target, above
        sine, cosine = torch.sin(z), torch.cos(z)
        first = torch.addcmul(-cosine, sine, inverse)  # ψ_1; one of ψ_0 and ψ_1 is never small
        top = torch.maximum(here.abs(), above.abs())
        here, above = here / top, above / top
        psi *= torch.addcmul(sine * here, first, above) / (here**2 + above**2) / top
        chi = torch.empty_like(psi)
        chi[0], chi[1] = cosine, torch.addcmul(sine, cosine, inverse)
        for n in range(1, order):
            value = -_alternated(n, 2 * n + 1)
            torch.addcmul(chi[n - 1], inverse, chi[n], value=value, out=chi[n + 1])
        for n in range(order + 1):
            if n % 4 > 1:
                psi[n].neg_()
                chi[n].neg_()
        return psi, chi

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """Keep the values."""
        ctx.save_for_backward(inputs[0], *output)
        ctx.save_for_forward(inputs[0], *output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Sum over the orders; differentiable again."""
        z, psi, chi = ctx.saved_tensors
        total = (grads[0] * slope(psi, z, 0)).sum(0) + (grads[1] * slope(chi, z, 1)).sum(0)
        return total, None

    @staticmethod
    def jvp(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor]:
        """Along a direction."""
        z, psi, chi = ctx.saved_tensors
        return slope(psi, z, 0) * grads[0], slope(chi, z, 1) * grads[0]

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        """Elementwise: one more dimension."""
        out = in_dims[0] % inputs[0].ndim + 1
        return RiccatiBessel.apply(*inputs), (out, out)


def _alternated(n: int, value: int) -> int:
    """The value with the sign of g_n/f_n times that of g_(n-1)/f_(n-1)."""
    return value if n % 2 else -value


def slope(values: Tensor, z: Tensor, kind: int) -> Tensor:
    """Compute derivatives of ψ (kind 0) or χ (kind 1) from their values.

    Args:
        values: (N + 1, ...), orders 0 to N.
        z: (...).
        kind: which; they differ in the order below 0.

    Returns:
        (N + 1, ...).

    Example:
        >>> z = torch.tensor([2.0], dtype=torch.float64)
        >>> psi, chi = RiccatiBessel.apply(z, 2)
        >>> (psi * slope(chi, z, 1) - slope(psi, z, 0) * chi).flatten()  # their Wronskian
        tensor([-1.0000, -1.0000, -1.0000], dtype=torch.float64)
    """
    order = torch.arange(len(values), dtype=z.dtype, device=z.device)
    order = order.reshape(-1, *[1] * z.ndim)
    below = torch.cos(z) if kind == 0 else -torch.sin(z)  # f_-1, which is f_0'
    return torch.addcmul(torch.cat((below[None], values[:-1])), order / z, values, value=-1)
