"""Files of every kind that is read again, and what reads them: what damage.py damages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from invcore_architecture.table import CellTable
from invcore_closed_loop import Campaign
from invcore_crystal import table as crystal
from invcore_metamaterial import generate
from invcore_proxy import read_bundle, write_bundle
from invcore_solve.simulators.function import Trial
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.kept_trial import kept_trial

from invcore.benchmarking.manifest import Bench, BenchCell, read_bench, write_bench
from invcore.cli.main import main
from invcore.pipeline import build, rebuild
from invcore.plugin import (
    Cache,
    Problem,
    Results,
    Space,
    Targets,
    Uniform,
    Variable,
    generator,
    installed,
    replace_file,
    sealed_tensors,
)
from invcore.results import RunRecord, Store
from invcore.search import LoopJournal

RUN = "0123456789ab"
Read = Callable[[], Any]


@dataclass
class Subject:
    """Files, and what reads them.

    Args:
        files: that are damaged, one at a time.
        read: gives what they hold, as plain data and tensors.
        said: what readers have said of damage.
    """

    files: list[Path]
    read: Read
    said: list[str]


def facts() -> dict[str, Any]:
    """Of a run's record."""
    return {
        "task": "t", "method": "m", "sampler": "s", "candidates": 2, "targets": 3, "seed": 0,
    }  # fmt: skip


def run(folder: Path) -> Subject:
    """All files of a run."""
    store, artefact = Store(folder), folder.parent / "picture"
    artefact.write_bytes(bytes(range(200)))
    random = torch.Generator().manual_seed(0)
    tensors = {
        name: {"x": torch.randn(4, 5, generator=random), "n": torch.arange(3)}
        for name in ("candidates", "model", "diagnostics")
    }
    store.write(
        RunRecord(id=RUN, device="cpu", config={"a": [1.5, None]}, **facts()), tensors=tensors,
        documents={"model": {"weights": [0.25, 3]}}, log=[{"epoch": 1, "loss": 0.5}],
        files={"vocabulary": b"abc" * 20}, artefacts={"picture": artefact},
    )  # fmt: skip

    def read() -> Any:
        record = store.read(RUN)
        parts = [store.tensors(RUN, name) for name in tensors]
        return record.model_dump(mode="json"), parts, store.json(RUN, "model"), store.files(RUN)

    return Subject(_files(folder), read, [])


def alone(folder: Path) -> Subject:
    """Files of a run that are read on their own, without the record's being asked for."""
    subject, store = run(folder), Store(folder)

    def read() -> Any:
        parts = [store.tensors(RUN, name) for name in ("candidates", "model", "diagnostics")]
        return parts, store.json(RUN, "model"), store.files(RUN)

    unread = ("log.jsonl", "picture", "run.json")
    return Subject([f for f in subject.files if f.name not in unread], read, [])


def cache(folder: Path) -> Subject:
    """A reference sample, say."""
    said: list[str] = []
    values = {"samples": torch.arange(60.0).view(3, 20), "targets": torch.arange(3)}

    def read() -> Any:
        return Cache(folder, said.append).tensors("reference", {"seed": 1}, lambda: values)

    read()
    return Subject(_files(folder), read, said)


def batch(folder: Path) -> Subject:
    """A finished batch of one's own simulator."""
    x = np.linspace(0.0, 1.0, 24).reshape(8, 3)
    said: list[str] = []

    def read() -> Any:
        journal = Journal(folder, said.append)
        y = journal.find(x, 2)
        if y is None:
            y = np.stack([x.sum(axis=1), x.prod(axis=1)], axis=1)
            journal.keep(x, y)
        return y.tolist()

    read()
    return Subject(_files(folder), read, said)


def trial(folder: Path) -> Subject:
    """What a try of a costly function has shown."""
    said: list[str] = []

    def tried() -> Trial:
        import time

        said.append("tried again")
        time.sleep(0.1)
        return Trial("numpy", 2, False, "it takes NumPy arrays")

    def read() -> Any:
        return vars(kept_trial(folder, 2, tried))

    read()
    said.clear()
    return Subject(_files(folder), read, said)


def _loop(name: str, config: Any) -> Any:
    return rebuild(installed(), "loop", name, config, where="the journal").component


def _journal(folder: Path) -> LoopJournal:
    ends = Uniform(low=0.0, high=2.0)
    designs = Space.of(*(Variable(name=n, prior=ends) for n in "ab"))
    loop: Any = build(installed(), "loop", "cma-es", {}).component
    journal = LoopJournal.create(
        folder, loop, Problem("sum", designs, Space.of(Variable(name="y"))),
        Targets(torch.tensor([[1.0]]).double()), name="cma-es",
        points=torch.rand(1, 1, 2, generator=generator(0, "faults"), dtype=torch.float64),
    )  # fmt: skip
    for _ in range(5):
        asked = journal.ask(2)
        journal.tell(Results(asked.id, asked.designs, asked.designs.sum(dim=1, keepdim=True)))
    return journal


def events(folder: Path) -> Subject:
    """The events of a loop's folder."""
    _journal(folder)

    def read() -> Any:
        journal = LoopJournal.open(folder, _loop)
        rows = journal.rows
        return rows.made, rows.responses, journal.facts, journal.targets.low

    return Subject(_files(folder / "events"), read, [])


