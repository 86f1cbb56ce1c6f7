"""What the task's designs and responses are, apart from how they are simulated."""

import torch
from torch import Tensor

from invcore.plugin import Space, Uniform, Variable
from invcore_metamaterial.adaptive import interpolated
from invcore_metamaterial.rcwa import PERIOD, Material, SuperCells

POINTS = 300
LOWEST, HIGHEST = 0.8, 1.5  # THz
EQUIVALENT = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0))
"""The lattice moved by half a period along x, y or both: other cylinders, the same response."""


def frequencies(device: torch.device | str = "cpu") -> Tensor:
    """The 300 frequencies of a response, THz, float64."""
    return torch.linspace(LOWEST, HIGHEST, POINTS, dtype=torch.float64, device=device)


def design_space() -> Space:
    """Four heights and four radii, µm."""
    height = Uniform(low=30.0, high=55.0)
    radius = Uniform(low=42.0, high=52.0)
    return Space.of(
        *(
            Variable(name=f"h{n}", prior=height, unit="µm", description=f"height of cylinder {n}")
            for n in range(1, 5)
        ),
        *(
            Variable(name=f"r{n}", prior=radius, unit="µm", description=f"radius of cylinder {n}")
            for n in range(1, 5)
        ),
    )


def response_space() -> Space:
    """The zeroth-order reflectance at each frequency."""
    return Space.of(
        *(
            Variable(name=f"f{place + 1}", description=f"reflectance at {value:.4f} THz")
            for place, value in enumerate(frequencies().tolist())
        )
    )


def equivalents(x: Tensor) -> Tensor:
    """The four designs (4, N, 8) with the responses of x (N, 8), itself first."""
    columns = [[*order, *(4 + place for place in order)] for order in EQUIVALENT]
    return torch.stack([x[:, column] for column in columns])


def reflectance(
    x: Tensor, *, orders: int, material: Material | None = None, period: float = PERIOD
) -> Tensor:
    """Compute the reflectance (N, 300) of cells (N, 8) at every frequency; differentiable."""
    cells = SuperCells(x, orders=orders, material=material, period=period)
    return cells.reflect(frequencies(x.device)).abs() ** 2


def adaptive_reflectance(
    x: Tensor,
    *,
    orders: int,
    material: Material | None = None,
    period: float = PERIOD,
    tolerance: float = 1e-4,
) -> tuple[Tensor, Tensor]:
    """Compute the reflectance of cells from about 42 frequencies each, without derivatives.

    Args:
        x: (N, 8), µm.
        orders: m.
        material: of the cylinders.
        period: µm.
        tolerance: of the complex reflection, see ``interpolated``.

    Returns:
        The reflectance (N, 300), float64, and how many frequencies were solved (N,).
    """
    grid = frequencies(x.device)
    spectra, counts = [], []
    with torch.no_grad():
        for row in x.detach().split(1):
            cell = SuperCells(row, orders=orders, material=material, period=period)
            values, solved = interpolated(
                lambda places, cell=cell: cell.reflect(grid[places])[0].cpu().numpy(),  # type: ignore[misc]
                POINTS,
                tolerance=tolerance,
            )
            spectra.append(torch.from_numpy(values).abs() ** 2)
            counts.append(solved)
    return torch.stack(spectra).to(x.device), torch.tensor(counts, dtype=torch.int64)
