"""Readers of what invcore has stored, with checksums made right again after each change.

A checksum tells an accident from what was written; whoever writes a file for another can write it
too. So the examples are changed first, and sealed afterwards.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from hypothesis.strategies import SearchStrategy
from safetensors.torch import load, save

from fuzzing.reader import Reader
from fuzzing.strategies import changed, mutated, rendered
from invcore import Store
from invcore.plugin import FitEnvironment, Pairs, Space, Uniform, Variable
from invcore.storage.run_record import MetricRecord, RunRecord, Scoring, Timings
from invcore.storage.seal import sealed

_LINEAR = {"members": ["linear"]}
_RECORD = RunRecord(
    id="0123456789ab", task="sine-wave", method="na", sampler="lhs", candidates=2, targets=3,
    seed=0, device="cpu", metrics=(MetricRecord(name="r_T", metric="r_T", T=1, value=0.5),),
    timings=Timings(fit_s=1.0), config={"want": ["y>=1"], "task": {"name": "sine-wave"}},
    versions={"invcore": "0.1.0"}, code={"invcore": "0" * 16}, created="2026-01-02T03:04:05+00:00",
    scoring={"r_T": Scoring(plugin="metrics", version="1", code="0" * 16)},
)  # fmt: skip


_CAMPAIGN = {
    "start": ("campaign", "events/000000.safetensors"),
    "ask": ("campaign", "events/000001.safetensors"),
    "tell": ("gone-on", "events/000002.safetensors"),
    "change": ("gone-on", "events/000003.safetensors"),
    "state": ("gone-on", "state.safetensors"),
}
"""Of each kind of a campaign's files one, by the folder that has it."""


def stored_readers() -> list[Reader]:
    """All of them."""
    found = []
    for name, part, read in (
        ("run-record", "run.json", _read_run),
        ("run-tensors", "candidates.safetensors", _read_run),
        ("model-record", "model.json", _read_model),
        ("model-tensors", "model.safetensors", _read_model),
        ("bundle-record", "task.json", _read_bundle),
        ("bundle-tensors", "proxy.safetensors", _read_bundle),
        ("campaign-start", "start", _read_campaign),
        ("campaign-ask", "ask", _read_campaign),
        ("campaign-tell", "tell", _read_campaign),
        ("campaign-change", "change", _read_campaign),
        ("campaign-state", "state", _read_campaign),
        ("bench-manifest", "manifest.json", _read_manifest),
    ):  # fmt: skip
        inputs = partial(_inputs, part)
        found.append(Reader(name, inputs, partial(read, part)))
    return found


