"""Settings of the minimisers; imports no torch."""

from typing import Literal, Self

from pydantic import model_validator

from invcore.plugin import Config, Field


class MinimiserConfig(Config):
    """What all minimisers share."""

    steps: int = Field(200, ge=0, description="Most iterations of one problem.")
    gtol: float = Field(
        1e-5, ge=0, description="A problem is done when no part of its gradient is larger."
    )
    rows_at_once: int = Field(
        65536, ge=1, description="Most points in one call of the objective: bounds memory."
    )
    history: int = Field(
        0, ge=0, description="Most records of the best values that are kept; 0 keeps none."
    )


class QuasiNewtonConfig(MinimiserConfig):
    """What BFGS and L-BFGS share: the line search.

    Example:
        >>> QuasiNewtonConfig(c1=0.95)
        Traceback (most recent call last):
        ...
        pydantic_core._pydantic_core.ValidationError: ...
    """

    c1: float = Field(1e-4, gt=0, lt=1, description="Least share of the decrease that is promised.")
    c2: float = Field(0.9, gt=0, lt=1, description="Largest share of the slope that may be left.")
    search_steps: int = Field(15, ge=1, description="Most points of one line search.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.c1 < self.c2:
            raise ValueError(f"c1 {self.c1} must be below c2 {self.c2}")
        return self


class BFGSConfig(QuasiNewtonConfig):
    """Settings of BFGS; the defaults are SciPy's."""

    scale_first: bool = Field(
        False,
        description="Scale the first inverse Hessian by s'y / y'y before its first update; "
        "off: the identity, as in SciPy.",
    )


class LBFGSConfig(QuasiNewtonConfig):
    """Settings of L-BFGS."""

    memory: int = Field(10, ge=1, description="Pairs of steps and gradients that are remembered.")


class AdamConfig(MinimiserConfig):
    """Settings of Adam."""

    rate: float = Field(0.05, gt=0, description="First learning rate, in the objective's units.")
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the gradient's mean.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the squared gradient's mean.")
    epsilon: float = Field(1e-8, gt=0, description="Keeps the denominator from zero.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="How the rate falls: to zero along half a cosine, or not at all."
    )


class GradientDescentConfig(MinimiserConfig):
    """Settings of gradient descent."""

    step: Literal["armijo", "fixed"] = Field(
        "armijo",
        description="armijo: halve the step until the value falls enough; fixed: always the rate.",
    )
    rate: float = Field(1.0, gt=0, description="The step, or the first one that is tried.")
    c1: float = Field(1e-4, gt=0, lt=1, description="Least share of the decrease that is promised.")
    shrink: float = Field(0.5, gt=0, lt=1, description="Factor of a step that was too long.")
    grow: float = Field(2.0, ge=1, description="Factor of an accepted step, for the next one.")
    search_steps: int = Field(50, ge=1, description="Most points of one backtracking.")
