"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "tandem",
            "Tandem: an inverse network trained through a frozen forward one; one design a target.",
            "invcore_tandem.method:Tandem",
            references=(
                "Liu, Tan, Khoram, Yu, Training deep neural networks for the inverse design of "
                "nanophotonic structures, ACS Photonics 2018, https://arxiv.org/abs/1710.04724",
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("surrogate", "deterministic"),
        )
    ]
