"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "ipage",
            "iPage: starts from an invertible network at space-filling latents, then localised.",
            "invcore_ipage.method:IPage",
            references=(
                "Zhang et al., Accelerating inverse learning via intelligent localization with "
                "exploratory sampling, AAAI 2023, https://arxiv.org/abs/2212.01016",
            ),
            tags=("invertible network", "generative", "optimisation", "ranked"),
        )
    ]
