"""What a store of many runs costs: listings, benches, exports, reports, checks, archives.

    python benchmarks/size.py --store /tmp/many --runs 10000 [--rows size.jsonl] [--only NAME]

The store is made by a bench of runs that do nothing, in this process; stopped, it goes on. Then
each thing is done by a process of its own, whose processor time, time on the clock and largest
memory are measured, and appended to a file as lines of JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import trivial_runs

from invcore import Store
from invcore.benchmarking.cell import Cell, State
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.sweep import Sweep, Watcher
from invcore.cli.views.bench_progress import show_cells

_METHODS = 10
_AT = (100, 1_000, 10_000)
_SPAN = 50  # runs over which the cost of one is a mean


class _Clock(Watcher):
    """Processor seconds of this process when each run ended."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def ended(self, cell: Cell, state: State) -> None:
        """Note the time."""
        if state.status != "ok":
            raise SystemExit(f"{cell.id}: {state.reason}")
        self.moments.append(time.process_time())
        if len(self.moments) % 500 == 0:
            print(f"{len(self.moments)} runs", file=sys.stderr, flush=True)


def sweep_of(folder: Path, runs: int, *, checked: bool = True) -> Sweep:
    """The bench of so many runs that do nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "trivial.toml"
    text = trivial_runs.bench_text(range(-(-runs // _METHODS)), _METHODS)
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return Sweep(
        BenchFile.read(file), Store(folder / "runs"), plugins=trivial_runs.plugins(),
        checked=checked,
    )  # fmt: skip


def made(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Make what runs are missing; the cost of one when there are so many."""
    sweep, clock = sweep_of(folder, runs), _Clock()
    before = len(sweep.cells) - len(sweep.waiting())
    sweep.go(watcher=clock)
    rows = []
    for count in (*_AT, runs):
        place = count - before - 1
        if _SPAN <= place < len(clock.moments):
            spent = clock.moments[place] - clock.moments[place - _SPAN]
            rows.append({"what": f"a run, at {count:,}", "cpu_s": spent / _SPAN})
    return rows


_LAUNCH = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
with open("output.txt", "wb") as output:
    code = subprocess.run(sys.argv[1:], stdout=output, stderr=output).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "code": code, "cpu_s": used.ru_utime + used.ru_stime,
    "wall_s": time.perf_counter() - begun, "peak_mb": used.ru_maxrss / 1024,
}))
"""
"""A small process starts the command: one that is forked counts the memory of its parent."""


def measured(what: str, words: list[str], folder: Path) -> dict[str, Any]:
    """One command by a process of its own."""
    launch = [sys.executable, "-S", "-c", _LAUNCH, *words]
    done = subprocess.run(launch, cwd=folder, capture_output=True, text=True, check=True)
    row: dict[str, Any] = {"what": what, **json.loads(done.stdout)}
    if row["code"]:
        print((folder / "output.txt").read_text()[-2000:], file=sys.stderr)
    return row


def things(folder: Path, runs: int) -> dict[str, list[str]]:
    """What is measured, as command lines."""
    invcore, store = [sys.executable, "-m", "invcore"], ["--store", "runs"]
    own = [
        sys.executable,
        str(Path(__file__).resolve()),
        "--store",
        str(folder),
        "--runs",
        f"{runs}",
    ]
    complete = (
        "from click.shell_completion import ShellComplete as S\nfrom invcore.cli.main import cli\n"
        "print(len(S(cli, {}, 'invcore', 'X').get_completions(['results', 'show'], '')))"
    )
    python = [sys.executable, "-c"]
    return {
        "python and torch alone": [*python, "import torch"],
        "first listing (the index is made)": [*invcore, "results", "list", *store],
        "results list": [*invcore, "results", "list", *store],
        "results list --json": [*invcore, "results", "list", "--json", *store],
        "completion of ids": [*python, complete],
        "first bench --dry-run (cells are planned)": [*own, "--dry-run"],
        "bench --dry-run": [*own, "--dry-run"],
        "results export, long": [*invcore, "results", "export", "long.csv", *store],
        "results export, wide": [*invcore, "results", "export", "wide.parquet", "--wide", *store],
        "store check": [*invcore, "store", "check", *store],
        "doctor": [*invcore, "doctor", *store],
        "store archive": [*invcore, "store", "archive", "all.zip", *store],
        "store restore": [*invcore, "store", "restore", "all.zip", "--store", "restored"],
        "store merge": [*invcore, "store", "merge", "runs", "--into", "merged"],
        "report": [*invcore, "report", *store],
    }


def main() -> None:
    """Make the store and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True, help="a folder to work in")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rows", type=Path, help="file of results; default: in the folder")
    parser.add_argument("--only", action="append", default=[], help="measure this alone")
    parser.add_argument("--dry-run", action="store_true", help="only see which runs are done")
    asked = parser.parse_args()
    folder = asked.store.absolute()
    if asked.dry_run:
        show_cells(sweep_of(folder, asked.runs, checked=False))
        return
    file = asked.rows or folder / "size.jsonl"

    def keep(row: dict[str, Any]) -> None:
        with file.open("a") as output:
            output.write(json.dumps({"runs": asked.runs, **row}) + "\n")
        print(_line(row), flush=True)

    if not asked.only:
        for row in made(folder, asked.runs):
            keep(row)
    chosen = things(folder, asked.runs)
    for what in asked.only or chosen:
        _clean(folder, what)
        keep(measured(what, chosen[what], folder))


def _clean(folder: Path, what: str) -> None:
    """Take away what an earlier measurement has left."""
    import shutil

    cache = "runs/.cache"
    left = {
        "first listing (the index is made)": f"{cache}/index.sqlite",
        "first bench --dry-run (cells are planned)": f"{cache}/cells-trivial.json",
        "store archive": "all.zip", "store restore": "restored", "store merge": "merged",
    }  # fmt: skip
    if what in left:
        path = folder / left[what]
        path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)


def _line(row: dict[str, Any]) -> str:
    """A row of a table."""
    cells = [f"{row['what']:36}", f"{row['cpu_s']:9.4f} s cpu"]
    if "wall_s" in row:
        cells += [f"{row['wall_s']:8.1f} s", f"{row['peak_mb']:7.0f} MB", f"exit {row['code']}"]
    return "  ".join(cells)


if __name__ == "__main__":
    main()
