"""The robotic-arm task: a three-jointed planar arm on a vertical rail."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from invcore.plugin import Config, Field, Modes, Normal, Space, Task, Variable
from invcore_classic.arm_modes import Arm, arm_modes
from invcore_classic.drawing import draw_arms, spread

Convention = Literal["sum", "difference"]

# Rows: segments; columns: how much of each joint angle is in the segment's absolute angle.
_ANGLES: dict[Convention, tuple[tuple[float, ...], ...]] = {
    "sum": ((1, 0, 0), (1, 1, 0), (1, 1, 1)),
    "difference": ((1, 0, 0), (-1, 1, 0), (-1, -1, 1)),
}


def hand_position(
    x: Tensor,
    lengths: tuple[float, float, float] = (0.5, 0.5, 1.0),
    convention: Convention = "sum",
) -> Tensor:
    """Compute where the hand of a planar arm is.

    With absolute segment angles φi: y = (Σ li cos φi, x1 + Σ li sin φi), where

    * ``sum``: φ = (x2, x2 + x3, x2 + x3 + x4), each joint turns what follows it;
    * ``difference``: φ = (x2, x3 - x2, x4 - x3 - x2), as in the code of Ren et al.

    References:
        Kruse et al., 2021, https://arxiv.org/abs/2101.10763 (sum);
        https://github.com/BensonRen/BDIMNNA, ``generate_robotic_arm.py`` (difference)

    Args:
        x: designs (..., 4): start height (length unit), three joint angles (rad).
        lengths: of the three segments (length unit).
        convention: how joint angles make segment angles.

    Returns:
        Positions (..., 2), horizontal and vertical (length unit), in x's dtype, from float64.

    Example:
        >>> hand_position(torch.tensor([[0.25, 0.0, 0.0, 0.0]]))
        tensor([[2.0000, 0.2500]])
    """
    wide = x.to(torch.float64)
    mix = wide.new_tensor(_ANGLES[convention])
    length = wide.new_tensor(lengths)
    phi = wide[..., 1:] @ mix.T
    across = (length * torch.cos(phi)).sum(-1)
    up = wide[..., 0] + (length * torch.sin(phi)).sum(-1)
    return torch.stack((across, up), dim=-1).to(x.dtype)


def joint_positions(
    x: Tensor,
    lengths: tuple[float, float, float] = (0.5, 0.5, 1.0),
    convention: Convention = "sum",
) -> Tensor:
    """Compute where the corners of a planar arm are, from the rail to the hand.

    Args:
        x: designs (..., 4), see ``hand_position``.
        lengths: of the three segments (length unit).
        convention: how joint angles make segment angles.

    Returns:
        Positions (..., 4, 2), horizontal and vertical (length unit), float64.

    Example:
        >>> joint_positions(torch.tensor([0.25, 0.0, 0.0, 0.0])).tolist()
        [[0.0, 0.25], [0.5, 0.25], [1.0, 0.25], [2.0, 0.25]]
    """
    corners = []
    for many in range(4):  # the hand of the arm that ends at this corner
        parts = tuple(length if i < many else 0.0 for i, length in enumerate(lengths))
        corners.append(hand_position(x.double(), (parts[0], parts[1], parts[2]), convention))
    return torch.stack(corners, dim=-2)


class RoboticArmConfig(Config):
    """Geometry of the arm."""

    convention: Convention = Field(
        "sum",
        description="How joint angles add up: 'sum' as in Kruse et al., 'difference' as in the "
        "code of Ren et al. The response's distribution differs.",
    )
    length1: float = Field(0.5, gt=0, description="Length of the segment at the rail.")
    length2: float = Field(0.5, gt=0, description="Length of the middle segment.")
    length3: float = Field(1.0, gt=0, description="Length of the segment with the hand.")


class RoboticArm(Task[RoboticArmConfig]):
    """Robotic arm: start height and three joint angles to the hand's position.

    Designs are normal around zero with standard deviations 1/4, 1/2, 1/2, 1/2. Simulated in
    float64; the gradient is exact; every design has a response.

    References:
        Kruse et al., 2021, https://arxiv.org/abs/2101.10763;
        Ren, Padilla, Malof, NeurIPS 2020 (task D3), https://arxiv.org/abs/2009.12919

    Example:
        >>> RoboticArm().simulate(torch.zeros(1, 4))
        tensor([[2., 0.]])
    """

    Config = RoboticArmConfig
    free_calls = True
    designs = Space.of(
        Variable(
            name="x1", prior=Normal(mean=0.0, std=0.25), description="start height on the rail"
        ),
        Variable(name="x2", prior=Normal(mean=0.0, std=0.5), unit="rad", description="first joint"),
        Variable(
            name="x3", prior=Normal(mean=0.0, std=0.5), unit="rad", description="second joint"
        ),
        Variable(name="x4", prior=Normal(mean=0.0, std=0.5), unit="rad", description="third joint"),
    )
    responses = Space.of(
        Variable(name="y1", description="hand, horizontal"),
        Variable(name="y2", description="hand, vertical"),
    )
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute hand positions (N, 2) of designs (N, 4).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        own = self.config
        return hand_position(x, (own.length1, own.length2, own.length3), own.convention)

    def modes(self, targets: Tensor, designs: Tensor) -> Modes:
        """The locally most probable designs of each target: see ``arm_modes``.

        A design belongs to the one that is nearest in the prior's standard deviations. Modes with
        less than 1e-4 of the best one's density do not count. That none is missed is shown by the
        tests, for a sample of targets.
        """
        own = self.config
        lengths = targets.new_tensor([own.length1, own.length2, own.length3], dtype=torch.float64)
        mix = lengths.new_tensor(_ANGLES[own.convention])
        scale = lengths.new_tensor(
            [v.prior.std for v in self.designs.variables if isinstance(v.prior, Normal)]
        )
        return arm_modes(targets, designs, Arm(lengths.cpu(), mix.cpu(), scale.cpu()))

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the rail, the arms of up to 30 candidates, and the wanted hand position."""
        own = self.config
        lengths = (own.length1, own.length2, own.length3)
        corners = joint_positions(spread(designs), lengths, own.convention)
        return draw_arms(axes, corners, target, len(designs))
