"""The task ``meta-material``: a super-cell's lengths to its reflectance spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from invcore.plugin import Config, DataError, Field, Task
from invcore_metamaterial.plugin import SHIPPED
from invcore_metamaterial.published_networks import PublishedNetworks, download, read_weights
from invcore_metamaterial.rcwa import PERIOD, Material
from invcore_metamaterial.spectra import (
    adaptive_reflectance,
    design_space,
    frequencies,
    reflectance,
    response_space,
)

if TYPE_CHECKING:
    from invcore_proxy import Bundle

TOLERANCES = {f"h{i}": "±0.5" for i in range(1, 5)} | {f"r{i}": "±0.3" for i in range(1, 5)}
_ROWS = 8192  # rows of the published networks at once
_SHOWN = 8  # candidates in a picture


class MetaMaterialConfig(Config):
    """Settings of the task."""

    simulator: Literal["proxy", "rcwa", "bdimnna"] = Field(
        "proxy",
        description="proxy: our ensemble of networks; rcwa: the solver that it learnt from, a "
        "second a design; bdimnna: the published five networks, which need weights.",
    )
    orders: int = Field(8, ge=1, le=20, description="rcwa: plane waves -m to m each way.")
    loss_tangent: float = Field(
        0.05, ge=0, le=1, description="rcwa: of the cylinders; the proxy learnt with 0.05."
    )
    weights: str = Field(
        "", description="bdimnna: state_dicts.zip, or the folder in it; `download` fetches it."
    )


class MetaMaterial(Task[MetaMaterialConfig]):
    """Four silicon cylinders on a square lattice: heights and radii to reflectance, 0.8-1.5 THz.

    Period 210 µm, ε = 11.9 (1 - 0.05i) (moderately doped silicon), in air, normal incidence, the
    electric field along x; the response is the share of the light that is reflected straight back.
    A gradient counts as one call.

    References:
        Ren, Padilla, Malof, NeurIPS 2020 (task D4), https://arxiv.org/abs/2009.12919; their cell's
        period, material and data are not published.

    Example:
        >>> task = MetaMaterial(MetaMaterialConfig(simulator="rcwa", orders=1))
        >>> x = torch.tensor([[40.0, 42.0, 44.0, 46.0, 45.0, 46.0, 47.0, 48.0]])
        >>> task.simulate(x).shape
        torch.Size([1, 300])
    """

    Config = MetaMaterialConfig
    designs = design_space()
    responses = response_space()
    differentiable = True
    tolerances: ClassVar[Mapping[str, str]] = TOLERANCES
    """How far off a length is when it is made, by the variable, as text in its unit (µm).

    An example, and ours: deep etching keeps a depth within about one part in a hundred, contact
    lithography and the slope of the walls a radius within some tenths of a micrometre.
    """

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute spectra (N, 300) of designs (N, 8), in µm.

        Raises:
            ShapeError: x has another number of columns.
            DataError: weights that are asked for and cannot be used.
        """
        self.designs.check(x)
        if self.config.simulator == "proxy":
            return self._bundle.proxy.predict(x).mean
        if self.config.simulator == "bdimnna":
            networks = self._published[0].to(x.device)
            return torch.cat([networks(part) for part in x.split(_ROWS)]).to(x.dtype)
        material = Material(loss_tangent=self.config.loss_tangent)
        settings: dict[str, Any] = {"orders": self.config.orders, "material": material}
        if x.requires_grad and torch.is_grad_enabled():
            return reflectance(x, period=PERIOD, **settings).to(x.dtype)
        return adaptive_reflectance(x, period=PERIOD, **settings)[0].to(x.dtype)

    @property
    def fingerprint(self) -> str:
        """Checksum of the networks, where networks simulate."""
        if self.config.simulator == "proxy":
            return self._bundle.checksum
        return self._published[1] if self.config.simulator == "bdimnna" else ""

    @cached_property
    def _bundle(self) -> Bundle:
        from invcore_proxy import read_bundle

        return read_bundle(SHIPPED)

    @cached_property
    def _published(self) -> tuple[PublishedNetworks, str]:
        if not self.config.weights:
            raise DataError(
                "meta-material: simulator=bdimnna needs the published weights: set weights to the "
                "path of state_dicts.zip, or to download"
            )
        if self.config.weights == "download":
            return read_weights(_cached())
        return read_weights(self.config.weights)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the wanted spectrum, and those of the first candidates over frequency."""
        grid = frequencies().numpy()
        best = responses[:_SHOWN].flip(0)
        for place, one in enumerate(best):
            shade = 0.25 + 0.75 * (place + 1) / len(best)
            axes.plot(grid, one.numpy(), color="tab:blue", alpha=shade, linewidth=1)
        axes.plot(grid, target.numpy(), color="black", linewidth=1.5, label="wanted")
        axes.set_xlabel("frequency, THz")
        axes.set_ylabel("reflectance")
        axes.set_ylim(0.0, 1.0)
        axes.legend()
        return True


def _cached() -> Path:
    """The published weights in the user's cache, fetched where they are not there."""
    import click

    place = Path(click.get_app_dir("invcore")) / "bdimnna" / "state_dicts.zip"
    return place if place.exists() else download(place)
