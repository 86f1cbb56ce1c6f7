"""How far spectra of the meta-material's solver move when it takes more plane waves.

    python benchmarks/metamaterial_truncation.py [--cells 16] [--orders 6 8 10]
        [--reference 12] [--json]

Random cells of the design space are solved with each number of orders, -m to m each way, and
compared with the reference; seconds are of one process. A cell takes about 2 s with m = 8 and six
times as long with m = 12.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch
from invcore_metamaterial.rcwa import PERIOD, Material
from invcore_metamaterial.spectra import adaptive_reflectance, design_space
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from invcore.plugin import generator

MATERIAL = Material(loss_tangent=0.05)


def spectra(x: Tensor, orders: int) -> tuple[Tensor, float]:
    """Spectra (N, 300) of cells (N, 8), and seconds a cell."""
    start = time.perf_counter()
    parts = [
        adaptive_reflectance(one[None], period=PERIOD, orders=orders, material=MATERIAL)[0]
        for one in track(x, f"m = {orders}", console=Console(stderr=True))
    ]
    return torch.cat(parts), (time.perf_counter() - start) / len(x)


def measure(cells: int, orders: list[int], reference: int, seed: int) -> list[dict[str, Any]]:
    """One row for each number of orders: differences from the reference."""
    x = design_space().sample(cells, generator(seed, "truncation"))
    exact, seconds = spectra(x, reference)
    rows = []
    for m in orders:
        y, took = spectra(x, m)
        off = (y - exact).square().mean(1)
        rows.append(
            {
                "orders": m,
                "reference": reference,
                "mse": float(off.mean()),
                "mse_worst_cell": float(off.max()),
                "mean_absolute": float((y - exact).abs().mean()),
                "seconds": took,
                "reference_seconds": seconds,
            }
        )
    return rows


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=16, help="Random cells.")
    parser.add_argument("--orders", type=int, nargs="+", default=[6, 8, 10], help="To compare.")
    parser.add_argument("--reference", type=int, default=12, help="Compared with this many.")
    parser.add_argument("--seed", type=int, default=0, help="Of the cells.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    rows = measure(given.cells, given.orders, given.reference, given.seed)
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    table = Table(title=f"against m = {given.reference}, {given.cells} random cells")
    for name in ("m", "MSE", "worst cell", "mean |difference|", "s a cell"):
        table.add_column(name, justify="right")
    for row in rows:
        errors = (row["mse"], row["mse_worst_cell"], row["mean_absolute"])
        table.add_row(str(row["orders"]), *(f"{e:.1e}" for e in errors), f"{row['seconds']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
