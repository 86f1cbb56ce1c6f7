"""Faults in a short form: `benchmarks/faults.py` has the long one; and its counts can be others."""

from __future__ import annotations

from collections import Counter

import pytest
from fault_trials import damage, disks, ends
from fault_trials.processes import begin
from fault_trials.subjects import Subject
from fault_trials.work import store_of

from invcore.results import RunRecord

begin()
BAD = ("silent", "internal errors", "hangs")
FAULTS = (
    "lost", "repeated", "changed", "half-written", "wrong exits", "late", "orphans", "hangs",
    "internal errors", "not resumed",
)  # fmt: skip
QUIET = {"state"}  # computed again without a word
LOSABLE = {"cache", "batch", "state", "shards", "trial"}  # made again, or fewer of them


@pytest.mark.parametrize("how", damage.HOW)
@pytest.mark.parametrize("kind", [kind for kind in damage.KINDS if kind != "commands"])
def test_a_damaged_file_is_noticed_or_read_the_same(kind, how):
    if how == "lose" and kind in LOSABLE:
        return
    found = damage.damaged(kind, how, 4 if kind == "trial" else 12, seed=3)
    assert {name: found[name] for name in BAD} == dict.fromkeys(BAD, 0), found
    assert not [name for name in found if name.startswith("unclear")], found
    assert kind in QUIET or found["noticed"] + found["again"] >= found["trials"] / 2


def test_what_commands_say_of_a_damaged_run():
    found = damage.damaged("commands", "flip", 6, seed=3)
    assert found["noticed"] + found["again"] == 6 and not any(found[name] for name in BAD), found


@pytest.mark.parametrize(
    "trials",
    [
        lambda: ends.ended("bench", "kill", 2, seed=1),
        lambda: ends.ended("run", "term", 1, seed=1),
        lambda: ends.ended("solve", "int", 1, seed=1),
        lambda: disks.large_files(1, seed=2),
        lambda: disks.failing_calls(1, seed=2),
        lambda: disks.links(1, seed=1),
    ],
    ids=["kill", "term", "int", "large files", "failing calls", "links"],
)
def test_a_fault_costs_nothing_but_time(trials):
    found = trials()
    assert {name: found[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0), found


def test_silent_readers_are_found_out(tmp_path, monkeypatch):
    def careless(folder):
        path = folder / "numbers"
        folder.mkdir()
        path.write_bytes(b"1" * 50)
        return Subject([path], lambda: path.read_bytes(), [])

    def broken(folder):
        subject = careless(folder)
        return Subject(subject.files, lambda: int(subject.files[0].read_bytes()), [])

    monkeypatch.setitem(damage.KINDS, "careless", careless)
    monkeypatch.setitem(damage.KINDS, "broken", broken)
    assert damage.damaged("careless", "flip", 5, 0)["silent"] == 5
    assert damage.damaged("broken", "lose", 2, 0)["internal errors"] == 2


def test_lost_changed_repeated_and_half_written_runs_are_found_out(tmp_path):
    store, found = store_of(tmp_path), Counter()
    facts = {"task": "t", "method": "m", "sampler": "s", "candidates": 1, "targets": 1}
    ids = [f"{number:012x}" for number in range(3)]
    for run in ids:
        store.write(RunRecord(id=run, seed=0, device="cpu", **facts), log=[{"epoch": 1}])
    kept = {}
    ends.look(tmp_path, kept, found, forced=False)
    assert len(kept) == 3 and not any(found.values())
    store.write(RunRecord(id=ids[0], seed=1, device="cpu", **facts))
    (store.path(ids[1]) / "log.jsonl").write_text("half")
    for path in store.path(ids[2]).iterdir():
        path.unlink()
    store.path(ids[2]).rmdir()
    ends.look(tmp_path, kept, found, forced=False)
    assert (found["repeated"], found["half-written"], found["lost"]) == (1, 1, 1)
    ends.compare({"a": "1"}, {"a": "2", "b": "3"}, found)
    assert (found["changed"], found["lost"]) == (1, 2)
