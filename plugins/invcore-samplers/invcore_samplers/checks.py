"""What all samplers share: a seed from the generator, sizes checked, points strictly inside."""

import numpy as np
import torch
from torch import Tensor

#: Smallest distance of a coordinate to a face of the cube.
MARGIN = 2.0**-33


def draw_seed(generator: torch.Generator) -> int:
    """Draw a 63-bit seed, so that libraries with generators of their own follow this one.

    Example:
        >>> draw_seed(torch.Generator().manual_seed(0)) == draw_seed(
        ...     torch.Generator().manual_seed(0)
        ... )
        True
    """
    high = 2**63 - 1
    return int(torch.randint(high, (1,), generator=generator, device=generator.device).item())


def numpy_generator(generator: torch.Generator) -> np.random.Generator:
    """A NumPy generator seeded with one draw from a torch generator.

    Example:
        >>> numpy_generator(torch.Generator().manual_seed(0)).random() < 1
        True
    """
    return np.random.default_rng(draw_seed(generator))


def check_size(count: int, dim: int) -> None:
    """Refuse an empty design.

    Raises:
        ValueError: `count` or `dim` is below 1.

    Example:
        >>> check_size(1, 1)
    """
    if count < 1 or dim < 1:
        raise ValueError(f"a design needs count >= 1 and dim >= 1, got count={count}, dim={dim}")


def strictly_inside(points: Tensor) -> Tensor:
    """Move coordinates that touch a face of the unit cube inside it by `MARGIN`.

    A coordinate of exactly 0 or 1 would become an infinite latent in a normal's inverse CDF.

    Example:
        >>> strictly_inside(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)).max() < 1
        tensor(True)
    """
    return points.clamp(MARGIN, 1.0 - MARGIN)
