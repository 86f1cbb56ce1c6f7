"""Settings of the loops; imports no torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from invcore.plugin import Config, Field


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
        "quick/incompressible-flow": {"generations": 8},  # a call takes long: three minutes in all
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
