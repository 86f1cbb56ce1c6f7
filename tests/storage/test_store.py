"""The store: whole or absent, checked, and never outside of its folder."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from invcore.base.errors import StoreError, UnknownNameError
from invcore.storage import store as storing
from invcore.storage.run_record import MetricRecord, RunRecord
from invcore.storage.seal import sealed, unsealed
from invcore.storage.store import Store

ID, OTHER = "0123456789ab", "0123ffffffff"
TENSORS = {
    "candidates": {"errors": torch.tensor([[1.0, math.nan]]), "x": torch.zeros(2, 3).double()},
    "model": {"weight": torch.arange(6).view(2, 3).T, "flag": torch.tensor(True)},
}
FILES = ["candidates.safetensors", "log.jsonl", "model.json", "model.safetensors"]


def record(run=ID, **facts):
    return RunRecord(
        id=run, task="t", method="m", sampler="s", candidates=2, targets=1, seed=3, device="cpu",
        metrics=(MetricRecord(name="r_T", T=1, value=0.5), MetricRecord(name="a", value=None)),
        config={"deep": {"list": [1, 2.5, None, "x"]}}, **facts,
    )  # fmt: skip


def write(store, run=ID, **facts):
    return store.write(
        record(run, **facts), tensors=TENSORS, documents={"model": {"a": [1]}}, log=[{"epoch": 1}]
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "deep" / "runs")


def names(store):
    return sorted(str(p.relative_to(store.root)) for p in store.root.rglob("*"))


def test_round_trip(store):
    written = write(store)
    again = store.read(ID)
    assert again == written and sorted(again.files) == FILES
    for name, group in TENSORS.items():
        found = store.tensors(ID, name)
        assert found.keys() == group.keys()
        for key, value in group.items():
            assert found[key].dtype == value.dtype
            torch.testing.assert_close(found[key], value, rtol=0, atol=0, equal_nan=True)
    assert store.json(ID, "model") == {"a": [1]}
    assert names(store) == sorted([ID, *(f"{ID}/{name}" for name in [*FILES, "run.json"])])


def test_ids_are_the_folders_that_look_like_runs(store):
    assert store.ids() == []
    write(store, OTHER)
    write(store)
    (store.root / ".writing-x").mkdir()
    (store.root / "notes").mkdir()
    (store.root / "aaaaaaaaaaaa").write_text("a file")
    assert sorted(store.ids()) == [ID, OTHER]


def test_run_is_found_by_the_beginning_of_its_id(store, complaint):
    write(store)
    assert store.find("0") == store.find(ID) == ID
    write(store, OTHER)
    assert store.find("01234") == ID
    message = complaint(UnknownNameError, store.find, "0123")
    assert ID in message and OTHER in message
    for absent in ("", "ff", "../0123", "0123456789abc"):
        assert "no run" in complaint(UnknownNameError, store.find, absent)


def test_earlier_run_is_replaced_and_leaves_nothing(store):
    write(store)
    store.write(record(reason="again"), tensors={"model": TENSORS["model"]})
    assert store.read(ID).reason == "again"
    assert names(store) == sorted([ID, f"{ID}/model.safetensors", f"{ID}/run.json"])


STEPS = {
    "tensors": (
        "safetensors.torch.save_file",
        SafetensorError("IoError: no space left\n on device"),
    ),
    "checksum": ("invcore.storage.store._checksum", OSError(28, "No space left on device")),
    "record": ("invcore.storage.store.dump", OSError(28, "No space left on device")),
}


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_write_that_fails_midway_leaves_what_was_there(
    store, step, earlier, monkeypatch, complaint
):
    if earlier:
        write(store)
    name, error = STEPS[step]

    def fail(*args, **options):
        raise error

    monkeypatch.setattr(name, fail)
    message = complaint(StoreError, write, store, reason="new")
    assert str(store.root) in message and "space left" in message
    monkeypatch.undo()
    assert store.ids() == ([ID] if earlier else [])
    assert earlier or names(store) == []
    assert not earlier or store.read(ID).reason == ""


def test_interrupted_write_leaves_nothing(store, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(storing, "_checksum", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(store)
    assert names(store) == []


@pytest.mark.parametrize("name", [*FILES, "run.json"])
@pytest.mark.parametrize("damage", ["missing", "short", "changed", "empty"])
def test_damage_is_said_with_the_files_name(store, name, damage, complaint):
    write(store)
    path = store.path(ID) / name
    data = path.read_bytes()
    changed = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {"short": data[: len(data) // 2], "changed": changed, "empty": b""}[damage]
        )
    if name == "run.json" and damage == "changed":  # still JSON perhaps, but of another content
        path.write_bytes(data.replace(b'"targets"', b'"tragets"'))
    message = complaint(StoreError, store.read, ID)
    assert str(path) in message
    if damage != "changed" and name.endswith("safetensors"):
        assert str(path) in complaint(StoreError, store.tensors, ID, name.partition(".")[0])
    if damage != "changed" and name == "model.json":
        assert str(path) in complaint(StoreError, store.json, ID, "model")


@pytest.mark.parametrize("fate", ["huge", "pipe"])
def test_a_record_that_no_memory_or_time_holds(store, fate, complaint):
    write(store)
    path = store.path(ID) / "run.json"
    path.unlink()
    if fate == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    assert (
        "larger than 32 MiB" in (said := complaint(StoreError, store.read, ID)) or "no file" in said
    )


def test_record_of_another_run(store, complaint):
    write(store)
    store.path(ID).rename(store.path(OTHER))
    assert f"says that it is run {ID}" in complaint(StoreError, store.read, OTHER)


OUTSIDE = [
    "../0123456789ab",
    "../../etc",
    "/etc",
    ".",
    "",
    f"{ID}/..",
    f"{ID}\n",
    ID.upper(),
    f"x{ID}",
]


@pytest.mark.parametrize("run", OUTSIDE)
def test_nothing_outside_of_the_store_is_touched(store, run, tmp_path):
    outside = store.root.parent / ID
    outside.mkdir(parents=True)
    (outside / "run.json").write_text("{}")
    for work in (store.path, store.read, lambda r: store.tensors(r, "model")):
        with pytest.raises(StoreError, match="no run's id"):
            work(run)
    with pytest.raises(ValueError, match="pattern"):
        record(run)
    with pytest.raises(StoreError):
        store.write(record().model_copy(update={"id": run}))
    assert (outside / "run.json").read_text() == "{}"
    assert not store.root.exists() or list(store.root.iterdir()) == []


def test_checksums_of_files_elsewhere_are_not_followed(store, complaint):
    secret = store.root.parent / "secret"
    write(store)
    secret.write_text("x")
    path = store.path(ID) / "run.json"
    data = json.loads(unsealed(path.read_bytes())[0])
    data["files"] = {"../../secret": "0" * 64}
    path.write_bytes(sealed(json.dumps(data, indent=1).encode()))
    assert str(store.path(ID) / "secret") in complaint(StoreError, store.read, ID)


def test_folder_that_cannot_be_written(tmp_path, complaint):
    (tmp_path / "file").write_text("x")  # for root, rights forbid nothing
    for root in (tmp_path / "file", tmp_path / "file" / "runs"):
        store = Store(root)
        assert str(root) in complaint(StoreError, store.check_writable)
        assert str(root) in complaint(StoreError, write, store)
        assert store.ids() == []
    assert (tmp_path / "file").read_text() == "x"
    Store(tmp_path / "new").check_writable()
    assert list((tmp_path / "new").iterdir()) == []


def test_numbers_that_json_does_not_know_become_null(store):
    config = {"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": 1.5}
    log = [{"loss": math.nan, "device": torch.device("cpu")}]
    store.write(record().model_copy(update={"config": config}), log=log)
    text = (store.path(ID) / "run.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert store.read(ID).config == {"a": None, "b": [None, {"c": None}], "d": 1.5}
    line = json.loads((store.path(ID) / "log.jsonl").read_text())
    assert line == {"loss": None, "device": "cpu"}


def test_metric_by_name():
    assert record().metric("r_T", 1).value == 0.5
    for name, count in (("r_T", 2), ("r_t", None)):
        with pytest.raises(UnknownNameError, match=r"r_T \(T=1\)"):
            record().metric(name, count)


def test_no_pickle_anywhere():
    """Nothing that runs code from a file: not in the core, not in a plugin."""
    root = Path(__file__).resolve().parents[1]
    bad = re.compile(
        r"\bpickle\.loads?\b|torch\.load\((?!.*weights_only=True)|\beval\((?!\))|\bexec\(|allow_pickle=True"
        r"|yaml\.load\("
    )
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for folder in ("invcore", "plugins")
        for path in (root / folder).rglob("*.py")
        if "tests" not in path.parts
        for line in path.read_text().splitlines()
        if bad.search(line.partition("#")[0]) and "allow_pickle=False" not in line
    ]
    assert found == []


READERS = {
    "candidates.safetensors": lambda store: store.tensors(ID, "candidates"),
    "model.json": lambda store: store.json(ID, "model"),
    "files/vocabulary": lambda store: store.files(ID),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_read_on_its_own_is_checked(store, name, complaint):
    store.write(
        record(), tensors=TENSORS, documents={"model": {"a": [1]}}, files={"vocabulary": b"abc"}
    )
    read, path = READERS[name], store.path(ID) / name
    read(store)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert f"{Path(name).name}: damaged" in complaint(StoreError, read, store)
    path.write_bytes(data)
    (store.path(ID) / "run.json").unlink()
    assert "run.json: cannot be read" in complaint(StoreError, read, store)


def test_files_that_the_record_does_not_name_are_not_read(store, complaint):
    store.write(record(), files={"vocabulary": b"abc"})
    (store.path(ID) / "files" / "more").write_bytes(b"from elsewhere")
    (store.path(ID) / "extra.json").write_text("{}")
    assert store.files(ID) == {"vocabulary": b"abc"}
    assert "extra.json: missing" in complaint(StoreError, store.json, ID, "extra")


@pytest.mark.parametrize("name", ["", "run.json", "model.json", "files", "files/vocabulary"])
def test_links_are_not_followed(store, tmp_path, name, complaint):
    written = store.write(record(), documents={"model": {}}, files={"vocabulary": b"abc"})
    place, away = store.path(ID) / name, tmp_path / "away"
    place.rename(away)
    place.symlink_to(away)
    assert "is a link, which is not followed" in complaint(StoreError, store.read, ID)
    assert store.get(ID) is None and "is a link" in store.damage(ID)
    kept = {path: path.read_bytes() for path in tmp_path.glob("away/**/*") if path.is_file()}
    if name in ("", "run.json"):
        complaint(StoreError, store.update, written)
    store.write(record(), documents={"model": {"new": 1}})  # in the link's place
    assert store.json(ID, "model") == {"new": 1} and away.exists()
    assert all(path.read_bytes() == data for path, data in kept.items())
