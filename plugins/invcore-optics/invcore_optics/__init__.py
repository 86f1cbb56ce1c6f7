"""Exact optics tasks for invcore: spectra of layered films and layered spheres.

The public names, for other plugins; they are imported on first use, so that listings need no torch.
"""

from typing import TYPE_CHECKING

from invcore import lazy_names

if TYPE_CHECKING:
    from invcore_optics.stack import Fluxes as Fluxes
    from invcore_optics.stack import stack_fluxes as stack_fluxes

__getattr__, _NAMES = lazy_names(__name__, {"stack": "Fluxes stack_fluxes"})

__all__ = [*_NAMES]
