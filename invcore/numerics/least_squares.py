"""Damped linear least squares, batched over many small problems."""

import torch
from torch import Tensor


def damped_least_squares(jacobian: Tensor, residual: Tensor, damping: Tensor) -> Tensor:
    """The step s of each problem that minimises |J s + r|² + shift |s|².

    It solves the smaller of the two normal equations, in responses (JJᵀ + shift) or in features
    (JᵀJ + shift), by Cholesky factors. The shift is that of Levenberg and Marquardt, relative to
    the mean of that matrix's diagonal: (damping + 1e-6) times it, and 1e-12, so that there is
    always a factor; a single response needs none, and no 1e-6. Features whose column of J is zero
    get no step.

    Args:
        jacobian: J (N, Dy, F), of the responses.
        residual: r (N, Dy), responses less what is wanted.
        damping: (N,), positive, without a unit; small for Gauss-Newton steps, large for short ones
            down the gradient.

    Returns:
        (N, F).

    References:
        Nocedal, Wright, Numerical Optimization, 2006, section 10.3.

    Example:
        >>> jacobian = torch.tensor([[[2.0, 0.0], [0.0, 4.0]]])
        >>> step = damped_least_squares(jacobian, torch.tensor([[2.0, 4.0]]), torch.zeros(1))
        >>> step.round(decimals=3)
        tensor([[-1., -1.]])
    """
    responses, features = jacobian.shape[1:]
    if responses == 1:  # by far the most frequent, and no solve is needed
        row = jacobian[:, 0]
        size = row.square().sum(dim=1)
        return -row * (residual[:, 0] / (size * (1 + damping) + 1e-12))[:, None]
    if responses <= features:
        square = jacobian @ jacobian.transpose(1, 2)
        return -torch.einsum("nyf,ny->nf", jacobian, _solve(square, residual, damping))
    square = jacobian.transpose(1, 2) @ jacobian
    return -_solve(square, torch.einsum("nyf,ny->nf", jacobian, residual), damping)


def _solve(square: Tensor, right: Tensor, damping: Tensor) -> Tensor:
    """Solve (A + damping * mean(diag A) I) s = right for each row."""
    scale = square.diagonal(dim1=1, dim2=2).mean(dim=1)
    shift = damping * scale + 1e-12 + 1e-6 * scale
    eye = torch.eye(square.shape[1], dtype=square.dtype, device=square.device)
    factor, _ = torch.linalg.cholesky_ex(square + shift[:, None, None] * eye)
    return torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
