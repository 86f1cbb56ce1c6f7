"""Affine coupling flows, conditional or not, on top of FrEIA."""

from typing import Literal

import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock
from torch import Tensor, nn

from invcore.learning import MLP
from invcore.plugin import Config, Field, Grid
from invcore_invertible.multiscale import Multiscale, MultiscaleConfig


class CouplingConfig(Config):
    """Sizes of an invertible network."""

    blocks: int = Field(6, ge=1, description="Affine coupling blocks.")
    width: int = Field(128, ge=1, description="Units in each hidden layer of a sub-network.")
    depth: int = Field(2, ge=1, description="Hidden layers of a sub-network.")
    clamp: float = Field(2.0, gt=0, description="Soft limit of a coupling's log scale.")
    gain: float = Field(
        2.0, gt=0, description="First layer's initial weights, times torch's own: more for "
        "responses that oscillate."
    )  # fmt: skip
    mixing: Literal["swap", "permutation"] = Field(
        "swap", description="Between blocks: swap the halves, or permute at random."
    )
    image: MultiscaleConfig = MultiscaleConfig()


class InvertibleNetwork(nn.Module):
    """A bijection of R^D, both ways at equal cost, with log-determinants; given a condition or not.

    Wrap it in ``invcore.plugin.isolated`` to seed its weights.

    Args:
        config: sizes.
        total: D.
        condition: C, numbers that every block is given beside its half; 0 for none.
        grid: how the first columns of x lie if they are an image, which then goes through
            couplings for images before the others.

    References:
        Ardizzone et al., ICLR 2019, https://arxiv.org/abs/1808.04730;
        Ardizzone et al., 2019, https://arxiv.org/abs/1907.02392 (conditions);
        FrEIA's AllInOneBlock, https://github.com/vislearn/FrEIA.

    Example:
        >>> network = InvertibleNetwork(CouplingConfig(width=8), total=4)
        >>> x = torch.ones(3, 4)
        >>> z, log_det = network(x)
        >>> again, log_det_back = network.inverse(z)
        >>> bool((again - x).abs().max() < 1e-5), bool((log_det + log_det_back).abs().max() < 1e-4)
        (True, True)
    """

    def __init__(
        self, config: CouplingConfig, total: int, condition: int = 0, grid: Grid | None = None
    ) -> None:
        super().__init__()
        self.total, self.condition = total, condition
        self.images = None if grid is None else Multiscale(config.image, grid, config.clamp)
        self._pixels = 0 if grid is None else grid.rows * grid.columns
        self.inn = SequenceINN(total)
        of_condition = {"cond": 0, "cond_shape": (condition,)} if condition else {}
        for _ in range(config.blocks):
            self.inn.append(
                AllInOneBlock,
                subnet_constructor=lambda inputs, outputs: _subnet(config, inputs, outputs),
                affine_clamping=config.clamp,
                **of_condition,
            )
            if config.mixing == "swap":
                # A fixed swap of halves lets the first block write functions of one half into the
                # other; random permutations learn more slowly.
                swap = torch.eye(total).roll(total // 2, 0)
                block = self.inn.module_list[-1]
                block.w_perm.data, block.w_perm_inv.data = swap.clone(), swap.T.clone()

    def forward(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """From x (N, D) to z (N, D), and log |det dz/dx| (N,).

        Args:
            x: (N, D).
            condition: (N, C), for a conditional network.
        """
        if self.images is None:
            z, log_det = self.inn(x, self._conditions(condition))
            return z, log_det
        values, first = self.images(x[:, : self._pixels])
        x = torch.cat([values, x[:, self._pixels :]], dim=1)
        z, log_det = self.inn(x, self._conditions(condition))
        return z, first + log_det

    def inverse(self, z: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """From z (N, D) to x (N, D), and log |det dx/dz| (N,)."""
        x, log_det = self.inn(z, self._conditions(condition), rev=True)
        if self.images is None:
            return x, log_det
        values, last = self.images.inverse(x[:, : self._pixels])
        return torch.cat([values, x[:, self._pixels :]], dim=1), log_det + last

    def _conditions(self, condition: Tensor | None) -> list[Tensor] | None:
        return None if condition is None else [condition]


class _Times(nn.Module):
    """A constant factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        return self.factor * values


def _subnet(config: CouplingConfig, inputs: int, outputs: int) -> nn.Module:
    """A coupling's sub-network, near zero at first."""
    net = MLP(inputs, outputs, width=config.width, depth=config.depth)
    with torch.no_grad():
        first, last = net[0], net[-1]
        assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
        first.weight.mul_(config.gain)
        first.bias.mul_(config.gain)
        last.weight.mul_(0.1)
        last.bias.zero_()
    return nn.Sequential(net, _Times(10.0))  # undoes the 0.1 inside of AllInOneBlock
