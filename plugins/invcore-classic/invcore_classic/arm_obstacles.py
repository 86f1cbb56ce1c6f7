"""The robotic-arm-obstacles task: the arm, with discs that it must not touch."""

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import AfterValidator
from torch import Tensor

from invcore.plugin import Config, Field, Space, Task
from invcore_classic.drawing import draw_arms, draw_discs, spread
from invcore_classic.robotic_arm import Convention, RoboticArm, hand_position, joint_positions

LENGTHS = (0.5, 0.5, 1.0)

Disc = tuple[float, float, float]


def _positive(discs: tuple[Disc, ...]) -> tuple[Disc, ...]:
    for disc in discs:
        if not disc[2] > 0:
            raise ValueError(f"the radius of a disc must be positive, and that of {disc} is not")
    return discs


def clearance(x: Tensor, discs: Tensor, convention: Convention = "sum") -> Tensor:
    """Compute how far an arm is from the nearest of some discs.

    The distance of a disc's centre from the nearest point of the nearest segment, less the radius:
    negative where a segment crosses the disc. Differentiable, but where two points are as near.

    Args:
        x: designs (..., 4), see ``hand_position``.
        discs: (K, 3), horizontal and vertical place of the centre, and the radius (length unit).
        convention: how joint angles make segment angles.

    Returns:
        (...), length unit, in x's dtype, from float64.

    Example:
        >>> discs = torch.tensor([[1.0, 0.5, 0.2], [3.0, 0.0, 0.3]])
        >>> clearance(torch.zeros(1, 4), discs).round(decimals=6)
        tensor([0.3000])
    """
    corners = joint_positions(x, LENGTHS, convention)
    start, along = corners[..., :-1, None, :], corners.diff(dim=-2)[..., None, :]  # (..., 3, 1, 2)
    centres, radii = discs.to(corners)[:, :2], discs.to(corners)[:, 2]
    share = ((centres - start) * along).sum(-1, keepdim=True) / along.square().sum(-1, keepdim=True)
    nearest = start + share.clamp(0.0, 1.0) * along
    apart = torch.linalg.vector_norm(nearest - centres, dim=-1) - radii  # (..., 3, K)
    return apart.flatten(-2).amin(dim=-1).to(x.dtype)


class RoboticArmObstaclesConfig(Config):
    """Where the obstacles are, and how angles add up."""

    convention: Convention = Field(
        "sum", description="How joint angles add up, as in the task robotic-arm."
    )
    obstacles: Annotated[tuple[Disc, ...], AfterValidator(_positive)] = Field(
        ((0.9, 0.45, 0.15), (0.9, -0.45, 0.15), (1.4, 0.0, 0.15)),
        min_length=1,
        description="Discs: horizontal and vertical place of the centre, and radius. The arm's "
        "rail is at 0, and it is 2 long.",
    )


class RoboticArmObstacles(Task[RoboticArmObstaclesConfig]):
    """Robotic arm among obstacles: the task robotic-arm, without the designs that touch a disc.

    Designs, responses and simulator are those of robotic-arm, with segments of lengths 1/2, 1/2
    and 1. A design can be made if no segment crosses a disc (``feasible``, by ``clearance``): 55%
    of the prior can, with the default discs. A target that is behind a disc is reached around it on
    one side or the other, so that its solutions, one piece for robotic-arm, fall into several.

    References:
        Kruse et al., 2021, https://arxiv.org/abs/2101.10763, for the arm; the discs are ours

    Example:
        >>> task = RoboticArmObstacles()
        >>> x = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])  # straight
        >>> task.simulate(x), task.feasible(x)
        (tensor([[2., 0.],
                [2., 1.]]), tensor([False,  True]))
    """

    Config = RoboticArmObstaclesConfig
    free_calls = True
    designs: Space = RoboticArm.designs
    responses: Space = RoboticArm.responses
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute hand positions (N, 2) of designs (N, 4), whether they can be made or not.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return hand_position(x, LENGTHS, self.config.convention)

    def feasible(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Which designs (N, 4) touch no disc: (N,), bool. One that is not finite cannot be made."""
        apart = clearance(x, torch.tensor(self.config.obstacles), self.config.convention)
        return self.designs.contains(x) & (apart >= 0)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the discs, the rail, the arms of up to 30 candidates, and the wanted position."""
        draw_discs(axes, torch.tensor(self.config.obstacles))
        corners = joint_positions(spread(designs), LENGTHS, self.config.convention)
        return draw_arms(axes, corners, target, len(designs))
