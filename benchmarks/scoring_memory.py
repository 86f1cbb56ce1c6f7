"""Peak memory of scoring 1,000 targets x 10,000 candidates with all metrics.

    python benchmarks/scoring_memory.py [--targets 1000] [--candidates 10000] [--json]

The peak is the operating system's, of the whole process, torch included (about 0.3 GiB).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import torch

from invcore.contracts.metric import Evaluation
from invcore.registry.loader import installed
from invcore.scoring.errors import squared_error


def main() -> None:
    """Score random candidates of the robotic arm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    registry = installed().registry
    task = registry.load("task", "robotic-arm")()
    generator = torch.Generator().manual_seed(0)
    shape = (wanted.targets, wanted.candidates)
    candidates = torch.empty(*shape, task.designs.dim, dtype=torch.float64)
    resimulated = torch.empty(*shape, task.responses.dim, dtype=torch.float64)
    for b in range(shape[0]):
        candidates[b] = task.designs.sample(shape[1], generator)
        resimulated[b] = task.simulate(candidates[b])
    targets = task.pairs(shape[0], generator).y
    begin = time.perf_counter()
    evaluation = Evaluation(
        designs=task.designs,
        targets=targets,
        candidates=candidates,
        resimulated=resimulated,
        errors=squared_error(resimulated, targets),
    )
    for entry in registry.entries("metric"):
        registry.load("metric", entry.component.name)().measure(evaluation)
    seconds = time.perf_counter() - begin
    unit = 2**30 if sys.platform == "darwin" else 2**20  # bytes there, kibibytes here
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    row = {"targets": shape[0], "candidates": shape[1], "peak_gib": peak, "score_s": seconds}
    print(json.dumps(row, indent=2) if wanted.json else f"peak {peak:.2f} GiB, {seconds:.1f} s")


if __name__ == "__main__":
    main()
