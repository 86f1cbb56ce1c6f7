"""Settings of joint parameterised optimisation."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore_optimisers import BFGSConfig, LBFGSConfig

from invcore.plugin import Config, Field


class NetworkConfig(Config):
    """The network that gives a design for a target, and what is known of its problem."""

    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    depth: int = Field(3, ge=0, description="Hidden layers.")
    spread: float = Field(
        1.0, ge=0, description="Standard deviation of the first designs over the problems of all "
        "networks, in that of the prior: where gradients are zero, nothing brings them apart; 0: "
        "all in its middle."
    )  # fmt: skip


class JointConfig(Config):
    """Settings of joint parameterised optimisation.

    Example:
        >>> JointConfig.resolve({}, preset="quick").steps
        200
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"quick": {"steps": 200}}

    joint: int = Field(
        0, ge=0, description="Problems that share a network, in the order of the targets; 0: all. "
        "With fewer, several networks are trained side by side."
    )  # fmt: skip
    steps: int = Field(500, ge=1, description="Steps of each network.")
    batch: int = Field(
        0, ge=0, description="Problems of a network in one step, drawn at random; 0: all of them."
    )
    lr: float = Field(1e-2, gt=0, description="Highest learning rate of Adam.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="How the rate falls: to a thousandth along half a cosine, or never."
    )
    clip: float = Field(
        1.0, ge=0, description="Clip the norm of a network's gradient to this; 0 does not."
    )
    clip_problem: float = Field(
        3.0, ge=0, description="Before that, clip the gradient of each problem's error by its "
        "design, so that no problem drowns the others; 0 does not."
    )  # fmt: skip
    network: NetworkConfig = NetworkConfig()
    refine: Literal["none", "bfgs", "lbfgs"] = Field(
        "none",
        description="What goes on from each design, on each problem alone: bfgs keeps Dx² "
        "numbers for each, lbfgs is for many variables.",
    )
    bfgs: BFGSConfig = BFGSConfig()
    lbfgs: LBFGSConfig = LBFGSConfig()
    rows: int = Field(
        65536, ge=1, description="Problems simulated at once: bounds the memory of gradients."
    )
