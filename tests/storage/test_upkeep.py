"""Stores merged, archived and put back: whole runs alone, nothing replaced, nothing outside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from invcore.base.errors import StoreError
from invcore.storage.seal import sealed
from invcore.storage.store import Store
from invcore.storage.upkeep.adoption import adopt, copy_run, same_run
from invcore.storage.upkeep.archive import archived_runs, read_archive, write_archive
from invcore.storage.upkeep.removal import remove_run


def content(store):
    return {
        p.relative_to(store.root).as_posix(): p.read_bytes()
        for run in store.ids() for p in store.path(run).rglob("*") if p.is_file()
    }  # fmt: skip


def outcomes(source, store):
    return {run: adopt(store, run, copy_run(source, run)).outcome for run in source.ids()}


def test_runs_of_another_store_are_taken_whole(stored, small, tmp_path):
    source, store = stored(4), stored(2, "mine", first=3)
    damaged = source.path(small(2).id) / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes() + b"x")
    store.update(small(3, reason="mine"))
    before = content(store)
    got = outcomes(source, store)
    ids = [small(n).id for n in range(4)]
    assert got == dict(zip(ids, ["taken", "taken", "damaged", "other"], strict=True))
    after = content(store)
    assert before.items() <= after.items() and set(store.ids()) == {*ids, small(4).id} - {ids[2]}
    assert outcomes(source, store)[ids[0]] == "there" and content(store) == after
    assert same_run(source, ids[0], store) and not same_run(source, ids[3], store)
    assert not [p for p in store.root.iterdir() if p.name.startswith(".writing")]
    said = adopt(store, ids[2], copy_run(source, ids[2])).reason
    assert "model.safetensors: damaged" in said and ".writing" not in said


def test_a_link_is_not_followed_out_of_a_store(stored, small, tmp_path):
    source, secret = stored(1), tmp_path / "secret"
    secret.write_text("secret")
    (source.path(small(0).id) / "more.txt").symlink_to(secret)
    store = Store(tmp_path / "mine")
    assert adopt(store, small(0).id, copy_run(source, small(0).id)).outcome == "taken"
    assert not (store.path(small(0).id) / "more.txt").exists()


def test_an_archive_gives_the_same_bytes_back(stored, small, tmp_path):
    store, path = stored(6), tmp_path / "runs.zip"
    damaged = store.path(small(1).id) / "run.json"
    damaged.write_bytes(damaged.read_bytes().replace(b"lhs", b"lhx"))
    assert list(write_archive(store, store.ids(), path)) == [small(1).id]
    ids = [small(n).id for n in (0, 2, 3, 4, 5)]
    assert list(archived_runs(path)) == ids
    again = Store(tmp_path / "again")
    assert [one.outcome for one in read_archive(path, again)] == ["taken"] * 5
    assert content(again) == {k: v for k, v in content(store).items() if small(1).id not in k}
    assert {one.outcome for one in read_archive(path, again)} == {"there"}
    other = tmp_path / "other.zip"
    write_archive(again, ids, other)
    assert other.read_bytes() == path.read_bytes()
    with pytest.raises(StoreError, match="is there already"):
        write_archive(store, ids, path)


def test_every_flipped_byte_of_an_archive_is_noticed(stored, tmp_path):
    store, path = stored(1), tmp_path / "runs.zip"
    write_archive(store, store.ids(), path)
    whole, before = path.read_bytes(), content(store)
    for place in range(0, len(whole), 23):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        into = Store(tmp_path / f"into{place}")
        try:
            found = [one.outcome for one in read_archive(path, into)]
        except StoreError as error:
            assert str(error).isprintable() and into.ids() == []
        else:  # a date or an attribute, which nobody reads
            assert found == ["taken"] and content(into) == before


def rewritten(path: Path, change) -> None:
    """An archive with a changed list and the same files."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(parts.pop("contents.json"))
    document.pop("checksum")
    change(document, parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.writestr("contents.json", sealed(json.dumps(document, indent=1).encode()))


def _outside(document, parts):
    file = document["runs"][0]["files"][0]
    file["name"] = "../../outside"


def _absolute(document, parts):
    document["runs"][0]["files"][0]["name"] = "/tmp/outside"


def _other_id(document, parts):
    document["runs"][0]["id"] = "../outside00"


def _twice(document, parts):
    document["runs"].append(document["runs"][0])


def _bomb(document, parts):  # more than the list says
    name = f"{document['runs'][0]['id']}/model.safetensors"
    parts[name] = bytes(50_000_000)


def _huge(document, parts):
    document["runs"][0]["files"][0]["size"] = 1 << 60


def _missing(document, parts):
    parts.popitem()


@pytest.mark.parametrize("change", [_outside, _absolute, _other_id, _twice, _bomb, _huge, _missing])
def test_a_hostile_archive_writes_nothing(stored, tmp_path, change):
    store, path = stored(1), tmp_path / "runs.zip"
    write_archive(store, store.ids(), path)
    rewritten(path, lambda document, parts: None)
    assert [one.outcome for one in read_archive(path, Store(tmp_path / "fine"))] == ["taken"]
    rewritten(path, change)
    before = {p for p in tmp_path.rglob("*")}
    into = Store(tmp_path / "into")
    with pytest.raises(StoreError):
        list(read_archive(path, into))
    assert {p for p in tmp_path.rglob("*")} - before <= {into.root}


def test_a_run_that_changed_since_is_not_removed(stored, small, tmp_path):
    store, path = stored(2), tmp_path / "runs.zip"
    write_archive(store, store.ids(), path)
    sums = archived_runs(path)
    store.update(small(1, reason="new"))
    assert remove_run(store, small(0).id, sums[small(0).id])
    assert not remove_run(store, small(1).id, sums[small(1).id])
    assert store.ids() == [small(1).id]