def _inputs(part: str) -> SearchStrategy[bytes]:
    example = _examples()[part]
    if part.endswith(".json"):
        return rendered(changed(json.loads(example)), json.dumps) | mutated(example)
    header, _ = _split(example)
    documents = changed(header).map(partial(_joined, example))
    if "__metadata__" not in header:
        return documents | mutated(example)
    body = json.loads(header["__metadata__"]["event"])

    def event(new: Any) -> bytes:
        meta = {"event": json.dumps(new)}
        return _joined(example, {**header, "__metadata__": meta})

    return (
        changed(body).map(event)
        | changed(body["body"]).map(lambda new: event({**body, "body": new}))
        | mutated(example)
    )


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a file of tensors, and what follows it."""
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def _joined(example: bytes, header: Any) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + _split(example)[1]


@cache
def valid_folders() -> Path:
    """Valid folders: a run, a model, a bundle, a campaign."""
    import invcore_solve
    from invcore_closed_loop import Campaign
    from invcore_proxy import ProxyConfig, fit_proxy, write_bundle

    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    numbers = torch.rand(3, 2, 2)
    tensors = {"x": numbers, "y": numbers[..., :1], "targets": numbers[:, 0, :1]}
    Store(root / "runs").write(_RECORD, tensors={"candidates": tensors}, log=[{"loss": 0.5}])
    x = torch.rand(40, 2, dtype=torch.float64)
    y = torch.stack([x[:, 0] + x[:, 1], x[:, 0]], dim=1)
    designer = invcore_solve.fit(x, y, judge_settings=_LINEAR, device="cpu")
    designer.save(Store(root / "models"))
    box = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))
    out = Space.of(Variable(name="u"), Variable(name="v"))
    tiny = {"members": 1, "shapes": [{"width": 4, "depth": 1}], "training": {"epochs": 2}}
    config = ProxyConfig.resolve(tiny)
    proxy, report = fit_proxy(Pairs(x, y), box, out, config, FitEnvironment(seed=0))
    write_bundle(root / "bundle", proxy, report, box, out)
    campaign = Campaign.new(
        root / "campaign", designs={"cu": (0, 5), "oven": ["A", "B"]}, responses=["s"],
        want=["s>=3"], loop="random-search", seed=1,
    )  # fmt: skip
    campaign.ask(2)
    shutil.copytree(root / "campaign", root / "gone-on")
    later = Campaign.open(root / "gone-on")
    frame: Any = later.pending().frame()
    frame["s"] = [1.5, 2.5]
    later.tell(frame)
    later.change(want=["s>=4"], constraints=["cu <= 4"])
    later.ask(1)
    return root


@cache
def _examples() -> dict[str, bytes]:
    root = valid_folders()
    manifest = {
        "schema_version": 1, "name": "mine", "created": "", "file": "", "title": "t",
        "cells": [{"id": "0" * 12, "task": "a", "method": "b", "sampler": "c", "seed": 0}],
    }  # fmt: skip
    parts = {
        "run.json": next((root / "runs").glob("*/run.json")),
        "candidates.safetensors": next((root / "runs").glob("*/candidates.safetensors")),
        "model.json": next((root / "models").glob("*/model.json")),
        "model.safetensors": next((root / "models").glob("*/model.safetensors")),
        "task.json": root / "bundle" / "task.json",
        "proxy.safetensors": root / "bundle" / "proxy.safetensors",
        **{part: root / folder / file for part, (folder, file) in _CAMPAIGN.items()},
    }
    return {name: path.read_bytes() for name, path in parts.items()} | {
        "manifest.json": json.dumps(manifest).encode()
    }


def copied(kind: str, folder: Path, part: str, data: bytes) -> Path:
    """A copy of a store with one run, a part of it replaced, and checksums that are right."""
    source = next(
        path for path in (valid_folders() / kind).iterdir() if not path.name.startswith(".")
    )
    place = folder / source.name
    shutil.copytree(source, place)
    (place / part).write_bytes(data)
    record = place / "run.json"
    try:
        document = json.loads(record.read_bytes())
        document.pop("checksum", None)
        if part != "run.json":
            document["files"][part] = hashlib.sha256(data).hexdigest()
        record.write_bytes(sealed(json.dumps(document, indent=1).encode()))
    except (ValueError, AttributeError, RecursionError, TypeError):
        pass  # the record itself is broken, and is read as it is
    return folder


def _read_run(part: str, data: bytes, folder: Path) -> Any:
    from invcore.cli.main import main

    store = Store(copied("runs", folder, part, data))
    name = store.ids()[0]
    record = store.read(name)
    called(main, ["results", "show", name, "--store", str(store.root)])
    called(main, ["results", "list", "--store", str(store.root)])
    return record, store.tensors(name, "candidates")


def called(main: Callable[[list[str]], None], words: list[str]) -> None:
    """A command, whose internal errors are raised."""
    import contextlib
    import io

    from invcore.base.errors import StoreError

    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(["--debug", *words])
    except SystemExit as end:
        if end.code:
            raise StoreError("refused") from None


def _read_model(part: str, data: bytes, folder: Path) -> Any:
    from invcore_solve import Designer

    store = Store(copied("models", folder, part, data))
    designer = Designer.load(store, store.ids()[0])
    return designer.predict(torch.tensor([[0.5, 0.5]], dtype=torch.float64))


def _read_bundle(part: str, data: bytes, folder: Path) -> Any:
    from invcore_proxy import read_bundle

    place = folder / "bundle"
    shutil.copytree(valid_folders() / "bundle", place)
    (place / part).write_bytes(data)
    if part != "task.json":
        document = json.loads((place / "task.json").read_bytes())
        document["files"][part] = hashlib.sha256(data).hexdigest()
        (place / "task.json").write_text(json.dumps(document))
    bundle = read_bundle(place)
    return bundle.proxy.predict(torch.full((2, 2), 0.5, dtype=torch.float64))


def _read_campaign(part: str, data: bytes, folder: Path) -> Any:
    from invcore_closed_loop import Campaign

    source, name = _CAMPAIGN[part]
    place = folder / "campaign"
    shutil.copytree(valid_folders() / source, place)
    (place / name).write_bytes(_sealed_event(data))
    for event in (place / "events").glob("*.safetensors"):  # those after it name it as it was
        if part != "state" and event.name > Path(name).name:
            event.unlink()
    campaign = Campaign.open(place)
    return campaign.status(), campaign.rows(), campaign.best(2), campaign.ask(1)


def _sealed_event(data: bytes) -> bytes:
    from invcore.storage.sealed_tensors import checksum_of

    try:
        header, _ = _split(data)
        meta = dict(header["__metadata__"])
        tensors = load(data)
        meta["checksum"] = checksum_of(meta["event"], tensors)
        return save(tensors, meta)
    except Exception:  # broken otherwise: it is read as it is
        return data


def _read_manifest(part: str, data: bytes, folder: Path) -> Any:
    from invcore.results import read_bench

    (folder / "benches").mkdir()
    (folder / "benches" / "mine.json").write_bytes(data)
    return read_bench(Store(folder), "mine")
