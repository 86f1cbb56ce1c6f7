"""The task ``crystal-mos2``: strain and field of MoS2 to its band gap."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from invcore.plugin import Config, DataError, Field, Splits, Task, generator
from invcore_crystal.lattice import HIGHEST, design_space, features, response_space
from invcore_crystal.table import CHECKSUMS, table

if TYPE_CHECKING:
    from invcore_proxy import Bundle

SHIPPED = Path(__file__).parent / "proxy"
_SHOWN = 20  # candidates in a picture


class CrystalConfig(Config):
    """Settings of the task."""

    source: Literal["proxy", "table"] = Field(
        "proxy",
        description="Where a run's pairs and targets come from. proxy: drawn from the prior, their "
        "gaps from the networks; table: rows of the DFT table, which is fetched once.",
    )


class CrystalMoS2(Task[CrystalConfig]):
    """A cell of MoS2 under strain and in an electric field: its band gap.

    The simulator is an ensemble of networks that learnt from a table of DFT calculations. A
    gradient counts as one call. In most of the box the crystal is a metal, with a gap of exactly 0
    and no slope.

    References:
        Fung et al., npj Comput. Mater. 7:200 (2021), https://doi.org/10.1038/s41524-021-00670-x;
        Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016

    Example:
        >>> gap = CrystalMoS2().simulate(torch.tensor([[3.16, 3.16, 12.3, 90.0, 90.0, 120.0, 0.0]]))
        >>> bool(1.0 < gap < 2.4)
        True
    """

    Config = CrystalConfig
    designs = design_space()
    responses = response_space()
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute gaps (N, 1), eV, of designs (N, 7).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return self._bundle.proxy(features(x))

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        """Pairs and targets of a run; with ``source`` "table" no row is in two parts.

        Raises:
            DataError: more rows than the table has are asked for, or it cannot be had.
        """
        if self.config.source == "proxy":
            return super().dataset(pairs, targets, seed)
        rows = table()
        if pairs + targets > len(rows):
            left = max(len(rows) - targets, 0)
            raise DataError(
                f"crystal-mos2: the table has {len(rows)} different rows, {pairs} pairs and "
                f"{targets} targets are more; ask for pairs={left} or fewer, or for source=proxy"
            )
        order = torch.randperm(len(rows), generator=generator(seed, "rows"))
        test, rest = rows[order[:targets]], rows[order[targets : targets + pairs]]
        train, val = rest.split(0.8, generator=generator(seed, "split"))
        return Splits(train, val, test)

    @property
    def fingerprint(self) -> str:
        """Checksum of the networks, and of the table where rows come from it."""
        if self.config.source == "proxy":
            return self._bundle.checksum
        every = self._bundle.checksum + "".join(CHECKSUMS.values())
        return hashlib.sha256(every.encode()).hexdigest()

    @cached_property
    def _bundle(self) -> Bundle:
        from invcore_proxy import read_bundle

        return read_bundle(SHIPPED)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw one strip a design variable, from bound to bound, and one of the gap.

        Each candidate is a line through its values; the first are drawn strongest, the wanted gap
        is a mark.
        """
        low, high = self.designs.low, self.designs.high
        share = (designs[:_SHOWN].double().cpu() - low) / (high - low)
        gap = responses[:_SHOWN].double().cpu() / HIGHEST
        lines = torch.cat([share, gap], dim=1).flip(0)
        places = list(range(lines.shape[1]))
        for place in places:
            axes.axvline(place, color="0.8", linewidth=1)
        for number, line in enumerate(lines, start=1):
            shade = 0.15 + 0.85 * number / len(lines)
            axes.plot(places, line.numpy(), color="tab:blue", alpha=shade, linewidth=1)
        mark = float(target[0]) / HIGHEST
        axes.plot([places[-1]], [mark], "_", color="black", markersize=24, label="wanted")
        ends = [(v.name, *v.bounds, v.unit) for v in self.designs.variables]
        names = [
            f"{name}{', ' if unit else ''}{unit}\n{low:g} to\n{high:g}"
            for name, low, high, unit in [*ends, ("gap", 0, HIGHEST, "eV")]
        ]
        axes.set_xticks(places, names, fontsize="small")
        axes.set_yticks([])
        axes.set_ylim(-0.02, 1.02)
        axes.legend()
        return True
