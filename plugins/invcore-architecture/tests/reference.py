"""An independent implementation: one sparse matrix, factorised by SciPy's SuperLU."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu


def element(poisson):
    """Stiffness (8, 8), loads (8, 3) of a unit pixel, and the solid's stiffness (3, 3)."""
    solid = np.array([[1, poisson, 0], [poisson, 1, 0], [0, 0, (1 - poisson) / 2]])
    solid = solid / (1 - poisson**2)
    stiffness, load = np.zeros((8, 8)), np.zeros((8, 3))
    points = np.array([0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)])
    for x in points:
        for y in points:
            dx = np.array([y - 1, 1 - y, y, -y])  # of (1-x)(1-y), x(1-y), xy, (1-x)y
            dy = np.array([x - 1, -x, x, 1 - x])
            strain = np.zeros((3, 8))
            strain[0, ::2], strain[1, 1::2] = dx, dy
            strain[2, ::2], strain[2, 1::2] = dy, dx
            stiffness += strain.T @ solid @ strain / 4
            load += strain.T @ solid / 4
    return stiffness, load, solid


def stiffness(moduli, poisson=0.3):
    """The effective stiffness (3, 3) of one cell (n, n); rows along y, columns along x."""
    side = len(moduli)
    local, load, solid = element(poisson)
    row, column = np.divmod(np.arange(side * side), side)

    def node(right, up):
        return (row + up) % side * side + (column + right) % side

    nodes = np.stack([node(0, 0), node(1, 0), node(1, 1), node(0, 1)], axis=1)
    places = np.stack([2 * nodes, 2 * nodes + 1], axis=2).reshape(-1, 8)
    values = moduli.reshape(-1, 1, 1) * local
    matrix = sparse.csc_matrix(
        (values.ravel(), (np.repeat(places, 8, axis=1).ravel(), np.tile(places, 8).ravel()))
    )
    forces = np.zeros((2 * side * side, 3))
    np.add.at(forces, places, moduli.reshape(-1, 1, 1) * load)
    moved = splu(matrix[2:, 2:]).solve(forces[2:])
    return moduli.mean() * solid - forces[2:].T @ moved / side**2
