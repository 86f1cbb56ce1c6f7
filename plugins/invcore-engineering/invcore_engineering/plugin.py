"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_RAGSDELL = "Ragsdell, Phillips, J. Eng. Ind. 98 (1976), https://doi.org/10.1115/1.3438995"
_COELLO = (
    "Coello Coello, Computers in Industry 41 (2000), https://doi.org/10.1016/S0166-3615(99)00046-9"
)
_SANDGREN = "Sandgren, J. Mech. Des. 112 (1990), https://doi.org/10.1115/1.2912596"
_KANNAN = "Kannan, Kramer, J. Mech. Des. 116 (1994), https://doi.org/10.1115/1.2919393"
_YANG = "Yang, Huyck, Karamanoglu, Khan, 2014, https://arxiv.org/abs/1403.7793"
_GOLINSKI = "Golinski, J. Mechanisms 5 (1970), https://doi.org/10.1016/0022-2569(70)90064-9"
_RAY = "Ray, AIAA J. 41 (2003), https://doi.org/10.2514/2.1984"
_SCHEFFE = "Scheffé, Experiments with mixtures, J. R. Stat. Soc. B 20, 344 (1958)"
_CORNELL = "Cornell, Experiments with Mixtures, 3rd edition, Wiley (2002)"
_MACLEOD = "Macleod, Thin-Film Optical Filters, 4th edition, CRC Press (2010)"


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the engineering tasks."""
    return [
        Component(
            "welded-beam",
            "Four lengths of a welded cantilever to cost, stresses, buckling load and deflection.",
            "invcore_engineering.welded_beam:WeldedBeam",
            references=(_RAGSDELL, _COELLO),
            tags=("closed form", "differentiable", "constraints", "known optimum"),
        ),
        Component(
            "pressure-vessel",
            "Two stock plates, radius and length to cost, volume and the code's margins.",
            "invcore_engineering.pressure_vessel:PressureVessel",
            references=(_SANDGREN, _KANNAN, _YANG),
            tags=("closed form", "differentiable", "discrete design", "known optimum"),
        ),
        Component(
            "speed-reducer",
            "Wheels and shafts of a gearbox to its weight and six loads.",
            "invcore_engineering.speed_reducer:SpeedReducer",
            references=(_GOLINSKI, _RAY),
            tags=(
                "closed form",
                "differentiable",
                "integer design",
                "constraints",
                "known optimum",
            ),
        ),
        Component(
            "concrete-mixture",
            "Eight parts that sum to one to strength, slump, cost and CO2; synthetic.",
            "invcore_engineering.concrete_mixture:ConcreteMixture",
            references=(_SCHEFFE, _CORNELL),
            tags=("closed form", "differentiable", "mixture", "constraints", "known optimum"),
        ),
        Component(
            "optical-coating",
            "Thicknesses and materials of a few layers on glass to reflectance, 450-650 nm.",
            "invcore_engineering.optical_coating:OpticalCoating",
            references=(_MACLEOD,),
            tags=("exact", "differentiable", "categorical design"),
        ),
    ]
