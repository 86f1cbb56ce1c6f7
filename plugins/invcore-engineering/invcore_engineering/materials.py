"""Refractive indices of transparent materials for coatings, by Sellmeier's formula."""

from collections.abc import Mapping

import torch
from torch import Tensor

# (strength, resonance in µm) of each term of n² = 1 + Σ strength λ² / (λ² - resonance²)
_TERMS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "MgF2": ((0.48755108, 0.04338408), (0.39875031, 0.09461442), (2.3120353, 23.793604)),
    "SiO2": ((0.6961663, 0.0684043), (0.4079426, 0.1162414), (0.8974794, 9.896161)),
    "Al2O3": ((1.4313493, 0.0726631), (0.65054713, 0.1193242), (5.3414021, 18.028251)),
    "Si3N4": ((2.8939, 0.13967),),
    "BK7": (
        (1.03961212, 0.00600069867**0.5),
        (0.231792344, 0.0200179144**0.5),
        (1.01046945, 103.560653**0.5),
    ),
}

MATERIALS = ("MgF2", "SiO2", "Al2O3", "Si3N4", "TiO2")
"""Of layers, in ascending order of their indices."""
GLASS = "BK7"


def refractive_index(material: str, wavelength: Tensor) -> Tensor:
    """Compute the index of a material in visible light.

    Crystals with two indices have the ordinary one; layers made in practice are less dense, and
    have somewhat lower indices.

    References:
        MgF2: Dodge, Applied Optics 23, 1980 (1984); SiO2: Malitson, J. Opt. Soc. Am. 55, 1205
        (1965); Al2O3: Malitson, Dodge, J. Opt. Soc. Am. 62, 1405 (1972); Si3N4: Philipp,
        J. Electrochem. Soc. 120, 295 (1973); TiO2: Devore, J. Opt. Soc. Am. 41, 416 (1951);
        BK7: data sheet N-BK7, Schott. All are collected at https://refractiveindex.info

    Args:
        material: one of ``MATERIALS``, or BK7.
        wavelength: in vacuum (W,), nm.

    Returns:
        (W,), float64.

    Example:
        >>> sodium = torch.tensor([587.5618], dtype=torch.float64)
        >>> refractive_index("BK7", sodium).round(decimals=4)
        tensor([1.5168], dtype=torch.float64)
    """
    square = (1e-3 * wavelength.to(torch.float64)).square()
    if material == "TiO2":  # rutile; Devore's own formula
        return (5.913 + 0.2441 / (square - 0.0803)).sqrt()
    total = torch.ones_like(square)
    for strength, resonance in _TERMS[material]:
        total = total + strength * square / (square - resonance**2)
    return total.sqrt()
