"""The few building blocks that plugins share: a multi-layer perceptron, and a surrogate."""

from __future__ import annotations

from typing import Literal

from torch import nn

Activation = Literal["silu", "relu", "gelu", "tanh"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


class MLP(nn.Sequential):
    """A multi-layer perceptron. Wrap it in ``invcore.isolated`` to seed its weights.

    Args:
        inputs: features in.
        outputs: features out.
        width: of each hidden layer.
        depth: number of hidden layers.
        activation: after each hidden layer.
        batch_norm: normalise over the batch before each activation.

    Example:
        >>> import torch
        >>> MLP(2, 1, width=8, depth=2)(torch.zeros(3, 2)).shape
        torch.Size([3, 1])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 128,
        depth: int = 3,
        activation: Activation = "silu",
        batch_norm: bool = False,
    ) -> None:
        layers: list[nn.Module] = []
        for i in range(depth):
            layers.append(nn.Linear(inputs if i == 0 else width, width))
            if batch_norm:
                layers.append(nn.BatchNorm1d(width))
            layers.append(_ACTIVATIONS[activation]())
        layers.append(nn.Linear(width if depth else inputs, outputs))
        super().__init__(*layers)
