"""Every method on every task with the preset quick: how long each takes, metrics included.

    OMP_NUM_THREADS=1 python benchmarks/quick_matrix.py [--tasks NAME …] [--methods NAME …]
        [--targets 16] [--rows quick_matrix.jsonl] [--limit 900]

A run has a process of its own with one thread of torch. Each measurement is appended to a file as a
line of JSON, and one that is there is not done again, so that no table needs one long sitting; in
the end the table of all is printed: seconds of processor, which other work on the machine hardly
changes, with what has failed or does not apply. Preset quick promises three minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from invcore import Limits, RunConfig, Store
from invcore.plugin import Job, Record, installed
from invcore.runs.job import do_run, job_of
from invcore.runs.plan import Plan

PROMISE_S = 180
"""That a quick run may take."""


def timed_run(job: Job) -> Record:
    """Do a run, and say what it has cost this process and those that it has started."""
    before, start = _spent(), time.perf_counter()
    record = do_run(job)
    return {**record, "cpu_s": _spent() - before, "wall_s": time.perf_counter() - start}


def _spent() -> float:
    usage = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in usage)


def names(kind: Any, chosen: list[str] | None) -> list[str]:
    """Those that are asked for, or all; of tasks without those that need settings of one's own."""
    known = [entry.component.name for entry in installed().registry.entries(kind)]
    return [name for name in known if name in chosen] if chosen else known


def main() -> None:
    """Measure what is missing, and print all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--targets", type=int, default=16)
    parser.add_argument("--limit", type=float, default=900.0, help="Seconds after which to stop.")
    parser.add_argument("--rows", type=Path, default=Path("quick_matrix.jsonl"))
    options = parser.parse_args()
    rows = _rows(options.rows)
    plugins = installed()
    executor = plugins.registry.load("executor", "processes")
    store = Store(options.rows.with_suffix(".store"))
    for task in names("task", options.tasks):
        for method in names("method", options.methods):
            key = (task, method, options.targets)
            if key in rows:
                continue
            row: dict[str, Any] = {"task": task, "method": method, "targets": options.targets}
            try:
                config = RunConfig.resolve({
                    "preset": "quick", "task": task, "method": method, "targets": options.targets,
                })  # fmt: skip
                plan = Plan.of(config, plugins)
            except Exception as error:  # a task that is a folder, or needs a package
                row |= {"status": "not run", "reason": str(error)[:200]}
            else:
                limits = Limits(time_s=options.limit)
                job = job_of(plan.id, config, store, limits=limits, force=True)
                with executor(executor.Config(workers=1)).pool(timed_run) as pool:
                    pool.start(job)
                    record = pool.next()
                facts = ("status", "reason", "cpu_s", "wall_s")
                row |= {name: record[name] for name in facts if name in record}
            rows[key] = row
            with options.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(*key, row["status"], row.get("cpu_s", ""), file=sys.stderr, flush=True)
    print(table([row for row in rows.values() if row["targets"] == options.targets]))


def _rows(path: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = map(json.loads, lines)
    return {(row["task"], row["method"], row["targets"]): row for row in found}


def table(rows: list[dict[str, Any]]) -> str:
    """Tasks down, methods across: seconds of processor; what is over the promise is bold."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = {(row["task"], row["method"]): _cell(row) for row in rows}
    lines = [f"| task | {' | '.join(methods)} |", "|---" * (len(methods) + 1) + "|"]
    for task in tasks:
        across = " | ".join(cells.get((task, method), "") for method in methods)
        lines.append(f"| {task} | {across} |")
    return "\n".join(lines)


def _cell(row: dict[str, Any]) -> str:
    if row["status"] == "skipped" or row["status"] == "not run":
        return "-"
    if "cpu_s" not in row:
        return f"**{row['status']}**"
    seconds = f"{row['cpu_s']:.0f}"
    over = row["cpu_s"] > PROMISE_S or row["status"] != "ok"
    return f"**{seconds}**" if over else seconds


if __name__ == "__main__":
    main()
