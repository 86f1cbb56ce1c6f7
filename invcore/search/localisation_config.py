"""Settings of a localisation."""

from typing import Literal

from invcore.configs.config import Config, Field


class LocalisationConfig(Config):
    """How starts are moved."""

    solver: Literal["auto", "lm", "adam"] = Field(
        "auto",
        description="lm: Levenberg-Marquardt, needs at most 16 design features or responses; "
        "adam: as the papers do; auto: lm where it can.",
    )
    steps: int = Field(40, ge=0, description="Most steps of lm.")
    adam_steps: int = Field(300, ge=0, description="Most steps of adam.")
    lr: float = Field(0.02, gt=0, description="First step size of adam, in standard deviations.")
    tolerance: float = Field(
        1e-10, ge=0, description="A start is done at this squared error, in scaled units."
    )
    max_step: float = Field(1.0, gt=0, description="Longest step of lm, in standard deviations.")
    boundary: float = Field(
        10.0, ge=0, description="adam: weight of the mean distance outside the box."
    )
    trust: bool = Field(
        True,
        description="Rank by the model's own error plus its error at the ten nearest known pairs; "
        "off: by its own error alone, as published.",
    )
    nearest: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Where starts are known designs: the share of the training designs, those with "
        "the nearest responses, that they come from.",
    )
    neighbours: int = Field(
        20,
        ge=0,
        description="Where designs have categories or levels: most changes of a start's category, "
        "level or whole number to a neighbour, after it was moved; 0: they keep what it says.",
    )
    rows: int = Field(
        65536,
        ge=1,
        description="Starts of up to 16 features that are moved at once, of more features "
        "accordingly fewer; bounds the memory.",
    )
