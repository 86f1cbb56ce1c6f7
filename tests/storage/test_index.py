"""The index of a store: what it says is what the runs say, whatever becomes of its file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest

from invcore.storage.index.index_file import replace_rows, rows
from invcore.storage.index.listing import known_facts
from invcore.storage.store import Store

COUNT = 200


def taken(store, **options):
    """What a listing says, in plain data."""
    return [
        (run.id, dict(run.facts), run.numbers, run.more, run.status, run.reason)
        for run in store.listing(details=True, **options)
    ]


def read_alone(store, monkeypatch):
    """The same without any index."""
    with monkeypatch.context() as patch:
        patch.setattr("invcore.storage.index.listing._writable", lambda folder: False)
        patch.setattr("invcore.storage.index.listing.NAME", "no-index")
        return taken(store)


@pytest.fixture
def reads(monkeypatch):
    """The runs that were read, in order."""
    found, read = [], Store.read

    def noted(self, run):
        found.append(run)
        return read(self, run)

    monkeypatch.setattr(Store, "read", noted)
    return found


def test_a_listing_is_the_same_with_and_without_an_index(stored, monkeypatch, reads):
    store = stored(COUNT)
    alone = read_alone(store, monkeypatch)
    first = taken(store)
    del reads[:]
    second = taken(store)
    assert reads == [] and alone == first == second
    assert [run for run, *_ in second] == store.ids() and len(second) == COUNT
    assert [name for name, *_ in second[7][2]] == ["r_T", "r_T"]


@pytest.mark.parametrize(
    "fate", ["missing", "cut", "foreign", "text", "empty", "other table", "flip"]
)
def test_an_index_that_is_no_good_is_made_anew(stored, monkeypatch, reads, fate):
    store = stored(20)
    expected = taken(store)
    path = store.cache / "index.sqlite"
    data = path.read_bytes()
    if fate == "missing":
        shutil.rmtree(store.cache)
    elif fate == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif fate == "text":
        path.write_text("no database " * 1000)
    elif fate == "empty":
        path.write_bytes(b"")
    elif fate == "flip":
        assert data.count(b'"method": "m1"') > 3
        path.write_bytes(data.replace(b'"method": "m1"', b'"method": "m2"'))
    else:
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE run (id, stamp, facts)")
            if fate == "other table":
                other.execute(f"PRAGMA application_id = {0x696E7663}")
                other.execute("PRAGMA user_version = 1")
        other.close()
    del reads[:]
    assert taken(store) == expected and reads
    if fate != "flip":  # the rows that are whole are kept, and the others are read each time
        del reads[:]
        assert taken(store) == expected and reads == []


@pytest.mark.parametrize("facts", ["[1]", "{}", "no JSON", "[" * 100_000, '{"id": 1}'])
@pytest.mark.parametrize("details", ['{"metrics": 3}', "[]", '{"metrics": [[1]]}', "[" * 100_000])
def test_what_somebody_else_put_into_an_index_is_not_believed(stored, reads, facts, details):
    """The checksums are right: anybody can make such."""
    store = stored(3)
    expected = taken(store)
    place = store.cache / "index.sqlite"
    good = list(rows(place))
    replace_rows(place, [good[0]._replace(facts=facts), good[1]._replace(details=details)])
    del reads[:]
    found = taken(store)
    assert found[0] == expected[0] and found[2] == expected[2] and len(reads) == 1
    assert found[1][:2] == expected[1][:2] and found[1][2] == []


def test_what_changes_is_read_again(stored, small, age, reads):
    store = stored(20)
    taken(store)
    changed = small(3, method="changed")
    store.write(changed)
    age(store, changed.id, 50)
    shutil.rmtree(store.path(small(4).id))
    store.write(small(99))
    age(store, small(99).id, 99)
    store.update(small(5, status="error", reason="so it is"))
    age(store, small(5).id, 60)
    del reads[:]
    listed = {run.id: run for run in store.listing()}
    assert set(reads) == {small(n).id for n in (3, 5, 99)}
    assert listed[changed.id].facts["method"] == "changed" and small(4).id not in listed
    assert listed[small(5).id].reason == "so it is"
    assert list(listed) == store.ids() and list(listed)[-3:] == [
        small(3).id, small(5).id, small(99).id
    ]  # fmt: skip
    del reads[:]
    assert len(taken(store)) == 20 and reads == []
    assert {row.id for row in rows(store.cache / "index.sqlite")} == set(listed)


def test_damage_is_listed_each_time_and_never_kept(stored, small, reads):
    store = stored(5)
    path = store.path(small(2).id) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    for _ in range(2):
        bad = [run for run in store.listing() if run.problem]
        assert [run.id for run in bad] == [small(2).id] and "checksum" in bad[0].reason
    assert small(2).id not in {row.id for row in rows(store.cache / "index.sqlite")}


def test_a_file_that_is_gone_is_noticed_by_the_folder(stored, small):
    store = stored(5)
    assert not [run for run in store.listing() if run.problem]
    (store.path(small(2).id) / "model.safetensors").unlink()
    assert [run.id for run in store.listing() if run.problem] == [small(2).id]


def test_what_was_written_just_now_is_not_kept(stored, small, reads):
    store = stored(3)
    store.write(small(7))
    for _ in range(2):
        del reads[:]
        assert len(taken(store)) == 4
        assert small(7).id in reads
    assert len(list(rows(store.cache / "index.sqlite"))) == 3


def test_an_index_of_another_store_says_nothing_of_this_one(stored, small, monkeypatch):
    store, other = stored(5), Store(stored(0).root.parent / "other")
    taken(store)
    for number in range(5):
        record = small(number, method="other")
        other.write(record)
    other.cache.mkdir()
    shutil.copy(store.cache / "index.sqlite", other.cache)
    assert {run.facts["method"] for run in other.listing()} == {"other"}


def test_a_store_that_cannot_be_written_is_read(stored, monkeypatch):
    store = stored(5)
    expected = read_alone(store, monkeypatch)

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("invcore.storage.index.index_file.replace_file", refuse)
    assert taken(store) == expected
    (store.root / ".cache").rmdir()
    (store.root / ".cache").write_text("no folder")
    assert taken(store) == expected


def test_several_list_and_write_at_once(stored, small, age):
    store = stored(60)
    expected = taken(store)
    wrong = []

    def list_often():
        for _ in range(5):
            if taken(Store(store.root)) != expected:
                wrong.append(1)
            (store.cache / "index.sqlite").unlink(missing_ok=True)

    threads = [threading.Thread(target=list_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and taken(store) == expected
    assert not [p for p in store.cache.iterdir() if p.name.startswith(".writing")]


def test_facts_for_the_shell_come_from_the_index_alone(stored, small, reads):
    store = stored(4)
    assert known_facts(store.root, store.cache) == {run: {} for run in store.ids()}
    taken(store)
    store.write(small(9))
    del reads[:]
    known = known_facts(store.root, store.cache)
    assert reads == [] and list(known) == store.ids()
    assert known[small(1).id]["method"] == "m1" and known[small(9).id] == {}


def test_the_shell_completes_ids_without_heavy_imports(stored):
    store = stored(30)
    taken(store)
    code = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from invcore.cli.main import cli\n"
        "find = ShellComplete(cli, {}, 'invcore', 'X').get_completions\n"
        f"store = ['--store', {str(store.root)!r}]\n"
        "shown = find(['results', 'show', *store], '00000000001')\n"
        "print(len(shown), shown[0].value, shown[0].help)\n"
        "print(len(find(['rescore', *store], '')))\n"
        "print(sorted({'torch', 'pydantic', 'numpy', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines() == ["14 00000000001d m2 on line", "30", "[]"]
