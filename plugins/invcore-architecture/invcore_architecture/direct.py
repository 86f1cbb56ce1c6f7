"""The direct solver: nested dissection, all cells and all blocks of one size at a time."""

import torch
from torch import Tensor

from invcore_architecture.blocks import LEAF, Blocks, Merge, blocks
from invcore_architecture.element import CASES, DOFS, element_energy


def solve_direct(moduli: Tensor, poisson: float, *, fields: bool) -> tuple[Tensor, Tensor | None]:
    """Solve the cell problems of periodic homogenisation by block elimination.

    Blocks of 4 × 4 pixels lose their inner displacements by a Cholesky factorisation, four blocks
    are joined to one of twice the side, whose inner displacements go next, until the periodic cell
    is left; the mean strains are carried along as variables that stay. The blocks of one size have
    one pattern whatever the pixels are, so those of all cells are factorised together: half the
    time of a general sparse factorisation on one core, and the same code on a GPU.

    References:
        George, SIAM Journal on Numerical Analysis 10, 1973, https://doi.org/10.1137/0710032

    Args:
        moduli: Young's modulus of each pixel (N, n, n), float64, positive, n = 8, 16, 32, ….
        poisson: Poisson's ratio.
        fields: whether to compute the displacements too.

    Returns:
        The effective stiffness (N, 3, 3); and for each pixel the variables of its energy in each
        of the three cases (N, n, n, 11, 3), see ``element_energy``, or None.

    Raises:
        ShapeError: the cells have no such side.
        torch.linalg.LinAlgError: a pixel has no stiffness.
    """
    count, side = len(moduli), moduli.shape[-1]
    plan = blocks(side, moduli.device)
    energy = element_energy(poisson).to(moduli.device)
    rows = side // LEAF
    pixels = moduli.reshape(count, rows, LEAF, rows, LEAF).transpose(2, 3)
    matrix = (pixels.reshape(-1, LEAF**2) @ _leaves(plan, energy)).unflatten(1, (plan.size,) * 2)
    factors: list[tuple[Tensor, Tensor]] = []
    left = _eliminate(matrix, plan.interior, 0, factors if fields else None)
    for merge in plan.merges:
        matrix = _join(left, merge)
        left = _eliminate(matrix, merge.interior, merge.pinned, factors if fields else None)
    stiffness = left / side**2
    if not fields:
        return stiffness, None
    u = torch.eye(CASES, dtype=moduli.dtype, device=moduli.device).expand(count, -1, -1)
    for merge in reversed(plan.merges):
        u = _substitute(u, merge.pinned, *factors.pop())[:, merge.places]  # (blocks, 4, M, 3)
        u = u.unflatten(0, (count, merge.rows, merge.rows)).unflatten(3, (2, 2))
        u = u.transpose(2, 3).flatten(0, 4)
    u = _substitute(u, 0, *factors.pop())[:, plan.elements]  # (blocks, LEAF², 11, 3)
    u = u.unflatten(0, (count, rows, rows)).unflatten(3, (LEAF, LEAF)).transpose(2, 3)
    return stiffness, u.reshape(count, side, side, DOFS + CASES, CASES)


def _leaves(plan: Blocks, energy: Tensor) -> Tensor:
    """What each pixel of a smallest block adds to the block's matrix: (LEAF², size²)."""
    parts = energy.new_zeros(LEAF**2, plan.size, plan.size)
    pixel = torch.arange(LEAF**2, device=energy.device)[:, None, None]
    parts[pixel, plan.elements[:, :, None], plan.elements[:, None, :]] = energy
    return parts.flatten(1)


def _join(old: Tensor, merge: Merge) -> Tensor:
    """Sum four blocks each of all old ones (blocks, M, M): (blocks / 4, size, size)."""
    new = torch.arange(len(old) // 4, device=old.device)
    corner = new // merge.rows * 4 * merge.rows + new % merge.rows * 2  # the lower left old block
    start = (corner * old[0].numel())[:, None]
    flat = old.flatten()  # read thrice as fast as along a dimension
    matrix = flat.index_select(0, (start + merge.first).flatten()).view(len(new), -1)
    matrix.mul_(merge.filled)
    further = flat.index_select(0, (start + merge.extra).flatten()).view(len(new), -1)
    return matrix.index_add_(1, merge.to, further).unflatten(1, (merge.size, merge.size))


def _eliminate(
    matrix: Tensor, interior: int, pinned: int, factors: list[tuple[Tensor, Tensor]] | None
) -> Tensor:
    """Minimise the energy over the first ``interior`` variables: what is left for the others."""
    stays = interior + pinned
    factor = torch.linalg.cholesky(matrix[:, :interior, :interior])
    coupling = torch.linalg.solve_triangular(factor, matrix[:, :interior, stays:], upper=False)
    if factors is not None:
        factors.append((factor, coupling))
    return matrix[:, stays:, stays:] - coupling.mT @ coupling


def _substitute(u: Tensor, pinned: int, factor: Tensor, coupling: Tensor) -> Tensor:
    """The eliminated variables, put before those that stayed (blocks, M, 3)."""
    inner = torch.linalg.solve_triangular(factor.mT, coupling @ u, upper=True).neg()
    return torch.cat((inner, u.new_zeros(len(u), pinned, CASES), u), dim=1)
