"""Maximin Latin hypercubes: invcore's against SMT's ESE and the best of 1,000 random ones.

    python benchmarks/maximin_lhs.py                  # a table
    python benchmarks/maximin_lhs.py --json           # the same, for machines
    python benchmarks/maximin_lhs.py --size 300x6 --effort 10

Times are process times on one thread. SMT runs in a process of its own and is stopped at
`--limit` seconds of wall time. Exits with 1 if invcore's design is not the best or not faster than
SMT's. SMT is no dependency of anything here: `pip install smt`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from invcore_samplers.lhs import LHS
from invcore_samplers.maximin import maximin_lhs, minimum_distance
from rich.console import Console
from rich.table import Table
from torch import Tensor

SIZES = ("100x2", "1000x4", "4096x8")
RANDOM_DESIGNS = 1000

# The clock starts after SMT's own imports, so that only its search is counted.
_SMT = """
import json, sys, time
import numpy as np
from scipy.spatial import cKDTree
from smt.sampling_methods import LHS
count, dim, seed = map(int, sys.argv[1:])
sampling = LHS(xlimits=np.tile([0.0, 1.0], (dim, 1)), criterion="ese", seed=seed)
start = time.process_time()
points = sampling(count)
seconds = time.process_time() - start
distance = float(cKDTree(points).query(points, k=2)[0][:, 1].min())
print(json.dumps({"distance": distance, "seconds": seconds}))
"""


def timed(make: Callable[[], Tensor | float]) -> dict[str, float]:
    """Minimum distance of what `make` returns (points, or the distance itself), process time."""
    start = time.process_time()
    made = make()
    seconds = time.process_time() - start
    distance = minimum_distance(made) if isinstance(made, Tensor) else made
    return {"distance": distance, "seconds": seconds}


def best_random(count: int, dim: int, seed: int) -> float:
    """Minimum distance of the best of many random Latin hypercubes."""
    generator = torch.Generator().manual_seed(seed)
    designs = (LHS().sample(count, dim, generator) for _ in range(RANDOM_DESIGNS))
    return max(minimum_distance(design) for design in designs)


def smt(count: int, dim: int, seed: int, limit: float) -> dict[str, Any]:
    """SMT's ESE design, or why there is none."""
    if importlib.util.find_spec("smt") is None:
        return {"skipped": "not installed: pip install smt"}
    command = [sys.executable, "-c", _SMT, str(count), str(dim), str(seed)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"skipped": f"no design within {limit:g} s"}
    if done.returncode:
        return {"skipped": "failed: " + (done.stderr.strip().splitlines() or ["?"])[-1]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(size: str, seed: int, effort: float, limit: float) -> dict[str, Any]:
    """All three at one size."""
    count, dim = (int(part) for part in size.split("x"))
    generator = torch.Generator().manual_seed(seed)
    row: dict[str, Any] = {
        "count": count,
        "dim": dim,
        "invcore": timed(lambda: maximin_lhs(count, dim, generator, effort=effort)),
        "smt_ese": smt(count, dim, seed, limit),
        "random": timed(lambda: best_random(count, dim, seed)),
    }
    ours, theirs, rest = row["invcore"], row["smt_ese"], row["random"]
    best_other = max(theirs.get("distance", 0.0), rest["distance"])
    row["distance_ratio"] = ours["distance"] / best_other
    row["speed_ratio"] = theirs["seconds"] / ours["seconds"] if "seconds" in theirs else None
    faster = row["speed_ratio"] is None or row["speed_ratio"] > 1
    row["passed"] = row["distance_ratio"] >= 1 and faster
    return row


def cell(result: dict[str, Any]) -> str:
    """One result as a person reads it."""
    if "skipped" in result:
        return str(result["skipped"])
    return f"{result['distance']:.4f} ({result['seconds']:.2f} s)"


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    table = Table(title="Minimum distance (process time)")
    for heading in ("points", "invcore", "SMT ESE", f"best of {RANDOM_DESIGNS} random"):
        table.add_column(heading)
    for heading in ("distance ratio", "times faster than SMT"):
        table.add_column(heading, justify="right")
    for row in rows:
        speed = row["speed_ratio"]
        table.add_row(
            f"{row['count']} x {row['dim']}",
            *(cell(row[name]) for name in ("invcore", "smt_ese", "random")),
            f"{row['distance_ratio']:.2f}",
            "-" if speed is None else f"{speed:.1f}",
        )
    Console().print(table)


def main() -> int:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", action="append", metavar="NxD", help="repeatable; e.g. 100x2")
    parser.add_argument("--effort", type=float, default=1.0, help="of maximin-lhs (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for SMT (default 60)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.rand(8, 8) @ torch.rand(8, 8)  # torch sets itself up at its first product
    rows = [
        compare(size, arguments.seed, arguments.effort, arguments.limit)
        for size in arguments.size or SIZES
    ]
    if arguments.json:
        settings = {"effort": arguments.effort, "seed": arguments.seed}
        sys.stdout.write(json.dumps({**settings, "rows": rows}) + "\n")
    else:
        show(rows)
    return 0 if all(row["passed"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
