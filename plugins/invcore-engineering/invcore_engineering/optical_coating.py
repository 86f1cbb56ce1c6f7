"""The optical-coating task: a few layers on glass, each of a thickness and a material."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from invcore_optics import stack_fluxes
from torch import Tensor

from invcore.numerics import in_chunks
from invcore.plugin import (
    Categorical,
    Config,
    Field,
    Requirement,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
)
from invcore_engineering.materials import GLASS, MATERIALS, refractive_index

WAVELENGTHS = (450.0, 475.0, 500.0, 525.0, 550.0, 575.0, 600.0, 625.0, 650.0)  # nm
THINNEST, THICKEST = 20.0, 180.0  # nm, of a layer
LIMIT = 0.005
_ROWS = 4096

SPECIFICATION = Specification.of(
    {f"R_{nm:.0f}": Requirement(high=LIMIT) for nm in WAVELENGTHS},
    thickness=Requirement(goal="minimise"),
)
"""The thinnest anti-reflection coating for most of the visible light."""


def coating_reflectance(thicknesses: Tensor, materials: Tensor) -> Tensor:
    """Compute what layers on glass reflect, at normal incidence from the air.

    Args:
        thicknesses: of the layers (..., L), the one next to the glass first, nm.
        materials: of the layers (..., L), numbers in ``MATERIALS``, int64.

    Returns:
        Reflectance (..., 9) at 450, 475, …, 650 nm, in the thicknesses' dtype, from float64.

    Example:
        >>> quarter = torch.tensor([99.7], dtype=torch.float64)  # of 550 nm in MgF2
        >>> coating_reflectance(quarter, torch.tensor([0]))[4].round(decimals=4)
        tensor(0.0125, dtype=torch.float64)
    """
    wavelength = torch.tensor(WAVELENGTHS, dtype=torch.float64, device=thicknesses.device)
    table = torch.stack([refractive_index(name, wavelength) for name in MATERIALS])
    indices = table[materials]  # (..., L, W)
    light = stack_fluxes(
        thicknesses.to(torch.float64)[..., None].unbind(-2)[::-1],
        indices.unbind(-2)[::-1],
        wavelength,
        back=refractive_index(GLASS, wavelength),
    )
    return light.reflectance.to(thicknesses.dtype)


class OpticalCoatingConfig(Config):
    """How many layers."""

    layers: int = Field(4, ge=1, le=8, description="Layers on the glass.")


class OpticalCoating(Task[OpticalCoatingConfig]):
    """Optical coating: thicknesses and materials of a few layers on BK7 glass to reflectance.

    A design is the thicknesses of the layers, counted from the glass, and then their materials,
    of five: MgF2, SiO2, Al2O3, Si3N4, TiO2, with their dispersion. Responses are the reflectance
    at nine wavelengths, light from the air at normal incidence, and the whole coating's thickness.
    Neighbours of one material are one layer, so that some designs are equivalent.

    The problem: R at most 0.005 at all nine, the thickness at its least (``SPECIFICATION``). Its
    best design is not proved, but there is a reference by brute force: all materials, with the
    thickness of each layer on a grid (``benchmarks/coating_reference.py``).

    References:
        Macleod, *Thin-Film Optical Filters*, 4th edition, 2010, chapter 4;
        the indices: ``invcore_engineering.materials``

    Example:
        >>> x = torch.tensor([[20.0, 30.0, 40.0, 90.0, 2.0, 3.0, 4.0, 0.0]])
        >>> OpticalCoating().simulate(x).shape
        torch.Size([1, 10])
    """

    Config = OpticalCoatingConfig
    responses = Space.of(
        *(
            Variable(name=f"R_{nm:.0f}", description=f"reflectance at {nm:.0f} nm")
            for nm in WAVELENGTHS
        ),
        Variable(name="thickness", unit="nm", description="of all layers together"),
    )
    differentiable = True

    @property
    def designs(self) -> Space:
        """Thicknesses of the layers, and their materials."""
        return _layers(self.config.layers)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 10) of designs (N, 2 layers).

        A material is the nearest of its number; the gradient is that of the thicknesses. A design
        that is not finite has no response.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return in_chunks(self._responses, _ROWS, x)

    def _responses(self, x: Tensor) -> Tensor:
        finite = x.isfinite().all(dim=1, keepdim=True)
        thicknesses, numbers = torch.where(finite, x, 0.0).chunk(2, dim=1)
        materials = numbers.detach().round().clamp(0, len(MATERIALS) - 1).long()
        reflectance = coating_reflectance(thicknesses, materials)
        whole = torch.cat((reflectance, thicknesses.sum(dim=1, keepdim=True)), dim=1)
        return torch.where(finite, whole, torch.nan)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the wanted reflectance and those of the best five candidates."""
        few = responses[responses.isfinite().all(dim=1)][:5, :-1]
        for row in few.flip(0):
            axes.plot(WAVELENGTHS, row.numpy(), color="#0072B2", alpha=0.5, linewidth=1)
        axes.plot(WAVELENGTHS, target[:-1].numpy(), color="black", linewidth=2, label="wanted")
        axes.set(xlabel="wavelength (nm)", ylabel="reflectance")
        axes.set_ylim(bottom=0.0)
        axes.legend(frameon=False, fontsize="small")
        return True


@lru_cache(maxsize=8)
def _layers(count: int) -> Space:
    return Space.of(
        *(
            Variable(
                name=f"d{i}",
                prior=Uniform(low=THINNEST, high=THICKEST),
                unit="nm",
                description=f"thickness of layer {i}, counted from the glass",
            )
            for i in range(1, count + 1)
        ),
        *(
            Variable(
                name=f"material{i}",
                prior=Categorical(categories=MATERIALS),
                description=f"of layer {i}",
            )
            for i in range(1, count + 1)
        ),
    )
