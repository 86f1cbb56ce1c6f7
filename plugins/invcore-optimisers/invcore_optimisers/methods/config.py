"""Settings of the methods; imports no torch."""

from collections.abc import Mapping
from typing import Any, ClassVar

from invcore.plugin import Field
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
        "quick/incompressible-flow": {"steps": 25},  # a call takes long: three minutes in all
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
