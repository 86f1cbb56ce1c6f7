"""Makes the table of cells: ``python -m invcore_architecture.generate --out cells.npz``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError, InvcoreError, Progress, generator
from invcore_architecture.element import pixel_moduli
from invcore_architecture.families import FIELDS, allowed, random_cells
from invcore_architecture.homogenise import effective_stiffness, youngs_modulus
from invcore_architecture.table import (
    CellTable,
    first_seen,
    read_arrays,
    write_arrays,
)
from invcore_architecture.topology import optimised_cells

OPTIMISED = "optimised"
SHARES = {
    "random-field": 0.32,
    "spinodal": 0.1,
    "ellipses": 0.16,
    "lattice": 0.13,
    "struts": 0.13,
    "foam": 0.11,
    OPTIMISED: 0.05,
}
_SHARD = 250  # cells: half a minute to some minutes of work that an interruption costs at most


def generate(
    count: int,
    out: Path,
    seed: int,
    *,
    side: int = 32,
    soft: float = 1e-3,
    poisson: float = 0.3,
    shard: int = _SHARD,
    progress: Progress | None = None,
) -> CellTable:
    """Make a table of distinct cells from all families, and simulate it.

    Each shard of a family depends on the seed, the family and its number alone, and is kept in a
    folder beside ``out`` until the table is written: a second call goes on where the first ended.

    Args:
        count: cells in the table.
        out: where the table goes.
        seed: decides all draws.
        side: pixels on a side.
        soft: modulus of the soft phase.
        poisson: Poisson's ratio.
        shard: cells in a shard.
        progress: shows how far it is; silent.

    Returns:
        The table, as written.

    Raises:
        DataError: a shard of other settings lies there, or a file cannot be read or written.
    """
    counts = {name: round(count * share) for name, share in SHARES.items()}
    counts["random-field"] += count - sum(counts.values())
    identities: set[bytes] = set()
    cells, moduli, family = [], [], []
    settings = {"seed": seed, "soft": soft, "poisson": poisson, "shard": shard}
    with (progress or Progress()).stage("cells", total=count) as stage:
        for place, (name, missing) in enumerate(counts.items()):
            number = 0
            while missing:
                path = out.with_name(out.name + ".parts") / f"{name}-{number:04d}.npz"
                part, answers = _shard(path, name, number, side, settings)
                new = first_seen(part, identities)[:missing]
                cells.append(part[new])
                moduli.append(answers[new])
                family.append(torch.full((len(new),), place))
                missing -= len(new)
                number += 1
                stage.advance(len(new))
    table = CellTable(
        torch.cat(cells), torch.cat(moduli), torch.cat(family), tuple(counts), settings
    )
    table.save(out)
    return table


def _shard(
    path: Path, name: str, number: int, side: int, settings: dict[str, float]
) -> tuple[Tensor, Tensor]:
    """Cells of one family with moduli, found or made."""
    facts = np.array([side, *settings.values()], dtype=np.float64)
    if path.exists():
        arrays = read_arrays(path, ("cells", "moduli", "facts"))
        if not np.array_equal(arrays["facts"], facts):
            raise DataError(
                f"{path}: made with other settings; delete the folder or choose another --out"
            )
        return torch.from_numpy(arrays["cells"]), torch.from_numpy(arrays["moduli"])
    draw = generator(int(settings["seed"]), "cells", name, number)
    soft, poisson, count = settings["soft"], settings["poisson"], int(settings["shard"])
    if name in FIELDS:
        cells = random_cells(name, count, side, draw)
    else:
        cells = optimised_cells(count, side, draw, soft=soft, poisson=poisson)
        cells = cells[allowed(cells)]
    moduli = both_moduli(cells, soft, poisson)
    write_arrays(path, {"cells": cells.numpy(), "moduli": moduli.numpy(), "facts": facts})
    return cells, moduli


def both_moduli(cells: Tensor, soft: float, poisson: float) -> Tensor:
    """Young's moduli (N, 2) along x and y of two-phase cells (N, n, n)."""
    stiffness = effective_stiffness(pixel_moduli(cells.double(), soft, 1.0), poisson)
    return torch.stack([youngs_modulus(stiffness, way) for way in ("x", "y")], dim=1)


class _Bar(Progress):
    """A bar on standard error."""

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Any]:
        with click.progressbar(length=total or 0, label=label, file=sys.stderr) as bar:
            yield _Steps(bar)


class _Steps:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, steps: int = 1, **facts: float) -> None:
        self._bar.update(steps)


@click.command()
@click.option("--count", default=20_000, show_default=True, help="Cells in the table.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write, .npz.")
@click.option("--seed", default=0, show_default=True, help="Decides all draws.")
@click.option("--side", default=32, show_default=True, help="Pixels on a side: 8, 16, 32, …")
@click.option("--soft", default=1e-3, show_default=True, help="Modulus of the soft phase.")
@click.option("--poisson", default=0.3, show_default=True, help="Poisson's ratio.")
def main(count: int, out: Path, seed: int, side: int, soft: float, poisson: float) -> None:
    """Draw and simulate two-phase cells of all families; goes on where it was interrupted."""
    try:
        table = generate(count, out, seed, side=side, soft=soft, poisson=poisson, progress=_Bar())
    except InvcoreError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{len(table)} cells in {out}", err=True)


if __name__ == "__main__":
    main()
