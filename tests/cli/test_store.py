"""``invcore store``: what people and scripts are told, and the exit codes."""

from __future__ import annotations

import torch

from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

FACTS = {
    "task": "line", "method": "toy", "sampler": "lhs", "candidates": 1, "targets": 1, "seed": 0,
    "device": "cpu",
}  # fmt: skip


def made(root, *runs, **facts):
    store = Store(root)
    for run in runs:
        record = RunRecord(id=run, **FACTS, **facts)
        store.write(record, tensors={"model": {"w": torch.zeros(2)}})
    return store


A, B, C = "a00000000000", "b00000000000", "c00000000000"


def test_check_finds_what_is_damaged(call, tmp_path):
    store = made(tmp_path / "runs", A, B)
    done = call("store", "check", "--store", store.root, "--json")
    assert done.code == 0 and done.json == {"checked": {"run": 2}, "problems": [], "damaged": 0}
    path = store.path(B) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    (store.root / "benches").mkdir()
    (store.root / "benches" / "x.json").write_text("{")
    store.cache.mkdir()
    (store.cache / "pairs-1.safetensors").write_bytes(b"nothing")
    (store.root / ".writing-1").mkdir()
    done = call("store", "check", "--store", store.root, "--json")
    assert done.code == 1 and done.json["damaged"] == 3
    assert [one["kind"] for one in done.json["problems"]] == ["run", "bench", "cache", "leftover"]
    shown = call("store", "check", "--store", store.root)
    assert shown.code == 1 and f"run {B}: " in shown.out and "checksum" in shown.out
    assert call("store", "check", "--store", tmp_path / "no").code == 3


def test_merge_takes_what_is_whole_and_replaces_nothing(call, tmp_path):
    first, second = made(tmp_path / "one", A, B), made(tmp_path / "two", B, C, reason="x")
    into = tmp_path / "all"
    done = call("store", "merge", first.root, second.root, "--into", into, "--json")
    assert done.code == 1
    assert (done.json["taken"], done.json["other"]) == ([A, B, C], [B])
    assert Store(into).read(B).reason == "" and "stays" in done.json["reasons"][B]
    again = call("store", "merge", first.root, "--into", into)
    assert again.code == 0 and again.out == "0 runs taken, 2 there already\n"


def test_archive_and_restore(call, tmp_path):
    store, file = made(tmp_path / "runs", A, B), tmp_path / "old.zip"
    words = ["--store", store.root]
    assert call("store", "archive", file, "--older", 1, *words).code == 2  # none is
    done = call("store", "archive", file, "a0", "--remove", *words, "--json")
    assert done.code == 0 and done.json["runs"] == done.json["removed"] == [A]
    assert store.ids() == [B]
    back = call("store", "restore", file, *words)
    assert back.code == 0 and back.out == "1 run restored, 0 there already\n"
    assert set(store.ids()) == {A, B} and store.read(A).id == A
    assert call("store", "archive", file, *words).code == 3  # the file is there
    file.write_bytes(b"PK nothing")
    assert call("store", "restore", file, *words).code == 3
