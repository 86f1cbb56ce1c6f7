"""How much of a run is not the method's own fit and proposal.

    python benchmarks/overhead.py [--task sine-wave] [--method na] [--json]

A run with the default preset, whole, with its store; the framework's share is all the time outside
of `fit`, `propose` and the simulator, over the whole.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time

from invcore import RunConfig, Store, run


def main() -> None:
    """Time one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="sine-wave")
    parser.add_argument("--method", default="na")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    config = RunConfig.resolve({"task": wanted.task, "method": wanted.method})
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        record = run(config, store=Store(folder))
        whole = time.perf_counter() - begin
    timings = record.timings
    inside = timings.fit_s + timings.propose_s + timings.simulate_s
    row = {
        "task": wanted.task,
        "method": wanted.method,
        "whole_s": whole,
        "inside_s": inside,
        "overhead": 1 - inside / whole,
    }
    if wanted.json:
        print(json.dumps(row, indent=2))
    else:
        print(
            f"{row['method']} on {row['task']}: {whole:.1f} s, of which {inside:.1f} s in the "
            f"method and the simulator; overhead {100 * (1 - inside / whole):.1f}%"
        )


if __name__ == "__main__":
    main()
