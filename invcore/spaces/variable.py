"""Variables: the columns of designs and responses, and how those of an image lie."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from invcore.configs.config import Config
from invcore.spaces.priors import Categorical, Integers, LogNormal, LogUniform, Poisson, Prior


class Variable(Config):
    """One column: its name, unit, prior and bounds.

    Args:
        name: as in tables and results.
        prior: where designs come from; None for a response.
        unit: for people, for instance ``"m"``; empty where there is none.
        description: one line for people.
        low: a lower bound beside that of the prior's support.
        high: an upper bound beside that of the prior's support.
        layer_of: the pile whose next layer it is, as shells of a particle or films on a glass lie
            on each other in the order of their variables: networks may see depths beside
            thicknesses. Empty for none.

    Example:
        >>> from invcore import Normal
        >>> Variable(name="speed", prior=Normal(mean=0.0, std=1.0), low=0.0).bounds
        (0.0, inf)
    """

    name: str = Field(min_length=1)
    prior: Prior | None = None
    unit: str = ""
    description: str = ""
    low: float | None = None
    high: float | None = None
    layer_of: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"variable {self.name!r}: low {low} must be below high {high}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The prior's support cut by ``low`` and ``high``, to whole numbers where they must be;
        infinite where nothing bounds it.
        """
        low, high = (-math.inf, math.inf) if self.prior is None else self.prior.support
        low = low if self.low is None else max(low, self.low)
        high = high if self.high is None else min(high, self.high)
        return (float(math.ceil(low)), float(math.floor(high))) if self.whole else (low, high)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories' names; empty unless categorical."""
        return self.prior.categories if isinstance(self.prior, Categorical) else ()

    @property
    def descriptors(self) -> tuple[tuple[float, ...], ...] | None:
        """Numbers of each category that networks see in its place; None where there are none."""
        return self.prior.descriptors if isinstance(self.prior, Categorical) else None

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense (counts, integers and categories)."""
        relaxed = isinstance(self.prior, Poisson) and self.prior.relaxed
        return isinstance(self.prior, Poisson | Integers | Categorical) and not relaxed

    @property
    def logarithmic(self) -> bool:
        """Whether its logarithm is what varies evenly, and what networks see."""
        return isinstance(self.prior, LogNormal | LogUniform)


class Grid(Config):
    """How the variables of an image lie: row by row.

    Args:
        rows: of pixels.
        columns: of pixels.
        periodic: the image repeats, and where it is cut makes no difference: shifting it around
            leaves the response as it is.
        mirrors: so does a mirror image, of the rows or of the columns.
    """

    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    periodic: bool = False
    mirrors: bool = False
