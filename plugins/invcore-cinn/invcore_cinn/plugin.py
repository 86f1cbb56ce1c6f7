"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "cinn",
            "Conditional invertible network: designs from latents, given the wanted response.",
            "invcore_cinn.method:ConditionalINN",
            references=(
                "Ardizzone et al., Guided image generation with conditional invertible neural "
                "networks, 2019, https://arxiv.org/abs/1907.02392",
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("invertible network", "generative", "density"),
        )
    ]
