"""What faults leave in a store is found and mended; what a living process writes is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
import torch

from invcore.base.errors import StoreError
from invcore.storage.atomic import whole_folder
from invcore.storage.cache import Cache
from invcore.storage.findings import findings, set_aside
from invcore.storage.locks import IDLE_S
from invcore.storage.run_record import RunRecord
from invcore.storage.seal import sealed, unsealed
from invcore.storage.sealed_tensors import sealed_tensors
from invcore.storage.store import Store

ID, OTHER = "0123456789ab", "0123ffffffff"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "runs")
    for run in (ID, OTHER):
        record = RunRecord(
            id=run, task="t", method="m", sampler="s", candidates=2, targets=1, seed=3, device="cpu"
        )
        store.write(record, tensors={"model": {"x": torch.ones(3)}}, log=[{"epoch": 1}])
    Cache(store.cache).tensors("thing", {}, lambda: {"x": torch.ones(2)})
    return store


def old(*paths):
    """As nobody has touched it for long."""
    for path in paths:
        for part in (path, *path.rglob("*")):
            os.utime(part, times=(time.time() - 2 * IDLE_S,) * 2, follow_symlinks=False)


def flip(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(bytes(data))


def files(store):
    return {str(p.relative_to(store.root)) for p in store.root.rglob("*") if p.is_file()}


def mend(store):
    for finding in findings(store):
        finding.mend()


def test_of_a_store_that_is_well_nothing_is_found(store):
    assert list(findings(store)) == [] and list(findings(Store(store.root / "none"))) == []


def test_what_nobody_writes_any_more_is_removed(store):
    before = files(store)
    left = [store.root / ".writing-folder", store.path(ID) / ".writing-1", store.cache / ".x.lock"]
    left[0].mkdir()
    (left[0] / "run.json").write_text("half")
    for path in left[1:]:
        path.write_text("half")
    assert list(findings(store)) == [], "it may be being written"
    old(*left)
    found = list(findings(store))
    assert {f.path for f in found} == set(left) and all(f.harmless for f in found)
    assert before < files(store), "a finding alone changes nothing"
    mend(store)
    assert files(store) == before and list(findings(store)) == []


WRITER = """
import sys, time
from pathlib import Path
from invcore.storage.atomic import whole_folder
with whole_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_living_process_writes_is_left_alone_however_old(store):
    final = store.root / "aaaaaaaaaaaa"
    command = [sys.executable, "-c", WRITER, str(final)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        place = type(final)(process.stdout.readline().strip())
        old(place)
        assert place.is_dir() and list(findings(store)) == []
        process.kill()
        process.wait()
        (found,) = findings(store)
        assert found.path == place
        found.mend()
    assert not place.exists() and not final.exists()


def test_an_earlier_run_is_put_back_where_its_place_is_empty(store):
    aside = store.root / f".{ID}-replaced-abcd"
    aside.mkdir()
    store.path(ID).rename(aside / ID)
    record = Store(aside).read(ID)
    old(aside)
    (found,) = findings(store)
    assert not found.harmless
    found.mend()
    assert store.read(ID) == record and not aside.exists() and list(findings(store)) == []
    aside.mkdir()
    (aside / ID).mkdir()  # and removed where the newer one stands
    old(aside)
    mend(store)
    assert store.read(ID) == record and not aside.exists()


def test_damaged_things_are_set_aside_or_removed_and_the_rest_is_untouched(store):
    whole = {name: (store.root / name).read_bytes() for name in files(store) if OTHER in name}
    flip(store.path(ID) / "model.safetensors")
    (entry,) = store.cache.iterdir()
    flip(entry)
    batches = store.root / "simulations" / "0123"
    batches.mkdir(parents=True)
    good = sealed_tensors({"x": torch.ones(1, 1)}, "good", kind="batch")
    (batches / "good.safetensors").write_bytes(good)
    (batches / "bad.safetensors").write_bytes(good[:-1])
    found = {f.what: f for f in findings(store)}
    assert sorted(found) == ["batch", "cache", "run"]
    assert found["cache"].harmless and not found["run"].harmless
    assert "model.safetensors: damaged" in found["run"].found
    mend(store)
    assert store.ids() == [OTHER] and not entry.exists() and list(findings(store)) == []
    assert {p.name for p in (store.root / "damaged").iterdir()} == {ID, "bad.safetensors"}
    assert (store.root / "damaged" / ID / "run.json").is_file()
    assert (batches / "good.safetensors").read_bytes() == good
    assert all((store.root / name).read_bytes() == data for name, data in whole.items())


def test_a_run_of_a_later_version_stays(store):
    path = store.path(ID) / "run.json"
    document = json.loads(unsealed(path.read_bytes())[0])
    document["schema_version"] = 3
    path.write_bytes(sealed(json.dumps(document, indent=1).encode()))
    (found,) = findings(store)
    assert found.mend is None and "schema 3" in found.found and found.advice


def test_nothing_leads_out_of_the_store(store, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    (away / ".writing-mine").write_text("mine")
    (away / "thing-0.safetensors").write_text("mine")
    old(away)
    for name in ("benches", "simulations", "damaged"):
        (store.root / name).symlink_to(away)
    moved = store.cache.rename(tmp_path / "cache")
    store.cache.symlink_to(away)
    found = [*findings(store)]
    assert [f.what for f in found] == ["link"] * 3 and not any(f.mend for f in found)
    with pytest.raises(StoreError, match="is a link"):
        set_aside(store.path(ID), store.root)
    assert sorted(p.name for p in away.iterdir()) == [".writing-mine", "thing-0.safetensors"]
    assert moved.is_dir() and store.read(ID)


def test_a_second_one_of_a_name_does_not_replace_the_first(store):
    for text in ("one", "two"):
        (store.root / "a").write_text(text)
        set_aside(store.root / "a", store.root)
    texts = {p.name: p.read_text() for p in (store.root / "damaged").iterdir()}
    assert texts == {"a": "one", "a-2": "two"}


def test_a_folder_that_was_written_is_held_no_more(tmp_path):
    with whole_folder(tmp_path / "a" / "final"):
        pass
    assert os.listdir(tmp_path / "a") == ["final"]
