"""Settings of a proxy simulator: its networks, its outputs, its symmetries, its training."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from invcore.learning import TrainingConfig
from invcore.plugin import Config, Field


class Shape(Config):
    """The size of one network."""

    width: int = Field(128, ge=1, le=16384, description="Units in each hidden layer.")
    depth: int = Field(4, ge=0, le=100, description="Hidden layers.")


class ProxyConfig(Config):
    """Settings of a proxy simulator: an ensemble of networks.

    Example:
        >>> config = ProxyConfig(members=3, shapes=(Shape(width=64), Shape(width=128)))
        >>> config.groups
        ((0, 2), (1,))
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"members": 3, "shapes": [{"width": 64, "depth": 3}], "training": {"epochs": 60}},
        # PAPERS: the ensemble of the meta-material.
        "paper": {
            "shapes": [{"width": 1000, "depth": 4}],
            "activation": "relu",
            "training": {"batch_size": 1024, "schedule": "plateau", "average": 0.0, "min_steps": 1},
        },
    }

    members: int = Field(5, ge=1, le=100, description="Networks in the ensemble.")
    shapes: tuple[Shape, ...] = Field(
        (Shape(),),
        min_length=1,
        description="Sizes of the networks, dealt out to the members in turn; those of one size "
        "are trained at once.",
    )
    activation: Literal["silu", "relu", "gelu", "tanh"] = Field(
        "silu", description="After each hidden layer."
    )
    output: Literal["plain", "squash", "non-negative"] = Field(
        "plain", description="squash keeps responses between low and high, non-negative above 0."
    )
    low: float = Field(0.0, description="squash: lower end of the responses.")
    high: float = Field(1.0, description="squash: upper end of the responses.")
    zero_part: bool = Field(
        False, description="For responses that are exactly 0 in a share of rows: a logit says so."
    )
    sequence: bool = Field(
        False, description="The response is one curve: convolutions at the end, one common scale."
    )
    upsamplings: int = Field(
        1, ge=1, le=2, description="sequence: how often the curve's points are doubled."
    )
    channels: int = Field(4, ge=1, le=64, description="sequence: curves between the convolutions.")
    symmetries: tuple[tuple[str, ...], ...] = Field(
        (),
        description="Orders of all design variables, by name, that leave the response as it is.",
    )
    symmetrise: bool = Field(
        True, description="Average predictions over the symmetries, so that they hold exactly."
    )
    half: bool = Field(
        False, description="Round weights to 16 bits before errors are measured; a smaller file."
    )
    training: TrainingConfig = TrainingConfig(epochs=300, average=0.998)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        if self.zero_part and self.sequence:
            raise ValueError("zero_part and sequence exclude each other")
        if self.training.restarts != 1:
            raise ValueError("training.restarts must be 1: all members are kept")
        return self

    @property
    def member_shapes(self) -> tuple[Shape, ...]:
        """The size of each member."""
        return tuple(self.shapes[m % len(self.shapes)] for m in range(self.members))

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The members of each size: they are computed at once."""
        shapes = self.member_shapes
        return tuple(
            tuple(m for m, shape in enumerate(shapes) if shape == one)
            for one in dict.fromkeys(shapes)
        )
