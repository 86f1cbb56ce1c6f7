"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "inn",
            "Invertible network: designs to (responses, latents), and back for wanted ones.",
            "invcore_inn.method:INN",
            references=(
                "Ardizzone et al., Analyzing inverse problems with invertible neural networks, "
                "ICLR 2019, https://arxiv.org/abs/1808.04730",
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("invertible network", "generative", "density"),
        )
    ]
