"""C2ST of methods' posterior samples against the reference posteriors of the sbibm benchmark.

    pip install --no-deps sbibm
    OMP_NUM_THREADS=1 python benchmarks/sbibm_c2st.py [--tasks NAME …] [--methods NAME …]
        [--pairs 1000 10000] [--observations 1 2 3] [--preset default] [--seed 0]
        [--samples 10000] [--rows sbibm_c2st.jsonl] [--limit 3600]

A method learns once from so many simulated pairs, and answers the observations that are asked for
with 10,000 candidates each, driven by independent points; an observation is a row, appended to a
file as a line of JSON, and one that is there is not done again. In the end the table of all rows of
the file is printed. A run has a process of its own, with one thread.

Observations 1 to 3, the default, are for choosing settings; 4 to 10 are for what is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from invcore import Limits, RunConfig, Store
from invcore.plugin import installed
from invcore.runs.job import do_run, job_of
from invcore.runs.plan import Plan

TASKS = (
    "two-moons", "gaussian-linear", "gaussian-linear-uniform", "gaussian-mixture", "slcp",
    "slcp-distractors", "bernoulli-glm", "sir", "lotka-volterra",
)  # fmt: skip
METHODS = ("mdn", "cinn", "inn", "cvae")
METRIC = "c2st-reference"
WHAT = ("task", "method", "pairs", "preset", "seed", "samples")


def measured(what: dict[str, Any], observations: list[int], options: Any) -> list[dict[str, Any]]:
    """Do one run, and give a row for each observation."""
    plugins = installed()
    others = [entry.component.name for entry in plugins.registry.entries("metric")]
    metrics: dict[str, Any] = dict.fromkeys(others, False)
    metrics[METRIC] = {"most": what["samples"]}
    config = RunConfig.resolve({
        "task": {"name": what["task"], "observations": observations}, "method": what["method"],
        "pairs": what["pairs"], "preset": what["preset"], "seed": what["seed"],
        "candidates": what["samples"], "sampler": "random", "metrics": metrics,
    })  # fmt: skip
    store = Store(options.rows.with_suffix(".store"))
    job = job_of(Plan.of(config, plugins).id, config, store, limits=Limits(time_s=options.limit))
    executor = plugins.registry.load("executor", "processes")
    with executor(executor.Config(workers=1)).pool(do_run) as pool:
        pool.start(job)
        record = pool.next()
    facts = {"status": record["status"], "reason": record.get("reason", "")}
    rows = [{**what, "observation": number, **facts} for number in observations]
    stored = store.get(Plan.of(config, plugins).id)
    if record["status"] == "ok" and stored is not None:
        for row in rows:
            value = stored.metric(f"{METRIC}-{row['observation']}").number
            row |= {"c2st": round(value, 4), "fit_s": round(stored.timings.fit_s, 1)}
    return rows


def key_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells rows apart."""
    return tuple(row[name] for name in (*WHAT, "observation"))


def rows_of(path: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a file, a later one instead of an earlier one of the same key."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {key_of(row): row for row in map(json.loads, lines)}


def table(rows: list[dict[str, Any]]) -> str:
    """A line for each method on each task: observations across, and means of both kinds."""
    lines = [
        "| task | method | pairs | preset | samples | seed | "
        + " | ".join(map(str, range(1, 11)))
        + " | mean 1-3 | mean 4-10 |",
        "|---" * 18 + "|",
    ]
    groups: dict[tuple[Any, ...], dict[int, Any]] = defaultdict(dict)
    for row in rows:
        names = ("task", "method", "pairs", "preset", "samples", "seed")
        cell = f"{row['c2st']:.3f}" if "c2st" in row else row["status"]
        groups[tuple(row[n] for n in names)][row["observation"]] = (cell, row.get("c2st"))
    for group, cells in groups.items():
        means = []
        for part in (range(1, 4), range(4, 11)):
            values = [cells[n][1] for n in part if n in cells and cells[n][1] is not None]
            means.append(f"{statistics.mean(values):.3f}" if len(values) == len(part) else "")
        across = [cells[n][0] if n in cells else "" for n in range(1, 11)]
        lines.append(f"| {' | '.join([*map(str, group), *across, *means])} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and print all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--pairs", nargs="+", type=int, default=[1000, 10_000])
    parser.add_argument("--observations", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--preset", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rows", type=Path, default=Path("sbibm_c2st.jsonl"))
    parser.add_argument("--limit", type=float, default=3600.0, help="Seconds of a run, at most.")
    options = parser.parse_args()
    rows = rows_of(options.rows)
    for task in options.tasks:
        for pairs in options.pairs:
            for method in options.methods:
                what = dict(zip(WHAT, (task, method, pairs, options.preset, options.seed,
                                       options.samples), strict=True))  # fmt: skip
                wanted = [{**what, "observation": number} for number in options.observations]
                missing = [row["observation"] for row in wanted if key_of(row) not in rows]
                if not missing:
                    continue
                for row in measured(what, missing, options):
                    rows[key_of(row)] = row
                    with options.rows.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
                    print(*key_of(row), row.get("c2st", row["status"]), file=sys.stderr, flush=True)
    print(table(list(rows.values())))


if __name__ == "__main__":
    main()
