"""Random two-phase cells: scalar fields of several kinds, cut at a level.

Each family draws a periodic field; a cell is solid where the field is smallest, as much of it as
its solid fraction says. Where many pixels are equal, all or none of them are solid.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor

POROSITY = (0.25, 0.75)
_LINES = (
    (1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2), (2, 0), (0, 2),
    (3, 0), (0, 3), (2, 2), (2, -2), (3, 1), (1, 3), (3, -1), (1, -3), (4, 0), (0, 4),
)  # fmt: skip


def random_fields(count: int, side: int, generator: Generator) -> Tensor:
    """Gaussian random fields (count, side, side), correlated over 1 to 6 pixels of 32.

    The correlation length is up to four times as long in one direction as across it.
    """
    length = 1 / 32 * 6 ** _uniform(count, generator)[:, None, None]
    ratio = 4 ** (_uniform(count, generator)[:, None, None] / 2)
    angle = math.pi * _uniform(count, generator)[:, None, None]
    i, j = _waves(side)
    along = i * torch.cos(angle) + j * torch.sin(angle)
    across = j * torch.cos(angle) - i * torch.sin(angle)
    spread = (along * ratio) ** 2 + (across / ratio) ** 2
    return _filtered(torch.exp(-0.5 * (2 * math.pi * length) ** 2 * spread / 2), generator)


def spinodal_fields(count: int, side: int, generator: Generator) -> Tensor:
    """Sums of waves of about one length (count, side, side): 1.5 to 6 periods a cell."""
    centre = 1.5 * 4 ** _uniform(count, generator)[:, None, None]
    i, j = _waves(side)
    radius = torch.sqrt(i**2 + j**2)
    return _filtered(torch.exp(-(((radius - centre) / (0.15 * centre + 0.3)) ** 2)), generator)


def ellipse_fields(count: int, side: int, generator: Generator) -> Tensor:
    """Distance to 1 to 8 ellipses in their own measure (count, side, side): holes, or grains."""
    x, y = _grid(side)
    best = torch.full((count, side, side), torch.inf, dtype=torch.float64)
    many = torch.randint(1, 9, (count,), generator=generator)
    for k in range(8):
        cx, cy, turn, shape, size = (_uniform(count, generator)[:, None, None] for _ in range(5))
        dx, dy = _wrapped(x - cx), _wrapped(y - cy)
        angle, ratio = math.pi * turn, 4 ** (shape / 2)
        along = dx * torch.cos(angle) + dy * torch.sin(angle)
        across = dy * torch.cos(angle) - dx * torch.sin(angle)
        distance = torch.sqrt((along / ratio) ** 2 + (across * ratio) ** 2) / (0.4 + size)
        best = torch.where((k < many)[:, None, None], torch.minimum(best, distance), best)
    holes = (_uniform(count, generator) < 0.7)[:, None, None]
    return torch.where(holes, -best, best)


def lattice_fields(count: int, side: int, generator: Generator) -> Tensor:
    """Distance to 1 to 4 families of straight lines that fit the cell (count, side, side)."""
    x, y = _grid(side)
    lines = torch.tensor(_LINES, dtype=torch.float64)
    best = torch.full((count, side, side), torch.inf, dtype=torch.float64)
    many = torch.randint(1, 5, (count,), generator=generator)
    for k in range(4):
        p, q = lines[torch.randint(len(lines), (count,), generator=generator)].T[:, :, None, None]
        phase, width = (_uniform(count, generator)[:, None, None] for _ in range(2))
        distance = _wrapped(p * x + q * y - phase).abs() / torch.hypot(p, q) / (0.3 + width)
        best = torch.where((k < many)[:, None, None], torch.minimum(best, distance), best)
    return best


def strut_fields(count: int, side: int, generator: Generator) -> Tensor:
    """Distance to 3 to 10 straight struts between random places (count, side, side)."""
    x, y = _grid(side)
    best = torch.full((count, side, side), torch.inf, dtype=torch.float64)
    many = torch.randint(3, 11, (count,), generator=generator)
    for k in range(10):
        cx, cy, turn, long, width = (_uniform(count, generator)[:, None, None] for _ in range(5))
        angle, half = math.pi * turn, 0.1 + 0.4 * long
        nearest = torch.full_like(best, torch.inf)
        for shift_x in (-1.0, 0.0, 1.0):
            for shift_y in (-1.0, 0.0, 1.0):
                dx, dy = x - cx + shift_x, y - cy + shift_y
                along = dx * torch.cos(angle) + dy * torch.sin(angle)
                across = dy * torch.cos(angle) - dx * torch.sin(angle)
                beyond = (along.abs() - half).clamp(min=0.0)
                nearest = torch.minimum(nearest, torch.hypot(beyond, across))
        nearest = nearest / (0.3 + width)
        best = torch.where((k < many)[:, None, None], torch.minimum(best, nearest), best)
    return best


def foam_fields(count: int, side: int, generator: Generator) -> Tensor:
    """How near a place is to the walls between 3 to 16 random seeds (count, side, side)."""
    x, y = _grid(side)
    many = torch.randint(3, 17, (count,), generator=generator)
    distances = []
    for k in range(16):
        cx, cy = (_uniform(count, generator)[:, None, None] for _ in range(2))
        distance = torch.hypot(_wrapped(x - cx), _wrapped(y - cy))
        distances.append(torch.where((k < many)[:, None, None], distance, torch.inf))
    nearest = torch.stack(distances, dim=-1).topk(2, largest=False).values
    return nearest[..., 1] - nearest[..., 0]


FIELDS: Mapping[str, Callable[[int, int, Generator], Tensor]] = {
    "random-field": random_fields,
    "spinodal": spinodal_fields,
    "ellipses": ellipse_fields,
    "lattice": lattice_fields,
    "struts": strut_fields,
    "foam": foam_fields,
}


def random_cells(family: str, count: int, side: int, generator: Generator) -> Tensor:
    """Draw two-phase cells of a family, with porosities spread evenly over 0.25 to 0.75.

    Args:
        family: one of ``FIELDS``.
        count: how many.
        side: pixels on a side.
        generator: decides the draw.

    Returns:
        (count, side, side), bool, True where solid.

    Example:
        >>> cells = random_cells("foam", 2, 16, torch.Generator().manual_seed(0))
        >>> cells.shape, cells.dtype
        (torch.Size([2, 16, 16]), torch.bool)
    """
    parts: list[Tensor] = []
    missing = count
    while missing:  # a field of few levels may not have the porosity that was drawn
        field = FIELDS[family](missing, side, generator).flatten(1)
        low, high = POROSITY
        solid = 1 - low - (high - low) * _uniform(missing, generator)
        places = (solid * field.shape[1]).round().long().clamp(1, field.shape[1]) - 1
        level = field.sort(dim=1).values.gather(1, places[:, None])
        cells = (field <= level + 1e-9).unflatten(1, (side, side))
        cells = cells[allowed(cells)]
        parts.append(cells)
        missing -= len(cells)
    return torch.cat(parts)


def allowed(cells: Tensor) -> Tensor:
    """Which cells (N, n, n), bool, have a porosity from 0.25 to 0.75: (N,)."""
    porosity = 1 - cells.double().mean(dim=(1, 2))
    return (porosity >= POROSITY[0]) & (porosity <= POROSITY[1])


def _uniform(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator, dtype=torch.float64)


def _grid(side: int) -> tuple[Tensor, Tensor]:
    """The pixels' middles along x and y, in a cell of side 1."""
    middle = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    return x, y


def _waves(side: int) -> tuple[Tensor, Tensor]:
    frequency = torch.fft.fftfreq(side, 1 / side, dtype=torch.float64)
    j, i = torch.meshgrid(frequency, frequency, indexing="ij")
    return i, j


def _wrapped(distance: Tensor) -> Tensor:
    """The shortest of a distance's periodic images."""
    return distance - distance.round()


def _filtered(amplitude: Tensor, generator: Generator) -> Tensor:
    """White noise whose waves are scaled by ``amplitude`` (N, n, n)."""
    noise = torch.randn(amplitude.shape, generator=generator, dtype=torch.float64)
    return torch.fft.ifft2(torch.fft.fft2(noise) * amplitude).real
