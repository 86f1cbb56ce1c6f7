"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "na",
            "Neural adjoint: search a frozen forward network from many starts, rank by its error.",
            "invcore_na.method:NeuralAdjoint",
            references=(
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("surrogate", "optimisation", "ranked"),
        )
    ]
