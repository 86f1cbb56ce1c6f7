"""How many of the wanted moduli a run's cells reach within 1%, in the true simulator.

    invcore run --task architecture --method na --set task.response=log10 --store runs
    python benchmarks/architecture_within.py runs RUN [RUN ...] [--within 0.01] [--json]

For each stored run: of the targets between the 5th and the 95th percentile of the task's data, the
share for which one of the first T candidates is within 1% of the wanted modulus, as re-simulated;
then the same for the two-phase cells of equal volume that stand for the first ten, which are
simulated here. "Lookup" is what the nearest of the cells that the method learnt from would give.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from invcore_architecture.binary import binarise
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore import Store
from invcore.plugin import installed

TASK = "architecture"
BUDGETS = (1, 2, 5, 10, 20, 50, 100, 256)
PROJECTED = 10  # candidates whose two-phase cells are simulated
MIDDLE = (0.05, 0.95)


def share(off: Tensor, within: float) -> dict[int, float]:
    """The share of targets reached by the first T candidates, from relative errors (B, K)."""
    best = off.nan_to_num(nan=torch.inf).cummin(dim=1).values
    budgets = [T for T in BUDGETS if T <= off.shape[1]]
    return {T: float((best[:, T - 1] <= within).double().mean()) for T in budgets}


def measure(store: Store, run: str, within: float) -> dict[str, Any]:
    """The shares of one run."""
    record = store.read(store.find(run))
    kind = installed().registry.load("task", TASK)
    settings = {key: value for key, value in record.config["task"].items() if key != "name"}
    task = kind(kind.Config.parse(settings))
    log = task.config.response == "log10"

    def modulus(y: Tensor) -> Tensor:
        return 10 ** y[..., 0] if log else y[..., 0]

    pairs = task.dataset(record.config["pairs"], 1, record.config["seed"]).train
    ends = modulus(pairs.y).quantile(torch.tensor(MIDDLE, dtype=torch.float64))
    kept = store.tensors(record.id, "candidates")
    wanted = modulus(kept["targets"])
    middle = (wanted >= ends[0]) & (wanted <= ends[1])
    known = modulus(pairs.y)
    nearest = (known / wanted[middle, None] - 1).abs().amin(dim=1, keepdim=True)
    wanted, found = wanted[middle, None], modulus(kept["resimulated"])[middle]
    designs = kept["candidates"][middle, :PROJECTED]
    two_phase = modulus(
        task.simulate(binarise(designs.flatten(0, 1))).unflatten(0, designs.shape[:2])
    )
    return {
        "run": record.id,
        "method": record.config["method"]["name"],
        "targets": int(middle.sum()),
        "from": float(ends[0]),
        "to": float(ends[1]),
        "lookup": share(nearest, within)[1],
        "grey": share((found / wanted - 1).abs(), within),
        "two_phase": share((two_phase / wanted - 1).abs(), within),
        "projection": float((two_phase / found[:, :PROJECTED] - 1).abs().median()),
        "greyness": float((4 * designs * (1 - designs)).mean()),
    }


def show(rows: list[dict[str, Any]], within: float) -> None:
    """Print a table."""
    first = rows[0]
    table = Table(
        title=f"targets between {first['from']:.4f} and {first['to']:.4f} of the solid's modulus "
        f"reached within {within:.1%}"
    )
    for name in ("method", "targets", "lookup", *(f"T={T}" for T in first["grey"])):
        table.add_column(name, justify="right")
    for T in first["two_phase"]:
        table.add_column(f"two-phase T={T}", justify="right")
    table.add_column("projection moves E by (median)", justify="right")
    for row in rows:
        shares = [f"{value:.1%}" for part in ("grey", "two_phase") for value in row[part].values()]
        lookup = f"{row['lookup']:.1%}"
        table.add_row(
            row["method"], str(row["targets"]), lookup, *shares, f"{row['projection']:.1%}"
        )
    Console(width=200).print(table)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="Folder of runs.")
    parser.add_argument("runs", nargs="+", help="Ids of runs of the task architecture.")
    parser.add_argument("--within", type=float, default=0.01, help="Relative error.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    given = parser.parse_args()
    store = Store(given.store)
    rows = [measure(store, run, given.within) for run in given.runs]
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        show(rows, given.within)


if __name__ == "__main__":
    main()
