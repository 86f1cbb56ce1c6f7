"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_REN = (
    "Ren, Mahendra, Khatib, Deng, Padilla, Malof, Inverse deep learning methods and benchmarks for "
    "artificial electromagnetic material design, 2021, https://arxiv.org/abs/2112.10254"
)
_CHEN = "Chen, Zhu, Xie, Feng, Liu, Nanoscale 2019, https://doi.org/10.1039/C9NR01315F"
_PEURIFOY = (
    "Peurifoy et al., Science Advances 4, eaar4206 (2018), https://doi.org/10.1126/sciadv.aar4206"
)
_FALKOVSKY = "Falkovsky, J. Phys.: Conf. Ser. 129 (2008), https://arxiv.org/abs/0806.3663"
_YANG = "Yang, Applied Optics 42, 1710 (2003), https://doi.org/10.1364/AO.42.001710"


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the two optics tasks."""
    return [
        Component(
            "thin-film",
            "Five thicknesses of a graphene and Si3N4 stack to its absorptance, 240-2000 nm.",
            "invcore_optics.thin_film:ThinFilm",
            references=(_CHEN, _REN, _FALKOVSKY),
            tags=("exact", "differentiable", "spectrum"),
        ),
        Component(
            "nanoshell",
            "Eight shells of silica and TiO2 to what the particle scatters, 400-800 nm.",
            "invcore_optics.nanoshell:Nanoshell",
            references=(_PEURIFOY, _REN, _YANG),
            tags=("exact", "differentiable", "spectrum"),
        ),
    ]
