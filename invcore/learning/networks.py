"""The building block that plugins share, a multi-layer perceptron; and seeds for any network."""

from collections.abc import Callable
from typing import Literal, TypeVar

import torch
from torch import nn

from invcore.base.seeding import isolated
from invcore.contracts.environment import FitEnvironment

N = TypeVar("N", bound=nn.Module)


class Sine(nn.Module):
    """The sine, for functions that wave.

    References:
        Sitzmann, Martel, Bergman, Lindell, Wetzstein, Implicit neural representations with periodic
        activation functions, NeurIPS 2020, https://arxiv.org/abs/2006.09661.

    Example:
        >>> Sine()(torch.zeros(1))
        tensor([0.])
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sines of x (...)."""
        return x.sin()


Activation = Literal["silu", "relu", "gelu", "tanh", "sine"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "silu": nn.SiLU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sine": Sine,
}  # fmt: skip


class MLP(nn.Sequential):
    """A multi-layer perceptron. Build it by ``seeded_network`` to seed its weights.

    Args:
        inputs: features in.
        outputs: features out.
        width: of each hidden layer.
        depth: number of hidden layers.
        activation: after each hidden layer.
        batch_norm: normalise over the batch before each activation.
        gain: the first layer's initial weights, times torch's own; only with hidden layers.
        residual: from the second hidden layer on, each adds to what it is given.

    Example:
        >>> MLP(2, 1, width=8, depth=2)(torch.zeros(3, 2)).shape
        torch.Size([3, 1])
    """

    def __init__(
        self, inputs: int, outputs: int, *, width: int = 128, depth: int = 3,
        activation: Activation = "silu", batch_norm: bool = False, gain: float = 1.0,
        residual: bool = False,
    ) -> None:  # fmt: skip
        layers: list[nn.Module] = []
        for i in range(depth):
            linear = nn.Linear(inputs if i == 0 else width, width)
            if i == 0:
                with torch.no_grad():
                    linear.weight.mul_(gain)
                    linear.bias.mul_(gain)
            layer: list[nn.Module] = [linear]
            if batch_norm:
                layer.append(nn.BatchNorm1d(width))
            layer.append(_ACTIVATIONS[activation]())
            layers += [Residual(*layer)] if residual and i else layer
        layers.append(nn.Linear(width if depth else inputs, outputs))
        super().__init__(*layers)


class Residual(nn.Sequential):
    """Layers whose result is added to what they are given.

    Example:
        >>> Residual(Sine())(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, D) to (N, D)."""
        result = x
        for layer in self:
            result = layer(result)
        return x + result


def seeded_network(build: Callable[[], N], env: FitEnvironment, *names: object) -> N:
    """A network whose first weights depend on the fit's seed and its names alone.

    Args:
        build: makes it; it is called with the global generators seeded, and they are put back.
        env: the device that it is put on, and the seed.
        names: of this network among those of the fit; first of all its training's label.

    Example:
        >>> env = FitEnvironment(seed=1)
        >>> first, again = (seeded_network(lambda: MLP(2, 1), env, "mine") for _ in range(2))
        >>> torch.equal(first[0].weight, again[0].weight)
        True
    """
    label, *others = names
    with isolated(env.derive(label, "weights", *others)):
        return build().to(env.device)
