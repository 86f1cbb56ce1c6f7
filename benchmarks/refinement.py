"""Refinement against simulating further candidates, at equal simulator calls a target.

Of each task, method and seed one run without, and one with ``--refine N``. What N calls a target
bring without is r_N: the smallest error among N candidates, by their own order where they are
ranked. With, it is that of the first candidate, which took at most N calls.

    python benchmarks/refinement.py --tasks robotic-arm sine-wave ballistics --methods na cinn
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

import torch

from invcore import RunConfig, run
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

JUDGED_BY = "r_T"


def main() -> None:
    """Print a row for each task and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=["robotic-arm", "sine-wave", "ballistics"])
    parser.add_argument("--methods", nargs="+", default=["na", "cinn"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument("--refine", type=int, default=20, help="One of the T of r_T, as 20.")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--targets", type=int, default=200)
    options = parser.parse_args()
    number = options.refine
    print(f"| task | method | r_1 | r_{number} | r_1, refined | calls | log10 of the ratio |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for task in options.tasks:
            for method in options.methods:
                rows = [measured(task, method, seed, options, store) for seed in options.seeds]
                print(line(task, method, torch.tensor(rows, dtype=torch.float64)), flush=True)


def measured(
    task: str, method: str, seed: int, options: argparse.Namespace, store: Store
) -> list[float]:
    """r_1 and r_N without, r_1 with refinement, and the calls that this took for a target."""
    facts: dict[str, Any] = {
        "task": task, "method": method, "seed": seed, "preset": options.preset,
        "targets": options.targets,
    }  # fmt: skip
    plain = run(RunConfig.resolve(facts), store=store)
    refined = run(RunConfig.resolve({**facts, "refine": options.refine}), store=store)
    return [
        r(plain, 1), r(plain, options.refine), r(refined, 1),
        refined.search_calls / refined.targets,
    ]  # fmt: skip


def r(record: RunRecord, T: int) -> float:
    """r_T of a run."""
    return next(m.number for m in record.metrics if m.name == JUDGED_BY and m.T == T)


def line(task: str, method: str, rows: torch.Tensor) -> str:
    """Means over the seeds, and the ratio with its standard error."""
    first, many, refined, calls = rows.mean(dim=0).tolist()
    ratio = (rows[:, 2] / rows[:, 1]).log10()
    error = float(ratio.std() / len(ratio) ** 0.5)
    numbers = f"{first:.2g} | {many:.2g} | {refined:.2g} | {calls:.1f}"
    return f"| {task} | {method} | {numbers} | {float(ratio.mean()):.1f} ± {error:.1f} |"


if __name__ == "__main__":
    main()
