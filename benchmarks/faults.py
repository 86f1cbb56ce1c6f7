"""Faults of machines, disks and people, against the same work undisturbed.

    python benchmarks/faults.py [PART …] [--count 50] [--seed 0] [--rows FILE]

Each part's counts are appended to FILE as a line of JSON, and a part of that count and seed that is
there is not done again; at the end the counts of all lines are printed. In all columns but the
first and the exit codes there should be zeros. Parts:

    kill-WORK, term-WORK, int-WORK  commands ended at random moments, and begun again: bench, run,
                                    run --force, solve, and bench with two workers (jobs)
    workers                         workers of a bench killed at random moments
    scheduler                       that of a dask cluster killed while it does a bench
    full, read-only, large-files, failing-calls, clock, two-at-once, links
    flip-KIND, cut-KIND             files of every kind damaged at random places, then read
    solve-LOOP, campaign-LOOP       work in a loop's folder killed, see fault_trials/loops.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fault_trials import cluster, damage, disks, ends, loops
from fault_trials.processes import begin

Counts = Mapping[str, object]
Trial = Callable[[int, int], Counts]


def parts() -> dict[str, Trial]:
    """What is done by name: for a count and a seed, what was found."""
    found: dict[str, Trial] = {}
    for how in ends.SIGNALS:
        for name in ("bench", "run", "force", "solve", "jobs"):
            found[f"{how}-{name}"] = _ended(name, how)
    found |= {
        "workers": ends.workers, "scheduler": cluster.scheduler,
        "full": disks.full, "read-only": disks.read_only,
        "large-files": disks.large_files, "failing-calls": disks.failing_calls,
        "clock": disks.jumps, "two-at-once": disks.two_at_once, "links": disks.links,
    }  # fmt: skip
    for kind in damage.KINDS:
        for how in damage.HOW:
            found[f"{how}-{kind}"] = _damaged(kind, how)
    for part in loops.PARTS:
        found[part] = _killed(part)
    return found


def _ended(name: str, how: str) -> Trial:
    return lambda count, seed: ends.ended(name, how, count, seed)


def _damaged(kind: str, how: str) -> Trial:
    return lambda count, seed: damage.damaged(kind, how, count, seed)


def _killed(part: str) -> Trial:
    return lambda count, seed: loops.figures(part, count, seed)


def main() -> None:
    """Do the parts that are not done yet, and print the counts of all."""
    every = parts()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, default=Path("faults.jsonl"))
    given = parser.parse_args()
    if wrong := set(given.parts) - set(every):
        parser.error(f"no part {', '.join(sorted(wrong))}: there are {', '.join(every)}")
    text = given.rows.read_text() if given.rows.exists() else ""
    rows = [json.loads(line) for line in text.splitlines()]
    done = {(row["part"], row["count"], row["seed"]) for row in rows}
    for part in given.parts or every:
        if (part, given.count, given.seed) in done:
            continue
        if part in ("full", "read-only") and not disks.can_mount():
            warnings.warn(f"{part}: left out, disks cannot be mounted here", stacklevel=1)
            continue
        counts = {k: v for k, v in every[part](given.count, given.seed).items() if k != "part"}
        rows.append({"part": part, "count": given.count, **counts, "seed": given.seed})
        with given.rows.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    begin()
    main()
