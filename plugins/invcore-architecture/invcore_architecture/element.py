"""One pixel: a square bilinear finite element in plane stress, and the pixels' moduli."""

import math
from functools import lru_cache

import torch
from torch import Tensor

DOFS = 8  # of an element: x and y displacement of its four corners
CASES = 3  # of loading: stretch along x, along y, and shear


def elasticity(poisson: float) -> Tensor:
    """Plane-stress stiffness of the solid with Young's modulus 1: (3, 3), float64.

    Rows and columns are the strains along x, along y, and the engineering shear.

    Example:
        >>> elasticity(0.0).diagonal().tolist()
        [1.0, 1.0, 0.5]
    """
    matrix = torch.tensor(
        [[1.0, poisson, 0.0], [poisson, 1.0, 0.0], [0.0, 0.0, (1 - poisson) / 2]],
        dtype=torch.float64,
    )
    return matrix / (1 - poisson**2)


@lru_cache(maxsize=8)
def element_energy(poisson: float) -> Tensor:
    """Twice the strain energy of a unit square of modulus 1, as a quadratic form.

    Its variables are the corners' displacements beside those of the mean strain, in the order
    (0, 0), (1, 0), (1, 1), (0, 1), x before y; and then the three mean strains. So the stiffness
    of the mesh, its loads, and the mean stiffness are parts of one matrix, and what is left of the
    assembled matrix once the displacements have been eliminated is the effective stiffness.
    Integrated by 2 × 2 Gauss points, which is exact here.

    References:
        Andreassen, Andreasen, Computational Materials Science 83, 2014,
        https://doi.org/10.1016/j.commatsci.2013.09.006

    Args:
        poisson: Poisson's ratio of both phases.

    Returns:
        (11, 11), float64, symmetric; not to be written into.
    """
    stiffness = elasticity(poisson)
    energy = torch.zeros(DOFS + CASES, DOFS + CASES, dtype=torch.float64)
    across, up = (-1.0, 1.0, 1.0, -1.0), (-1.0, -1.0, 1.0, 1.0)
    gauss = 1 / math.sqrt(3)
    for a in (-gauss, gauss):
        for b in (-gauss, gauss):
            strain = torch.zeros(CASES, DOFS + CASES, dtype=torch.float64)
            for corner in range(4):
                along_x = across[corner] * (1 + up[corner] * b) / 2
                along_y = up[corner] * (1 + across[corner] * a) / 2
                strain[0, 2 * corner] = strain[2, 2 * corner + 1] = along_x
                strain[1, 2 * corner + 1] = strain[2, 2 * corner] = along_y
            strain[:, DOFS:] = torch.eye(CASES, dtype=torch.float64)
            energy += strain.T @ stiffness @ strain / 4
    return energy


def pixel_moduli(density: Tensor, soft: float, exponent: float) -> Tensor:
    """Young's modulus of pixels, by their density: soft + density^exponent · (1 - soft).

    This is SIMP with a soft second phase. With a Poisson's ratio of 0.3 and an exponent of 3 or
    more, a grey pixel is never stiffer than the best microstructure of solid and void of its
    density could be.

    References:
        Bendsøe, Sigmund, Archive of Applied Mechanics 69, 1999,
        https://doi.org/10.1007/s004190050248

    Args:
        density: any shape; outside [0, 1] it counts as the nearer end.
        soft: modulus at density 0; at density 1 it is 1.
        exponent: 1 is the mixing rule.

    Returns:
        Of density's shape, float64.

    Example:
        >>> pixel_moduli(torch.tensor([0.0, 0.5, 1.0]), 0.0, 3.0)
        tensor([0.0000, 0.1250, 1.0000], dtype=torch.float64)
    """
    inside = density.double()
    # Unlike clamp's, this gradient does not vanish on the bounds, where two-phase cells are.
    inside = torch.where(inside < 0.0, 0.0, torch.where(inside > 1.0, 1.0, inside))
    return soft + inside**exponent * (1 - soft)
