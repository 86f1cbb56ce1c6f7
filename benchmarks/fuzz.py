"""Inputs made to break the readers of what comes from outside, and what becomes of them.

    python benchmarks/fuzz.py [READER …] [--count 10000] [--seed 0] [--out fuzz]

Prints for each reader how many inputs were accepted, refused in one line, ended in an internal
error, took more than 10 s or 2 GiB, had a file written outside the reader's folder, or ended the
process. One input in ten is drawn by hypothesis, which takes most of the time where each is; the
other nine are that one with a few bytes changed. Inputs are made in portions, from the seed alone;
each portion is a line of OUT/rows.jsonl, and one that is there is not done again. What failed lies
in OUT/failing/READER, the input beside the reason. The inputs run in a child process with limits,
which is ended where it hangs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from fuzzing.reader import BAD, OUTCOMES, SECONDS, limit_memory, outcome_of
from fuzzing.readers import READERS
from fuzzing.strategies import relatives
from hypothesis import HealthCheck, Phase, given, seed, settings

PORTION = 500  # inputs
RELATIVES = 9  # of each input that is drawn
HANGS = 3 * SECONDS  # seconds without a sign, after which an alarm has not helped
STARTING = 300.0  # seconds for a process to begin: some readers fit their examples first
KEPT = 20  # failing inputs of a reader and outcome
COLUMNS = (*OUTCOMES, "crash")


def work(pipe: Connection, counts: Any, out: Path) -> None:
    """Do portions until there are none; ``counts`` has those of the portion, by outcome."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-work-"))
    os.environ["HOME"] = str(root)
    sys.stdout = sys.stderr = open(os.devnull, "w")
    while (task := pipe.recv()) is not None:
        name, number, size = task
        reader = READERS[name]

        @seed(int.from_bytes(hashlib.sha256(repr(number).encode() + name.encode()).digest()[:8]))
        @settings(
            max_examples=-(-size // (1 + RELATIVES)), database=None, deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(reader.inputs())
        def some(drawn: bytes) -> None:
            for data in (drawn, *relatives(drawn, RELATIVES)):
                (root / "input").write_bytes(data)
                outcome, why = outcome_of(reader, data, root)  # noqa: B023 - called in this turn
                counts[COLUMNS.index(outcome)] += 1
                if outcome in BAD:
                    keep(out, name, outcome, data, why)  # noqa: B023

        pipe.send(str(root))
        limit_memory()
        some()
        pipe.send("done")


def keep(out: Path, name: str, outcome: str, data: bytes, why: str) -> None:
    """Put a failing input aside, unless there are enough like it."""
    folder = out / "failing" / name
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.glob(f"{outcome}-*.txt"))) < KEPT:
        stem = f"{outcome}-{hashlib.sha256(data).hexdigest()[:12]}"
        (folder / f"{stem}.input").write_bytes(data)
        (folder / f"{stem}.txt").write_text(why + "\n", errors="backslashreplace")


class Child:
    """A process that does portions, begun anew after it has hung or ended."""

    def __init__(self, out: Path) -> None:
        self.out, self.context = out, multiprocessing.get_context("spawn")
        self.counts: Any = self.context.Array("q", len(COLUMNS))
        self.process: Any = None

    def portion(self, name: str, number: tuple[int, int], size: int) -> Counter[str]:
        """What became of a portion's inputs; the rest of one that ends the process is not done."""
        if self.process is None or not self.process.is_alive():
            self.pipe, theirs = self.context.Pipe()
            arguments = (theirs, self.counts, self.out)
            self.process = self.context.Process(target=work, args=arguments, daemon=True)
            self.process.start()
        self.counts[:] = [0] * len(COLUMNS)
        self.pipe.send((name, number, size))
        fault = self._wait(STARTING) or self._wait(HANGS)
        found = Counter(dict(zip(COLUMNS, self.counts, strict=True)))
        if fault:
            self.process.kill()
            self.process.join()
            found[fault] += 1
            data = (self.root / "input").read_bytes() if self.root else b""
            keep(self.out, name, fault, data, f"the process {fault}")
        return found

    root: Path | None = None

    def _wait(self, limit: float) -> str:
        """Wait for a word of the child: empty, or what went wrong."""
        seen, since = -1, time.monotonic()
        while not self.pipe.poll(0.2):
            if not self.process.is_alive():
                return "crash"
            if (now := sum(self.counts)) != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > limit:
                return "slow"
        try:
            said = self.pipe.recv()
        except EOFError:
            return "crash"
        if said != "done":
            self.root = Path(said)
        return ""

    def end(self) -> None:
        """Let the process end."""
        if self.process is not None and self.process.is_alive():
            self.pipe.send(None)
            self.process.join(10)


def table(rows: list[dict[str, Any]]) -> str:
    """What became of all inputs, a line a reader."""
    total: dict[str, Counter[str]] = {}
    for row in rows:
        total.setdefault(row["reader"], Counter()).update(row["outcomes"])
    lines = [f"{'reader':<18}" + f"{'inputs':>9}" + "".join(f"{c:>10}" for c in COLUMNS)]
    for name, counts in total.items():
        numbers = [counts.total(), *(counts[column] for column in COLUMNS)]
        lines.append(f"{name:<18}{numbers[0]:>9}" + "".join(f"{n:>10}" for n in numbers[1:]))
    return "\n".join(lines)


def main() -> None:
    """Do what is not there yet, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("readers", nargs="*", choices=[[], *READERS], metavar="READER")
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each reader")
    parser.add_argument("--seed", type=int, default=0, help="root of all inputs")
    parser.add_argument("--out", type=Path, default=Path("fuzz"), help="folder of rows and inputs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file, child = options.out / "rows.jsonl", Child(options.out.resolve())
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["reader"], row["seed"], row["portion"]) for row in rows}
    for portion in range(-(-options.count // PORTION)):  # all readers a little, then more of each
        for name in options.readers or READERS:
            if (name, options.seed, portion) in done:
                continue
            size = min(PORTION, options.count - portion * PORTION)
            before = time.monotonic()
            found = child.portion(name, (options.seed, portion), size)
            row = {
                "reader": name, "seed": options.seed, "portion": portion, "outcomes": dict(found),
                "seconds": round(time.monotonic() - before, 1),
            }  # fmt: skip
            rows.append(row)
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
    child.end()
    print(table([row for row in rows if row["seed"] == options.seed]))


if __name__ == "__main__":
    main()
