"""One member of the ensemble: from normalised features to raw outputs."""

import torch
from torch import Tensor, nn

from invcore.learning import MLP
from invcore_proxy.config import ProxyConfig, Shape

_ACTIVATIONS = {"silu": nn.SiLU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


class Member(nn.Module):
    """A network of the ensemble; its outputs are raw, the head makes responses of them.

    Args:
        config: activation, and what kind of responses.
        shape: width and depth.
        features: F, of the designs.
        responses: Dy.

    Example:
        >>> Member(ProxyConfig(zero_part=True), Shape(width=8), 2, 3)(torch.zeros(5, 2)).shape
        torch.Size([5, 6])
    """

    def __init__(self, config: ProxyConfig, shape: Shape, features: int, responses: int) -> None:
        super().__init__()
        self._cut = responses if config.sequence else None
        outputs = responses * (2 if config.zero_part else 1)
        if config.sequence:
            outputs = -(-responses // 2**config.upsamplings)
        self.body = MLP(
            features, outputs, width=shape.width, depth=shape.depth, activation=config.activation
        )
        self.curve = _curve(config) if config.sequence else None

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) to raw outputs (N, Dy), or (N, 2 Dy): values, then logits of not 0."""
        out: Tensor = self.body(features)
        if self.curve is None:
            return out
        curve: Tensor = self.curve(out[:, None])
        return curve[:, 0, : self._cut]


def _curve(config: ProxyConfig) -> nn.Sequential:
    """Transposed convolutions that double the points, convolutions that smooth, one channel out.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, the meta-material.
    """
    channels, activation = config.channels, _ACTIVATIONS[config.activation]
    layers: list[nn.Module] = []
    for i in range(config.upsamplings):
        before = channels if i else 1
        layers += [nn.ConvTranspose1d(before, channels, 8, stride=2, padding=3), activation()]
    for _ in range(2):
        layers += [nn.Conv1d(channels, channels, 5, padding=2), activation()]
    return nn.Sequential(*layers, nn.Conv1d(channels, 1, 1))


def expected_shapes(config: ProxyConfig, features: int, responses: int) -> dict[str, torch.Size]:
    """Names and shapes of all members' weights, without making them."""
    with torch.device("meta"):
        members = [Member(config, shape, features, responses) for shape in config.member_shapes]
    return {
        f"member.{m}.{name}": value.shape
        for m, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
