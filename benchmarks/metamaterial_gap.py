"""How far the meta-material's proxy is off at the designs that won by it: the real solver's word.

    invcore run --task meta-material --method na --store runs
    python benchmarks/metamaterial_gap.py runs RUN [--winners 50] [--orders 8] [--json]

A search finds the places where a proxy is too kind. For the first targets of a stored run, the
candidate that the proxy likes best is simulated again by coupled-wave analysis. Compared are the
errors from the wanted spectrum, by the proxy and by the solver, and the two with each other; and
the latter with the same on random designs, which nothing has searched for.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore import Store
from invcore.plugin import generator, installed

TASK = "meta-material"


def solved(task: Any, designs: Tensor) -> Tensor:
    """Spectra of the real solver (N, 300), a cell at a time: some seconds each."""
    return torch.cat([task.simulate(one[None]) for one in designs])


def measure(store: Store, run: str, winners: int, orders: int) -> dict[str, Any]:
    """The gap of one run, mean squared errors."""
    record = store.read(store.find(run))
    kept = store.tensors(record.id, "candidates")
    targets = kept["targets"][:winners]
    best = kept["errors"][:winners].nan_to_num(nan=torch.inf).argmin(dim=1)
    rows = torch.arange(len(targets))
    designs = kept["candidates"][rows, best]
    proxy = kept["resimulated"][rows, best]
    kind = installed().registry.load("task", TASK)
    network = kind(kind.Config())
    solver = kind(kind.Config(simulator="rcwa", orders=orders))
    real = solved(solver, designs)
    chance = network.designs.sample(len(targets), generator(record.config["seed"], "gap"))
    spread = network.simulate(chance) - solved(solver, chance)

    def mse(difference: Tensor) -> float:
        return float(difference.square().mean())

    return {
        "run": record.id,
        "method": record.config["method"]["name"],
        "winners": len(targets),
        "orders": orders,
        "proxy_error": mse(proxy - targets),
        "solver_error": mse(real - targets),
        "gap_winners": mse(proxy - real),
        "gap_random": mse(spread),
    }


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="Folder of runs.")
    parser.add_argument("runs", nargs="+", help="Ids of runs of the task meta-material.")
    parser.add_argument("--winners", type=int, default=50, help="Targets, one winner each.")
    parser.add_argument("--orders", type=int, default=8, help="Plane waves -m to m each way.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    store = Store(given.store)
    rows = [measure(store, run, given.winners, given.orders) for run in given.runs]
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    table = Table(title=f"winners by the proxy, simulated again (m = {given.orders}); MSE")
    heads = ("method", "winners", "wanted - proxy", "wanted - solver", "proxy - solver")
    for name in (*heads, "the same, random designs"):
        table.add_column(name, justify="right")
    for row in rows:
        errors = ("proxy_error", "solver_error", "gap_winners", "gap_random")
        table.add_row(row["method"], str(row["winners"]), *(f"{row[name]:.2e}" for name in errors))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
