"""The table of docs/results.md: NA and iPage with their defaults on the closed-form tasks.

    python benchmarks/default_results.py [--store runs] [--seed 0 --seed 1 --seed 2] [--markdown]

Runs that are stored under `--store` are not repeated, so it can be stopped and started again.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from invcore import RunConfig, Store, run

TASKS = ("sine-wave", "robotic-arm", "ballistics")
HEAD = (
    "task", "method", "seed", "r_1", "median", "r_50", "median", "mean error", "diversity",
    "failed", "out of bounds", "fit s", "propose s", "parameters",
)  # fmt: skip


def row(task: str, method: str, seed: int, store: Store) -> list[str]:
    """One run's figures, as text."""
    config = RunConfig.resolve({"task": task, "method": method, "seed": seed})
    record = run(config, store=store)
    if record.status != "ok":
        return [task, method, str(seed), record.reason]

    def value(name: str, count: int | None = None) -> str:
        found = record.metric(name, count).value
        return "-" if found is None else f"{found:.2g}" if found >= 0.01 else f"{found:.1e}"

    return [
        task, method, str(seed), value("r_T", 1), value("r_T-median", 1), value("r_T", 50),
        value("r_T-median", 50), value("resimulation-error"), value("diversity"),
        value("failed"), value("out-of-bounds"), f"{record.timings.fit_s:.0f}",
        f"{record.timings.propose_s:.0f}", str(record.parameters),
    ]  # fmt: skip


def main() -> None:
    """Run what is missing, and print all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="runs")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--method", action="append")
    parser.add_argument("--markdown", action="store_true")
    wanted = parser.parse_args()
    store = Store(wanted.store)
    rows = [
        row(task, method, seed, store)
        for task in TASKS
        for method in wanted.method or ("na", "ipage")
        for seed in wanted.seed or (0,)
    ]
    if wanted.markdown:
        for cells in (HEAD, ["---"] * len(HEAD), *rows):
            print(f"| {' | '.join(cells)} |")
        return
    table = Table(*HEAD)
    for cells in rows:
        table.add_row(*cells)
    Console().print(table)


if __name__ == "__main__":
    main()
