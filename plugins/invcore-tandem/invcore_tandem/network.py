"""The inverse network, and the losses that train it through a frozen forward one."""

import torch
from torch import Tensor, nn

from invcore.learning import MLP, Scaling
from invcore_tandem.config import NetworkConfig

_SINGLE = 1e-30, 1e30  # numbers that float32 holds with all digits


class InverseNetwork(nn.Module):
    """From responses to features, both scaled.

    Whole numbers and categories come out as such, while gradients pass as if they did not: what
    the forward network sees in training is what will be proposed.

    Args:
        config: sizes.
        scaling: says which features are what.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, config: NetworkConfig, scaling: Scaling) -> None:
        super().__init__()
        variables = scaling.designs.variables
        forms = scaling.designs.variable_features
        self._whole = scaling.mask(lambda i: variables[i].whole and forms[i].form == "number")
        sizes = [[own.width] if own.form == "one-hot" else [1] * own.width for own in forms]
        self._sizes = [size for own in sizes for size in own]
        first = [0]
        for own in forms:
            first.append(first[-1] + own.width)
        self._described = [
            (slice(start, start + own.width), own)
            for start, own in zip(first, forms, strict=False) if own.form == "descriptors"
        ]  # fmt: skip
        self.network = MLP(
            scaling.conditions,
            scaling.designs.features,
            width=config.width,
            depth=config.depth,
            activation=config.activation,
            batch_norm=config.batch_norm,
            gain=config.gain,
        )
        # Only what comes in steps is rounded in its own units; others may not fit into float32
        huge = ~((scaling.x.scale > _SINGLE[0]) & (scaling.x.centre.abs() < _SINGLE[1]))
        free = scaling.mask(lambda i: not variables[i].whole) & huge.cpu()
        centre, scale = torch.where(free, 0.0, scaling.x.centre.cpu()), scaling.x.scale.cpu()
        scale = torch.where(free, 1.0, scale)
        self.register_buffer("centre", centre.float(), persistent=False)
        self.register_buffer("scale", scale.float(), persistent=False)

    def forward(self, y: Tensor) -> Tensor:
        """Responses, and what is known (N, Dy + C), to features (N, F)."""
        x: Tensor = self.network(y)
        if not bool(self._whole.any()) and max(self._sizes) == 1 and not self._described:
            return x
        own = x * self.scale + self.centre
        near = torch.where(self._whole.to(x.device), own.round(), own)
        near = torch.cat([_one_hot(part) for part in near.split(self._sizes, dim=-1)], dim=-1)
        for columns, form in self._described:
            near[..., columns] = form.encode(form.decode(near[..., columns].detach()))
        snapped = (near - self.centre) / self.scale
        return x + (snapped - x).detach()


def _one_hot(part: Tensor) -> Tensor:
    """One for the largest of a category's features; a single feature stays as it is."""
    if part.shape[-1] == 1:
        return part
    return (part == part.amax(dim=-1, keepdim=True)).to(part)


def outside(x: Tensor, box: tuple[Tensor, Tensor]) -> Tensor:
    """Distance outside the box, summed over features: (N, F) to (N,).

    Example:
        >>> box = torch.zeros(2), torch.ones(2)
        >>> outside(torch.tensor([[0.5, 0.5], [-1.0, 3.0]]), box)
        tensor([0., 3.])
    """
    low, high = box
    return (torch.relu(low - x) + torch.relu(x - high)).sum(-1)
