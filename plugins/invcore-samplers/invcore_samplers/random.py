"""Independent uniform points."""

import torch
from torch import Tensor

from invcore.plugin import Config, Sampler
from invcore_samplers.checks import check_size, strictly_inside


class Random(Sampler[Config]):
    """Independent uniform points in the open unit cube: the baseline of all samplers.

    Example:
        >>> Random().sample(5, 2, torch.Generator().manual_seed(0)).shape
        torch.Size([5, 2])
    """

    independent = True

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """Independent points: (count, dim), float64."""
        check_size(count, dim)
        return _uniform((count, dim), generator)

    def batch(self, targets: int, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """Independent points for every target, (targets, count, dim): they cost nothing."""
        check_size(count, dim)
        return _uniform((targets, count, dim), generator)


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    device = generator.device
    points = torch.rand(shape, generator=generator, dtype=torch.float64, device=device)
    return strictly_inside(points.cpu())
