"""The nanoshell task: what a sphere of silica and titania shells in water scatters."""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from invcore.numerics import in_chunks
from invcore.plugin import Config, Field, Space, Task, Uniform, Variable
from invcore_optics.drawing import draw_spectra
from invcore_optics.mie import scattering_efficiency, values_suffice

SHELLS, POINTS = 8, 201
THINNEST, THICKEST = 30.0, 70.0  # nm
_ROWS = 8  # with derivatives: what is kept for them fits into a processor's cache
_ROWS_OF_VALUES = 1024


def shell_wavelengths() -> Tensor:
    """The 201 wavelengths 400, 402, ..., 800 nm."""
    return torch.linspace(400.0, 800.0, POINTS, dtype=torch.float64)


def titania(wavelength: Tensor) -> Tensor:
    """Compute the permittivity of TiO2, without absorption.

    5.913 + 0.2441 / (λ² - 0.0803) with λ in µm, Devore's formula for the ordinary ray of rutile.

    References:
        Devore, J. Opt. Soc. Am. 41, 416 (1951), https://doi.org/10.1364/JOSA.41.000416

    Args:
        wavelength: in vacuum (...), nm; above 283.4, where the formula has its pole.

    Example:
        >>> titania(torch.tensor([400.0, 800.0]))
        tensor([8.9757, 6.3491])
    """
    return 5.913 + 0.2441 / ((wavelength / 1000) ** 2 - 0.0803)


class NanoshellConfig(Config):
    """What the particle and its surroundings are made of."""

    silica: float = Field(2.04, ge=1, le=4, description="Permittivity of the odd shells.")
    water: float = Field(1.77, ge=1, le=4, description="Permittivity of the surroundings.")


class Nanoshell(Task[NanoshellConfig]):
    """Nanoshell: eight shells of silica and TiO2 in turn to the scattering efficiency's spectrum.

    Simulated in float64; the gradient is exact; every design of the prior has a
    response, ``scattering_efficiency`` says which others have none.

    References:
        Peurifoy et al., Science Advances 4, eaar4206 (2018),
        https://doi.org/10.1126/sciadv.aar4206;
        Ren et al., 2021, https://arxiv.org/abs/2112.10254

    Example:
        >>> Nanoshell().simulate(torch.full((1, 8), 40.0))[:, [0, 100, 200]]
        tensor([[2.8928, 3.9325, 4.1665]])
    """

    Config = NanoshellConfig
    designs = Space.of(
        *(
            Variable(
                name=f"x{i}",
                prior=Uniform(low=THINNEST, high=THICKEST),
                unit="nm",
                layer_of="particle",
                description="radius of the silica core"
                if i == 1
                else f"thickness of shell {i}, {'silica' if i % 2 else 'TiO2'}",
            )
            for i in range(1, SHELLS + 1)
        )
    )
    responses = Space.of(
        *(
            Variable(name=f"Q_{nm:.0f}", description=f"scattering efficiency at {nm:.0f} nm")
            for nm in shell_wavelengths().tolist()
        )
    )
    differentiable = True

    @cached_property
    def permittivities(self) -> tuple[Tensor, Tensor]:
        """Of the odd and the even shells at the 201 wavelengths."""
        wavelength = shell_wavelengths()
        return torch.full_like(wavelength, self.config.silica), titania(wavelength)

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute scattering efficiencies (N, 201) of designs (N, 8).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        light = partial(
            scattering_efficiency,
            wavelength=shell_wavelengths().to(x.device),
            permittivities=[p.to(x.device) for p in self.permittivities] * (SHELLS // 2),
            medium=self.config.water,
            largest=SHELLS * THICKEST,
        )
        return in_chunks(light, _ROWS_OF_VALUES if values_suffice(x) else _ROWS, x)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the wanted spectrum and those of the best five candidates."""
        quantity = "scattering / geometric cross-section"
        return draw_spectra(axes, shell_wavelengths(), target, responses, quantity)
