"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "mdn",
            "Mixture density network: a mixture of Gaussians over designs for each response.",
            "invcore_mdn.method:MixtureDensity",
            references=(
                "Bishop, Mixture density networks, Aston University NCRG/94/004, 1994, "
                "https://publications.aston.ac.uk/id/eprint/373/",
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("generative", "density"),
        )
    ]
