"""Uniform points of a piece: exactly where its parts are simplices, else by walks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from invcore.spaces.constraints.linear_sets.presolve import Piece
from invcore.spaces.constraints.linear_sets.reduction import parts_of
from invcore.spaces.constraints.linear_sets.sampling.redundancy import irredundant, met
from invcore.spaces.constraints.linear_sets.sampling.simplices import Simplex
from invcore.spaces.constraints.linear_sets.sampling.walks import Walk
from invcore.spaces.constraints.linear_sets.system import Floats, Integers

_ZERO = 1e-10
_OUTSIDE = 1e-11
_FEW_RAYS = 40


@dataclass(frozen=True, eq=False)
class _Part:
    """Columns of a piece that are independent of its others: centre + basis z.

    Args:
        columns: (c,), of the piece.
        basis: (c, k).
        shape: where z are uniform.
    """

    columns: Integers
    basis: Floats
    shape: Simplex | Walk


class Sampler:
    """Uniform points of a piece, whose independent parts are drawn apart.

    A part whose set is a simplex is drawn exactly: intervals, sums with lower bounds, and ordered
    values are ones. Other parts are walked on.

    Args:
        piece: a bounded one.
    """

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        moving = np.abs(piece.basis).max(axis=1, initial=0.0) > _ZERO
        both = np.vstack([piece.rows, piece.equal])
        parts = []
        for rows, columns in parts_of((np.abs(both) > _ZERO) & moving):
            if moving[columns].any():
                parts.append((rows[rows < len(piece.rows)], columns))
        bases = [_basis(piece.basis[columns]) for _, columns in parts]
        if any(b is None for b in bases) or sum(_size(b) for b in bases) != piece.dimension:
            parts = [(np.arange(len(piece.rows)), np.arange(len(piece.columns)))]
            bases = [piece.basis]
        self.parts = [
            _Part(columns, basis, _shape(piece, rows, columns, basis))
            for (rows, columns), basis in zip(parts, bases, strict=True)
            if basis is not None and basis.shape[1]
        ]

    @property
    def walks(self) -> list[Walk]:
        """The parts that are walked on."""
        return [part.shape for part in self.parts if isinstance(part.shape, Walk)]

    def sample(
        self,
        count: int,
        generator: np.random.Generator,
        walked: Mapping[Walk, Floats] = MappingProxyType({}),
    ) -> Floats:
        """(count, c), uniform values of the piece's columns.

        Args:
            count: how many.
            generator: of the random numbers.
            walked: points (count, k) that were drawn before, of some walks.
        """
        values = np.repeat(self.piece.centre[None], count, axis=0)
        for part in self.parts:
            if isinstance(part.shape, Walk) and part.shape in walked:
                points = walked[part.shape]
            else:
                points = part.shape.sample(count, generator)
            values[:, part.columns] += points @ part.basis.T
        return values


def _size(basis: Floats | None) -> int:
    return 0 if basis is None else basis.shape[1]


def _basis(directions: Floats) -> Floats | None:
    """An orthonormal basis of a part's directions (c, k), if others do not share them."""
    left, size, _ = np.linalg.svd(directions, full_matrices=False)
    whole = np.abs(size - 1.0) < 1e-9
    return left[:, whole] if (whole | (size < 1e-9)).all() else None


def _shape(piece: Piece, rows: Integers, columns: Integers, basis: Floats) -> Simplex | Walk:
    normals = piece.rows[np.ix_(rows, columns)] @ basis
    norm = np.linalg.norm(normals, axis=1)
    normals, offsets = normals / norm[:, None], piece.offsets[rows] / norm
    if met(normals, offsets, _FEW_RAYS).sum() > normals.shape[1] + 1:
        return Walk(normals, offsets)
    needed = met(normals, offsets)
    simplex = Simplex.of(normals[needed], offsets[needed])
    if simplex is None or (simplex.corners @ normals.T > offsets + _OUTSIDE).any():
        needed = irredundant(normals, offsets, needed)
        simplex = Simplex.of(normals[needed], offsets[needed])
    return simplex or Walk(normals[needed], offsets[needed])
