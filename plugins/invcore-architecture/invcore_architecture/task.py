"""The architecture task: a periodic cell of pixels to its effective Young's modulus."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Generator, Tensor

from invcore.plugin import (
    Config,
    ConfigError,
    DataError,
    Field,
    Grid,
    Pairs,
    Space,
    Splits,
    Task,
    Uniform,
    Variable,
)
from invcore.plugin import generator as seeded
from invcore_architecture.binary import binarise
from invcore_architecture.drawing import SHOWN, draw_cells
from invcore_architecture.element import pixel_moduli
from invcore_architecture.families import FIELDS, random_cells
from invcore_architecture.homogenise import (
    Direction,
    Solver,
    effective_stiffness,
    youngs_modulus,
)
from invcore_architecture.table import CellTable, first_seen, shipped

_ROWS = 1024  # cells whose gradients are held at once


class ArchitectureConfig(Config):
    """The material, what is measured, and how it is computed."""

    side: Literal[8, 16, 32] = Field(
        32, description="Pixels on a side of the cell: Dx is its square. Smaller is quicker."
    )
    direction: Direction = Field("x", description="Of the pull: x is along a row of pixels.")
    response: Literal["fraction", "log10"] = Field(
        "fraction",
        description="Young's modulus as a fraction of the solid's, or that fraction's logarithm.",
    )
    binary: bool = Field(
        False,
        description="Simulate the two-phase cell that keeps the volume: its densest pixels, solid. "
        "There is no gradient then.",
    )
    soft: float = Field(1e-3, gt=0, lt=1, description="Young's modulus of the soft phase.")
    poisson: float = Field(0.3, gt=-1, lt=0.5, description="Poisson's ratio of both phases.")
    exponent: float = Field(
        3.0, ge=1, description="Of the density in a pixel's modulus (SIMP); 1 is the mixing rule."
    )
    solver: Solver = Field(
        "auto",
        description="direct: block elimination; fft: conjugate gradients with an FFT "
        "preconditioner; auto: fft on a CUDA device, direct elsewhere.",
    )
    table: str = Field(
        "",
        description="File of cells to draw from, made by invcore_architecture.generate; empty for "
        "the one of this package, which has 32 pixels on a side.",
    )


class Architecture(Task[ArchitectureConfig]):
    """Architecture: 32 × 32 pixels, void to solid, to an effective Young's modulus.

    A design is a periodic cell in plane stress, a density in [0, 1] for each pixel, row by row
    from the bottom; one outside counts as the nearer end. The response is Young's modulus in a
    pull along x, 1/S11 of the homogenised compliance, as a fraction of the solid's. Computed by
    finite elements in float64; the gradient is exact and counts as one simulator call. A design
    that is not finite has no response.

    Its pairs are no draws of the uniform prior, whose cells are all grey noise of about one
    modulus: they are two-phase cells of a table with seven families. The prior only says what
    designs are allowed. Smaller cells are drawn anew from six of the families.

    References:
        Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016 (the task; its data were not
        released);
        Andreassen, Andreasen, Computational Materials Science 83, 2014,
        https://doi.org/10.1016/j.commatsci.2013.09.006 (the homogenisation)

    Example:
        >>> task = Architecture(ArchitectureConfig(side=8))
        >>> task.simulate(torch.ones(1, 64)).round(decimals=6)
        tensor([[1.]])
    """

    Config = ArchitectureConfig

    @property
    def designs(self) -> Space:
        """Densities of side² pixels, row by row, each in [0, 1]."""
        return _pixels(self.config.side)

    @property
    def responses(self) -> Space:
        """One modulus."""
        log = self.config.response == "log10"
        what = f"Young's modulus along {self.config.direction}, of the solid's"
        name = "log10_modulus" if log else "modulus"
        return Space.of(Variable(name=name, description=f"log10 of {what}" if log else what))

    @property
    def differentiable(self) -> bool:
        """Not where cells are made two-phase first."""
        return not self.config.binary

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute moduli (N, 1) of designs (N, side²).

        Raises:
            ShapeError: designs of another width.
            DivergedError: the solver ``fft`` did not converge.
        """
        self.designs.check(x)
        own = self.config
        finite = x.isfinite().all(dim=1, keepdim=True)
        density = torch.where(finite, x, 0.5).double()
        if own.binary:
            density = binarise(density)
        parts = [density.new_empty(0)]
        for part in density.split(_ROWS):
            moduli = pixel_moduli(part, own.soft, own.exponent).unflatten(1, (own.side, own.side))
            stiffness = effective_stiffness(moduli, own.poisson, own.solver)
            parts.append(youngs_modulus(stiffness, own.direction))
        y = self._scaled(torch.cat(parts)[:, None])
        return torch.where(finite, y, torch.nan).to(x.dtype)

    def pairs(self, count: int, generator: Generator) -> Pairs:
        """Draw two-phase cells and their moduli, no two the same up to shifts and mirrors.

        Returns:
            ``count`` pairs, float64.

        Raises:
            DataError: the table has fewer cells, or cannot be read.
            ConfigError: the table's cells have another side.
        """
        own = self.config
        if not own.table and own.side != 32:
            x = _distinct(count, own.side, generator).flatten(1).double()
            return Pairs(x, self.simulate(x))
        table = shipped() if not own.table else CellTable.load(own.table)
        if table.cells.shape[-1] != own.side:
            raise ConfigError(
                f"{own.table}: cells of {table.cells.shape[-1]} pixels on a side; "
                f"set side={table.cells.shape[-1]}"
            )
        if count > len(table):
            raise DataError(
                f"task architecture: {count} cells asked for, the table has {len(table)}; ask for "
                f"fewer pairs or targets, or generate a larger table"
            )
        rows = torch.randperm(len(table), generator=generator)[:count]
        x = table.cells[rows].flatten(1).double()
        if any(table.settings.get(name) != getattr(own, name) for name in ("soft", "poisson")):
            return Pairs(x, self.simulate(x))
        column = 0 if own.direction == "x" else 1
        return Pairs(x, self._scaled(table.moduli[rows, column : column + 1]))

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        """One draw of cells, split: no cell of one part is a shift or mirror of another's.

        Raises:
            DataError: the table has fewer cells than pairs and targets.
        """
        rows = self.pairs(pairs + targets, seeded(seed, "cells"))
        ends = round(0.8 * pairs), pairs
        return Splits(rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] :])

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the best cells, 2 × 2 of each, with their moduli, under the wanted one."""
        mask = responses.isfinite().all(dim=1)
        best, y = designs[mask][:SHOWN], responses[mask][:SHOWN]
        name = "log10 E" if self.config.response == "log10" else "E"
        side = self.config.side
        captions = [f"{value:.3f}" for value in y[:, 0].tolist()]
        title = f"wanted: {name} = {float(target[0]):.3f}"
        draw_cells(axes, title, best.unflatten(1, (side, side)), captions)
        return True

    def _scaled(self, moduli: Tensor) -> Tensor:
        return moduli.log10() if self.config.response == "log10" else moduli


@lru_cache(maxsize=4)
def _pixels(side: int) -> Space:
    return Space.of(
        *(
            Variable(name=f"r{row + 1}c{column + 1}", prior=Uniform(low=0.0, high=1.0))
            for row in range(side)
            for column in range(side)
        ),
        grid=Grid(rows=side, columns=side, periodic=True, mirrors=True),
    )


def _distinct(count: int, side: int, generator: Generator) -> Tensor:
    """Cells of random families (count, side, side), no two the same up to shifts and mirrors."""
    names = list(FIELDS)
    identities: set[bytes] = set()
    parts: list[Tensor] = []
    while len(identities) < count:
        draws = torch.randint(len(names), (count - len(identities),), generator=generator)
        many = torch.bincount(draws, minlength=len(names)).tolist()
        drawn = [
            random_cells(name, number, side, generator)
            for name, number in zip(names, many, strict=True)
            if number
        ]
        cells = torch.cat(drawn)
        parts.append(cells[first_seen(cells, identities)])
    order = torch.randperm(count, generator=generator)
    return torch.cat(parts)[order]
