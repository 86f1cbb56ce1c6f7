"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "cvae",
            "Conditional variational auto-encoder: a decoder from latents and responses.",
            "invcore_cvae.method:ConditionalVAE",
            references=(
                "Sohn, Lee, Yan, Learning structured output representation using deep conditional "
                "generative models, NeurIPS 2015",
                "Ren, Padilla, Malof, Benchmarking deep inverse models over time, and the "
                "neural-adjoint method, NeurIPS 2020, https://arxiv.org/abs/2009.12919",
            ),
            tags=("generative",),
        )
    ]
