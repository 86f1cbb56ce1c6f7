"""What is done in trials: small benches, runs and solves, and what a store holds of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_trials.processes import Command
from invcore.plugin import StoreError
from invcore.results import Store

BENCH = """
name = "tiny"
seeds = {seeds}
samplers = ["random"]
tasks = ["sine-wave"]
preset = "quick"
targets = 3
candidates = 2
pairs = 20
[[methods]]
name = "random-search"
[[methods]]
name = "na"
surrogate = {{width = 4, training = {{epochs = 1}}}}
"""
SIMULATOR = """
import numpy as np
import time


def spring(x):
    time.sleep(0.002 * len(x))
    return np.stack([np.sqrt(x[:, 0] / x[:, 1]), x[:, 0] * x[:, 1]], axis=1)
"""
_TIMES = ("timings", "created", "scoring", "checksum", "files", "notes")
_CLOCK = "history.seconds"
_CLOCKED = re.compile(r"best-within-[\d.]+s")  # a metric of the clock


@dataclass(frozen=True)
class Work:
    """A command line and where its store is.

    Args:
        name: of the part.
        words: of the command; ``{store}`` and ``{folder}`` are filled in.
        good: exit codes of work that ended well.
    """

    name: str
    words: tuple[str, ...]
    good: tuple[int, ...] = (0,)

    def command(self, folder: Path, **options: Any) -> Command:
        """It, in a folder."""
        prepare(folder)
        marks = {"{store}": str(store_of(folder).root), "{folder}": str(folder)}
        words = []
        for word in self.words:
            for mark, text in marks.items():
                word = word.replace(mark, text)
            words.append(word)
        return Command(words, folder=folder, **options)


def store_of(folder: Path) -> Store:
    """The store of work in a folder."""
    return Store(folder / "disk" / "runs")


def prepare(folder: Path, seeds: int = 3) -> None:
    """Write what commands read."""
    (folder / "disk").mkdir(parents=True, exist_ok=True)
    if not (folder / "bench.toml").exists():
        (folder / "bench.toml").write_text(BENCH.format(seeds=list(range(seeds))))
        (folder / "own.py").write_text(SIMULATOR)


_RUN = (
    "run", "--task", "sine-wave", "--method", "na", "--preset", "quick", "--targets", "3",
    "--candidates", "2", "--set", "pairs=20", "--set", "method.surrogate.width=4",
    "--set", "method.surrogate.training.epochs=1", "--store", "{store}",
)  # fmt: skip
WORKS = {
    "bench": Work("bench", ("bench", "{folder}/bench.toml", "--store", "{store}")),
    "run": Work("run", _RUN),
    "force": Work("force", (*_RUN, "--force")),
    "solve": Work(
        "solve",
        (
            "solve",
            "--simulator",
            "own:spring",
            "--bounds",
            "a=0.5:5",
            "--bounds",
            "b=5:50",
            "--target",
            "0.3,40",
            "--method",
            "random-search",
            "--budget",
            "60",
            "--store",
            "{store}",
            "--out",
            "{folder}/disk/out.csv",
        ),
    ),
    "jobs": Work("jobs", ("bench", "{folder}/bench.toml", "--store", "{store}", "--jobs", "2")),
}


def runs(store: Store) -> dict[str, bytes]:
    """The record of each run that is visible, as bytes."""
    return {run: (store.path(run) / "run.json").read_bytes() for run in store.ids()}


def broken(store: Store) -> list[str]:
    """What is wrong with visible runs and manifests: nothing ever may."""
    wrong = [store.damage(run) for run in store.ids()]
    for path in (store.root / "benches").glob("*.json"):
        from invcore.benchmarking.manifest import read_bench

        try:
            read_bench(store, path.stem)
        except StoreError as error:
            wrong.append(str(error))
    return [text for text in wrong if text]


def content(store: Store) -> dict[str, str]:
    """What each run says but for clocks, as a checksum by its id."""
    return {run: _digest(store, run) for run in store.ids()}


def _digest(store: Store, run: str) -> str:
    record = store.read(run)
    document = record.model_dump(mode="json")
    for name in _TIMES:
        document.pop(name, None)
    document["metrics"] = [
        m for m in document["metrics"] if m["unit"] != "s" and not _CLOCKED.fullmatch(m["name"])
    ]
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    for name in sorted(record.files):
        stem, _, ending = name.rpartition(".")
        if ending == "safetensors":
            _add(digest, store.tensors(run, stem))
        elif ending == "json":
            digest.update(json.dumps(store.json(run, stem), sort_keys=True).encode())
    return digest.hexdigest()


def _add(digest: Any, tensors: Mapping[str, Any]) -> None:
    for key, value in sorted(tensors.items()):
        if key != _CLOCK:
            digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.numpy().tobytes())
