"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_FUNG = "Fung et al., npj Comput. Mater. 7:200 (2021), https://doi.org/10.1038/s41524-021-00670-x"
_ZHANG = "Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016"


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the crystal task."""
    return [
        Component(
            "crystal-mos2",
            "Strain and field of an MoS2 cell to its band gap, from a table of DFT.",
            "invcore_crystal.task:CrystalMoS2",
            references=(_FUNG, _ZHANG),
            tags=("proxy simulator", "table", "differentiable"),
        )
    ]


@hookimpl
def invcore_metrics() -> list[Component]:
    """Return the metric of the papers."""
    return [
        Component(
            "hits",
            "Share of candidates within 0.1 eV of the wanted gap; crystal-mos2 alone.",
            "invcore_crystal.hits:Hits",
            references=(_FUNG,),
            tags=("accuracy",),
        )
    ]
