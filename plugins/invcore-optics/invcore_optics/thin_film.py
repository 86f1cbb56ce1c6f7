"""The thin-film task: what a stack of graphene and silicon nitride on glass absorbs."""

import math
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Literal

import torch
from torch import Tensor

from invcore.numerics import in_chunks
from invcore.plugin import Config, Field, Space, Task, Uniform, Variable
from invcore_optics.drawing import draw_spectra
from invcore_optics.graphene import graphene_conductivity, sheet_index
from invcore_optics.stack import stack_fluxes

LAYERS, POINTS = 5, 256
SHORTEST, LONGEST = 240.0, 2000.0  # nm
SHEET = 0.35  # nm
NITRIDE, GLASS, AIR = 2.0, 1.46, 1.0
PUBLISHED = 3.306459758 + 3.152632723j  # Ren et al.'s table at 2000 nm, its first row
_ROWS = 1024

Side = Literal["air", "glass"]


def film_wavelengths() -> Tensor:
    """The 256 Chebyshev points of the second kind on [240, 2000] nm, ascending.

    Example:
        >>> film_wavelengths()[[0, 1, -1]]
        tensor([ 240.0000,  240.0668, 2000.0000], dtype=torch.float64)
    """
    angle = torch.arange(POINTS, dtype=torch.float64) * (math.pi / (POINTS - 1))
    middle, half = 0.5 * (SHORTEST + LONGEST), 0.5 * (LONGEST - SHORTEST)
    return middle - half * torch.cos(angle)


def absorptance(
    x: Tensor, wavelength: Tensor, graphene_index: Tensor, light_from: Side = "air"
) -> Tensor:
    """Compute what share of the light a stack on glass absorbs, at normal incidence.

    From the glass upwards: graphene, the first Si3N4 layer, graphene, the second, and so on; the
    last Si3N4 layer touches the air. Glass and air are half spaces.

    Args:
        x: thicknesses of the Si3N4 layers (..., L), the one next to the glass first, nm.
        wavelength: in vacuum (W,), nm.
        graphene_index: (W,), complex.
        light_from: which half space the light comes from.

    Returns:
        Absorptance (..., W), in x's dtype, from float64.

    Example:
        >>> index = torch.tensor([2.0 + 1.5j])
        >>> absorptance(torch.full((1, 5), 20.0), torch.tensor([500.0]), index)
        tensor([[0.0587]])
    """
    sheet = graphene_index.real.new_tensor(SHEET)
    nitride = graphene_index.real.new_tensor(NITRIDE)
    thicknesses, indices = [], []
    for layer in x.to(torch.float64)[..., None].unbind(-2):
        thicknesses += [sheet, layer]
        indices += [graphene_index, nitride]
    if light_from == "air":
        thicknesses, indices = thicknesses[::-1], indices[::-1]
    front, back = (AIR, GLASS) if light_from == "air" else (GLASS, AIR)
    return stack_fluxes(thicknesses, indices, wavelength, front, back).absorptance.to(x.dtype)


class ThinFilmConfig(Config):
    """Graphene's state, and the light's side."""

    chemical_potential: float = Field(
        0.1, ge=0, le=2, description="Chemical potential of the graphene, eV."
    )
    temperature: float = Field(300.0, ge=1, le=3000, description="Temperature, K.")
    relaxation_time: float = Field(
        100.0, gt=0, description="Relaxation time of the graphene's electrons within a band, fs."
    )
    graphene: Literal["kubo", "published"] = Field(
        "kubo",
        description="The graphene's index: from Kubo's formula, or the constant 3.306 + 3.153i "
        "that the code of Ren et al. comes to (the other three settings of graphene then mean "
        "nothing).",
    )
    light_from: Side = Field(
        "air",
        description="Which side the light comes from: 'glass' as in the code of Ren et al.",
    )


class ThinFilm(Task[ThinFilmConfig]):
    """Thin film: five Si3N4 thicknesses to the absorptance at 256 wavelengths.

    Simulated in float64, 1,024 rows at a time; the gradient is exact; every design has a response.

    References:
        Chen, Zhu, Xie, Feng, Liu, Nanoscale 2019, https://doi.org/10.1039/C9NR01315F;
        Ren et al., 2021, https://arxiv.org/abs/2112.10254

    Example:
        >>> ThinFilm().simulate(torch.full((1, 5), 20.0))[:, [0, 128, 255]]
        tensor([[0.0502, 0.0539, 0.0626]])
    """

    Config = ThinFilmConfig
    designs = Space.of(
        *(
            Variable(
                name=f"x{i}",
                prior=Uniform(low=5.0, high=50.0),
                unit="nm",
                layer_of="stack",
                description=f"thickness of Si3N4 layer {i}, counted from the glass",
            )
            for i in range(1, LAYERS + 1)
        )
    )
    responses = Space.of(
        *(
            Variable(name=f"A_{nm:.2f}", description=f"absorptance at {nm:.2f} nm")
            for nm in film_wavelengths().tolist()
        )
    )
    differentiable = True

    @cached_property
    def graphene_index(self) -> Tensor:
        """Of one sheet of 0.35 nm at the 256 wavelengths, complex128."""
        own, wavelength = self.config, film_wavelengths()
        if own.graphene == "published":
            return torch.full((POINTS,), PUBLISHED, dtype=torch.complex128)
        conductivity = graphene_conductivity(
            wavelength, own.chemical_potential, own.temperature, own.relaxation_time
        )
        return sheet_index(wavelength, conductivity, SHEET)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute absorptances (N, 256) of designs (N, 5).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        light = partial(
            absorptance,
            wavelength=film_wavelengths().to(x.device),
            graphene_index=self.graphene_index.to(x.device),
            light_from=self.config.light_from,
        )
        return in_chunks(light, _ROWS, x)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the wanted absorptance and those of the best five candidates."""
        return draw_spectra(axes, film_wavelengths(), target, responses, "absorptance")
