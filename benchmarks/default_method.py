"""Which method suits a budget of simulator calls: ``closed-loop``, or ``na`` on pairs.

Both are given the same calls for the same targets. ``closed-loop`` spends what it needs, ``na``
learns from all but those with which ten proposals a target (or what the budget leaves) are checked.
Errors are those of each target's best design, in units of the responses' variance.

    python benchmarks/default_method.py [--tasks TASK …] [--budgets N …] [--targets B …]
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from invcore_solve import SimulatorTask, solve_with

from invcore.plugin import InvcoreError, generator, installed

_PAIRS = 30  # that solve takes at least


def main() -> None:
    """Print a row for each task, number of targets and budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=["robotic-arm", "thin-film"])
    parser.add_argument("--budgets", nargs="+", type=int, default=[60, 200, 600, 2000])
    parser.add_argument("--targets", nargs="+", type=int, default=[3, 50])
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | targets | budget | closed-loop: calls | error | na: calls | error | time |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.tasks:
        for count in options.targets:
            for budget in options.budgets:
                if budget > 2 * count:
                    print(_row(name, count, budget, options.seed), flush=True)


def _row(name: str, count: int, budget: int, seed: int) -> str:
    kind = installed().registry.load("task", name)
    task = kind()
    wanted = task.pairs(count, generator(seed, "targets")).y.double()
    unit = float(task.pairs(400, generator(seed + 1, "unit")).y.double().var(dim=0).mean())
    cells, seconds = [], []
    for method in ("closed-loop", "na"):
        own = SimulatorTask(
            lambda x: task.simulate(x).double(), task.designs, task.responses.names, kind="torch"
        )
        checks = max(1, min(10, (budget - _PAIRS) // count))
        pairs = None if method == "closed-loop" else budget - checks * count
        start = time.process_time()
        try:
            solution = solve_with(
                own, targets=wanted, method=method, budget=budget, candidates=10, seed=seed,
                preset="quick" if method == "na" else "default", pairs=pairs,
            )  # fmt: skip
        except InvcoreError as error:
            cells += ["-", type(error).__name__]
            seconds.append(float("nan"))
            continue
        seconds.append(time.process_time() - start)
        assert solution.ranked.error is not None
        errors = [float(solution.ranked.error[rows].min()) for rows in solution.ranked.groups()]
        middle = sorted(errors)[len(errors) // 2] / unit
        cells += [str(solution.simulator["calls"]), f"{middle:.1e}"]
    return f"| {name} | {count} | {budget} | {' | '.join(cells)} | {seconds[0] / seconds[1]:.2f} |"


if __name__ == "__main__":
    main()
