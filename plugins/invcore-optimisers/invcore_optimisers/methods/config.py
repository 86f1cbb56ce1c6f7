"""Settings of the methods; imports no torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from invcore.plugin import Config, Field
from invcore_optimisers.config import AdamConfig, BFGSConfig, GradientDescentConfig, LBFGSConfig

_GTOL = Field(
    1e-6,
    ge=0,
    description="A problem is done when no part of its gradient is larger; errors are in units of "
    "the responses' mean variance, designs in halves of their priors' ranges from 16% to 84%.",
)


class BFGSSearchConfig(BFGSConfig):
    """Settings of the method ``bfgs``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"steps": 50},
        "paper": {"steps": 1000},
    }
    gtol: float = _GTOL


class LBFGSSearchConfig(LBFGSConfig):
    """Settings of the method ``lbfgs``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"steps": 50},
        "paper": {"steps": 1000},
    }
    gtol: float = _GTOL


class GradientDescentSearchConfig(GradientDescentConfig):
    """Settings of the method ``gradient-descent``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"steps": 100},
        "paper": {"steps": 2000},
    }
    steps: int = Field(500, ge=0, description="Most steps that are accepted.")
    gtol: float = _GTOL


class AdamSearchConfig(AdamConfig):
    """Settings of the method ``adam``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"steps": 100},
        "paper": {"steps": 2000},
    }
    steps: int = Field(500, ge=0, description="Most iterations of one problem.")
    gtol: float = _GTOL


class RandomSearchConfig(Config):
    """Settings of the method ``random-search``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"tries": 100},
        "paper": {"tries": 10_000},
    }
    tries: int = Field(1000, ge=1, description="Designs simulated for each candidate.")
    rows_at_once: int = Field(
        65536,
        ge=1,
        description="Most designs tried at once, but for one of each candidate: bounds memory.",
    )


class CMAESConfig(Config):
    """Settings of the method ``cma-es``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"generations": 30},
        "paper": {"generations": 500},
    }
    generations: int = Field(150, ge=1, description="Most generations of one candidate.")
    population: int = Field(
        0, ge=0, description="Designs in a generation, 4 or more; 0: 4 + 3 ln(Dx), as by Hansen."
    )
    sigma: float = Field(
        0.5,
        gt=0,
        description="First standard deviation, in halves of the priors' ranges from 16% to 84%.",
    )
    covariance: Literal["auto", "full", "diagonal"] = Field(
        "auto",
        description="full: how all variables vary together, whose cost a generation grows as the "
        "cube of their number; diagonal: each by itself; auto: full for at most 200 variables.",
    )

    @model_validator(mode="after")
    def _selects(self) -> Self:
        if 0 < self.population < 4:
            raise ValueError(f"population {self.population}: take 4 or more to select from, or 0")
        return self
