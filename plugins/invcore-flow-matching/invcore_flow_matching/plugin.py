"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods() -> list[Component]:
    """The method."""
    return [
        Component(
            "flow-matching",
            "Flow matching: a network's velocities carry noise to designs, given the responses.",
            "invcore_flow_matching.method:FlowMatching",
            references=(
                "Lipman, Chen, Ben-Hamu, Nickel, Le, Flow matching for generative modeling, "
                "ICLR 2023, https://arxiv.org/abs/2210.02747",
                "Wildberger, Dax, Buchholz, Green, Macke, Schölkopf, Flow matching for scalable "
                "simulation-based inference, NeurIPS 2023, https://arxiv.org/abs/2305.17161",
            ),
            tags=("flow", "generative", "density"),
        )
    ]