def state(folder: Path) -> Subject:
    """The state of a loop, which is computed again where it is damaged."""
    _journal(folder)

    def read() -> Any:
        return LoopJournal.open(folder, _loop).ask(2).designs

    return Subject([folder / "state.safetensors"], read, [])


def campaign(folder: Path) -> Subject:
    """The folder of a campaign, as `campaign status` and `best` see it."""
    made = Campaign.new(
        folder, designs={"cu": (0, 5), "oven": ["A", "B"]}, responses=["strength"],
        want=["strength>=9"], loop="random-search", seed=1,
    )  # fmt: skip
    for _ in range(2):
        frame = made.ask(3)
        frame["strength"] = frame["cu"] * 2
        made.tell(frame)

    def read() -> Any:
        found = Campaign.open(folder)
        return found.best(3).to_csv(), found.problem.designs.model_dump(mode="json")

    return Subject(_files(folder / "events"), read, [])


def manifest(folder: Path) -> Subject:
    """The manifest of a bench."""
    given = {k: v for k, v in facts().items() if k in ("task", "method", "sampler", "seed")}
    cells = tuple(BenchCell(id=f"{n:012x}", seconds=n / 3, **given) for n in range(5))
    write_bench(Store(folder), Bench(name="mine", created="now", cells=cells))
    return Subject(
        _files(folder), lambda: read_bench(Store(folder), "mine").model_dump(mode="json"), []
    )


def bundle(folder: Path) -> Subject:
    """A proxy, as `--task folder/` takes it."""
    shipped = read_bundle(Path(crystal.__file__).parent / "proxy")
    write_bundle(folder, shipped.proxy, shipped.report, shipped.designs, shipped.responses)
    x = shipped.designs.sample(4, generator(0, "faults"))

    def read() -> Any:
        found = read_bundle(folder)
        return found.proxy(x), found.record.model_dump(mode="json")

    return Subject([folder / "task.json", folder / "proxy.safetensors"], read, [])


def cells(folder: Path) -> Subject:
    """A table of cells with their moduli."""
    random = torch.Generator().manual_seed(0)
    path = folder / "cells.npz"
    CellTable(
        torch.rand(6, 8, 8, generator=random) < 0.5, torch.rand(6, 2, generator=random).double(),
        torch.zeros(6, dtype=torch.long), ("noise",), {"seed": 0},
    ).save(path)  # fmt: skip

    def read() -> Any:
        found = CellTable.load(path)
        return found.cells, found.moduli, found.family, found.families, found.settings

    return Subject([path], read, [])


def shards(folder: Path) -> Subject:
    """Spectra that were generated."""
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(0)
    for number in range(2):
        tensors = {"x": torch.rand(3, 8, generator=random).double(),
                   "y": torch.rand(3, 9, generator=random), "solved": torch.ones(3)}  # fmt: skip
        data = sealed_tensors(tensors, json.dumps({"seed": 0}), kind="settings")
        replace_file(folder / f"shard-{number:05d}.safetensors", data)
    return Subject(_files(folder), lambda: generate.read_shards(folder), [])


def published(folder: Path) -> Subject:
    """A table that was fetched, whose checksums are known."""
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(0)
    sums = {}
    for name, width in ((crystal.DESIGNS, 7), (crystal.GAPS, 1)):
        rows = torch.rand(20, width, generator=random).tolist()
        text = "\n".join(",".join(f"{v:.6f}" for v in row) for row in rows)
        (folder / name).write_text(text + "\n")
        sums[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def read() -> Any:
        found = crystal.read_rows(folder, checksums=sums)
        return found.x, found.y

    return Subject(_files(folder), read, [])


def commands(folder: Path) -> Subject:
    """A store, as commands read it: what they print, and their exit codes."""
    for words in (
        ("run", "--task", "sine-wave", "--method", "random-search", "--preset", "quick",
         "--targets", "3", "--candidates", "2", "--set", "pairs=20"),
    ):  # fmt: skip
        code, text = _called(*words, "--store", str(folder))
        if code:
            raise RuntimeError(text)
    run_id = Store(folder).ids()[0]
    said: list[str] = []

    def read() -> Any:
        results = []
        for words in (
            ("results", "show", run_id, "--json"), ("results", "list", "--json"),
            ("rescore", run_id, "--metric", "mmd", "--force", "--json"),
        ):  # fmt: skip
            code, text = _called(*words, "--store", str(folder))
            if code == 70:
                raise RuntimeError(text)
            if code or "damaged" in text:
                said.append(text)
            results.append((code, text))
        record = Store(folder).get(run_id)
        return results[0], None if record is None else [m.model_dump() for m in record.metrics]

    read()
    said.clear()
    own = [path for path in _files(folder) if ".cache" not in path.parts]  # made anew, unsaid
    return Subject(own, read, said)


def _called(*words: str) -> tuple[int, str]:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main(list(words))
        except SystemExit as end:
            return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def _files(folder: Path) -> list[Path]:
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return sorted(path for path in files if path.stat().st_size)
