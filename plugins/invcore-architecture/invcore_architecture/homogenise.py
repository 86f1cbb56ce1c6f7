"""Periodic homogenisation: the effective stiffness of a cell of pixels, and its gradient."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from invcore.numerics import differentiable_once
from invcore.plugin import ShapeError
from invcore_architecture.direct import solve_direct
from invcore_architecture.element import CASES, element_energy

Solver = Literal["auto", "direct", "fft"]
Direction = Literal["x", "y"]

_PAIRS = tuple((a, b) for a in range(CASES) for b in range(a, CASES))  # of a symmetric matrix
_ROWS = {"cpu": 8, "cuda": 512}  # cells at once: what the caches hold, what keeps a GPU busy


def effective_stiffness(moduli: Tensor, poisson: float = 0.3, solver: Solver = "auto") -> Tensor:
    """Compute the effective plane-stress stiffness of periodic cells.

    Each pixel is a bilinear element with its own Young's modulus and a common Poisson's ratio;
    displacements are periodic beside a mean strain. The gradient is exact: that of a component
    is the mutual energy of two of the three cases in each pixel, so it needs no further solve.
    A gradient of the gradient is refused.

    References:
        Andreassen, Andreasen, Computational Materials Science 83, 2014,
        https://doi.org/10.1016/j.commatsci.2013.09.006

    Args:
        moduli: Young's moduli (N, n, n), positive; rows are along y, columns along x.
        poisson: Poisson's ratio of all pixels.
        solver: ``direct`` is exact to rounding, for n = 8, 16, 32, …; ``fft`` iterates, for any
            n; ``auto`` is ``fft`` on a CUDA device and ``direct`` elsewhere.

    Returns:
        (N, 3, 3), float64, for the strains along x, along y, and the engineering shear.

    Raises:
        ShapeError: moduli are no square cells, or no such as the solver takes.

    Example:
        >>> stiff = effective_stiffness(torch.ones(1, 8, 8), poisson=0.0)
        >>> stiff[0].diagonal().round(decimals=6).tolist()
        [1.0, 1.0, 0.5]
    """
    if moduli.ndim != 3 or moduli.shape[1] != moduli.shape[2]:
        raise ShapeError(f"cells: expected (N, n, n), got {tuple(moduli.shape)}")
    if solver == "auto":
        solver = "fft" if moduli.device.type == "cuda" else "direct"
    return _Stiffness.apply(differentiable_once(moduli).double(), poisson, solver)


def youngs_modulus(stiffness: Tensor, direction: Direction = "x") -> Tensor:
    """Young's modulus along an axis: stress by strain in a pull that leaves the sides free.

    It is 1/S11 (or 1/S22) of the compliance S, the inverse of the stiffness.

    Args:
        stiffness: (…, 3, 3).
        direction: of the pull.

    Returns:
        (…).

    Example:
        >>> round(float(youngs_modulus(effective_stiffness(torch.ones(1, 8, 8)))), 9)
        1.0
    """
    place = 0 if direction == "x" else 1
    return 1 / torch.linalg.inv(stiffness)[..., place, place]


class _Stiffness(torch.autograd.Function):
    """The effective stiffness, and its gradient by the pixels' mutual energies."""

    @staticmethod
    def forward(ctx: Any, moduli: Tensor, poisson: float, solver: Solver) -> Tensor:
        differentiable = ctx.needs_input_grad[0]
        if solver == "direct":
            solve = solve_direct
        else:
            from invcore_architecture.fft import solve_fft

            solve = solve_fft
        energy = element_energy(poisson).to(moduli.device)

        def solved(part: Tensor) -> tuple[Tensor, Tensor]:
            stiffness, fields = solve(part, poisson, fields=differentiable)
            if fields is None:
                return stiffness, part.new_empty(0, *part.shape[1:], len(_PAIRS))
            moved = energy @ fields
            pairs = [(fields[..., a] * moved[..., b]).sum(-1) for a, b in _PAIRS]
            return stiffness, torch.stack(pairs, dim=-1) / part[0].numel()

        if not len(moduli):
            ctx.save_for_backward(moduli.new_empty(*moduli.shape, len(_PAIRS)))
            return moduli.new_empty(0, CASES, CASES)
        parts = moduli.split(_ROWS.get(moduli.device.type, 8))
        if moduli.device.type == "cpu":  # matrices too small for threads of torch's own
            with ThreadPoolExecutor(torch.get_num_threads()) as pool:
                results = list(pool.map(solved, parts))
        else:
            results = [solved(part) for part in parts]
        stiffness, slopes = (torch.cat(column) for column in zip(*results, strict=True))
        if differentiable:
            ctx.save_for_backward(slopes)
        return stiffness

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        both = gradient + gradient.mT
        weights = [both[:, a, b] * (0.5 if a == b else 1.0) for a, b in _PAIRS]
        return torch.einsum("nrcp,np->nrc", slopes, torch.stack(weights, dim=-1)), None, None
