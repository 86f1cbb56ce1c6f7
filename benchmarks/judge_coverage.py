"""Whether the error that `solve` states holds for designs that a method searched for.

    python benchmarks/judge_coverage.py [--method na] [--rows 2000] [--json]

A table is drawn from a task with a known simulator; designs are proposed from the table alone; the
simulator then tells how many true responses lie within the stated error of the prediction: of all
designs, and of the ten that are ranked best. For rows like the table's it is 90% by construction.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import invcore_solve

from invcore.plugin import generator
from invcore.registry.loader import installed

TASKS = ("sine-wave", "robotic-arm", "ballistics")


def measure(task_name: str, method: str, rows: int, targets: int, seed: int) -> dict[str, Any]:
    """Coverage on one task."""
    task = installed().registry.load("task", task_name)()
    pairs = task.pairs(rows, generator(seed, "table"))
    low, high = pairs.y.quantile(0.02, dim=0), pairs.y.quantile(0.98, dim=0)
    fresh = task.pairs(20 * targets, generator(seed, "targets")).y
    wanted = fresh[((fresh > low) & (fresh < high)).all(dim=1)][:targets]
    designer = invcore_solve.fit(
        pairs.x, pairs.y, method=method, judge="conformal-ensemble", seed=seed
    )
    proposal = designer.propose(wanted, candidates=100, seed=seed)
    true = task.simulate(proposal.designs)
    inside = ((true - proposal.predicted).abs() <= proposal.predicted_error).double().mean(dim=1)
    off = (true - proposal.target).square().mean(dim=1)
    best = proposal.rank <= 10
    return {
        "task": task_name,
        "method": method,
        "rows": rows,
        "covered": float(inside.nanmean()),
        "covered_best_10": float(inside[best].nanmean()),
        "error": float(off.nanmean()),
        "error_best_10": float(off[best].nanmean()),
        "error_first": float(off[proposal.rank == 1].nanmean()),
    }


def main() -> None:
    """Measure on the closed-form tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="na")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--targets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    rows = [
        measure(task, wanted.method, wanted.rows, wanted.targets, wanted.seed) for task in TASKS
    ]
    if wanted.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(
            f"{row['task']}: covered {row['covered']:.2f} of all, {row['covered_best_10']:.2f} of "
            f"the best ten; true squared error {row['error']:.1e} of all, "
            f"{row['error_best_10']:.1e} of the best ten, {row['error_first']:.1e} of the first"
        )


if __name__ == "__main__":
    main()
