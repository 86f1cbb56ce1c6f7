"""How long `invcore --help` and the listings take, against importing what they cannot do without.

    python benchmarks/startup.py [--runs 15] [--json]

Each command runs in a fresh process, in turns, so that a busy moment hits all of them alike. The
bytecode is in a folder of this benchmark's own and is written before anything is timed. The ratio
is that of the minima: on a busy machine the least disturbed run says most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

BASELINE = "import click, rich, pydantic, pluggy"
LIMIT = 1.5
_MAIN = "from invcore.cli.main import main; main({!r})"
LINES = {
    "python": "pass",
    "baseline": BASELINE,
    "--help": _MAIN.format(["--help"]),
    "list-methods": _MAIN.format(["list-methods"]),
    "list-methods --json": _MAIN.format(["list-methods", "--json"]),
    "plugins": _MAIN.format(["plugins"]),
}


def seconds(code: str, environment: dict[str, str]) -> float:
    """Wall time of one fresh process."""
    start = time.perf_counter()
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def heavy(code: str, environment: dict[str, str]) -> list[str]:
    """Which of the heavy modules a process imports, by ``-X importtime``."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    return sorted(imported & {"torch", "numpy", "pydantic", "rich.console", "safetensors"})


def measure(runs: int) -> dict[str, dict[str, Any]]:
    """Milliseconds and ratio to the baseline of each line."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        imports = {name: heavy(code, environment) for name, code in LINES.items()}
        times: dict[str, list[float]] = {name: [] for name in LINES}
        for _ in range(runs):
            for name, code in LINES.items():
                times[name].append(1000 * seconds(code, environment))
    least = min(times["baseline"])
    return {
        name: {
            "min_ms": round(min(values), 1),
            "median_ms": round(statistics.median(values), 1),
            "ratio": round(min(values) / least, 2),
            "heavy_imports": imports[name],
        }
        for name, values in times.items()
    }


def main() -> None:
    """Measure, print, and fail where a ratio is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.runs)
    if arguments.json:
        print(json.dumps({"baseline": BASELINE, "limit": LIMIT, "commands": found}, indent=2))
    else:
        print(f"{'':20}  {'min ms':>7}  {'median ms':>9}  {'ratio':>5}  heavy imports")
        for name, row in found.items():
            numbers = f"{row['min_ms']:>7}  {row['median_ms']:>9}  {row['ratio']:>5}"
            print(f"{name:20}  {numbers}  {', '.join(row['heavy_imports']) or '-'}")
    sys.exit(any(row["ratio"] > LIMIT for row in found.values()))


if __name__ == "__main__":
    main()
