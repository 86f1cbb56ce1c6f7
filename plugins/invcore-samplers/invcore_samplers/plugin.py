"""What invcore reads first: the samplers' names. Light: no torch here."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_samplers() -> list[Component]:
    """Return the samplers of this package."""
    return [
        Component(
            "random",
            "Independent uniform points.",
            "invcore_samplers.random:Random",
            tags=("baseline", "independent"),
        ),
        Component(
            "lhs",
            "Random Latin hypercube: one point a stratum in every dimension.",
            "invcore_samplers.lhs:LHS",
            references=("https://doi.org/10.2307/1268522",),
            tags=("latin", "space-filling"),
        ),
        Component(
            "maximin-lhs",
            "Latin hypercube with its closest two points far apart.",
            "invcore_samplers.maximin:MaximinLHS",
            references=(
                "https://doi.org/10.1016/0378-3758(90)90122-B",
                "https://doi.org/10.1016/0378-3758(94)00035-T",
                "https://doi.org/10.1214/17-AOS1674",
            ),
            tags=("latin", "space-filling", "maximin"),
        ),
        Component(
            "sobol",
            "Scrambled Sobol sequence; a power of two is the best count.",
            "invcore_samplers.sobol:Sobol",
            references=(
                "https://doi.org/10.1016/0041-5553(67)90144-9",
                "https://doi.org/10.1137/070709359",
            ),
            tags=("low-discrepancy", "sequence"),
        ),
        Component(
            "halton",
            "Scrambled Halton sequence; any count is as good.",
            "invcore_samplers.halton:Halton",
            references=("https://doi.org/10.1007/BF01386213", "https://arxiv.org/abs/1706.02808"),
            tags=("low-discrepancy", "sequence"),
        ),
    ]
