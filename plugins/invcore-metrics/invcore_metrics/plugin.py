"""What this package adds to invcore."""

from __future__ import annotations

from invcore import Component, hookimpl

_REN = "Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919"


@hookimpl
def invcore_metrics() -> list[Component]:
    """The metrics."""
    return [
        Component(
            "r_T",
            "Expected smallest error among T candidates.",
            "invcore_metrics.expected_best:ExpectedBest",
            references=(_REN,),
            tags=("accuracy",),
        ),
        Component(
            "resimulation-error",
            "Mean, spread and median of the error over all candidates.",
            "invcore_metrics.resimulation_error:ResimulationError",
            tags=("accuracy",),
        ),
        Component(
            "failures",
            "Shares of candidates without a response, and of targets without an answer.",
            "invcore_metrics.failures:Failures",
            tags=("validity",),
        ),
        Component(
            "out-of-bounds",
            "Share of candidates that the space of designs does not allow.",
            "invcore_metrics.out_of_bounds:OutOfBounds",
            tags=("validity",),
        ),
        Component(
            "diversity",
            "How far the candidates of a target lie apart.",
            "invcore_metrics.diversity:Diversity",
            tags=("diversity",),
        ),
        Component(
            "cost",
            "Seconds, simulator calls, and numbers in the fitted model.",
            "invcore_metrics.cost:Cost",
            tags=("cost",),
        ),
    ]
