"""Journals of loops on disk: damaged files, other versions, processes at once, kills."""

from __future__ import annotations

import multiprocessing
import random
import time

import pytest
import torch

from invcore.base.errors import StoreError
from invcore.plugin import Results
from invcore.search import LoopJournal
from invcore.search.loop_journal.event_files import Event, read_event
from tests.search.journals_at_work import again, begin, build, results, same_rows, simulate, work


def events(folder):
    return sorted((folder / "events").glob("*.safetensors"))


def test_a_changed_byte_is_told_and_the_file_named(tmp_path):
    work(begin(tmp_path), 2)
    whole = events(tmp_path)[2].read_bytes()
    for place in (0, 20, len(whole) // 2, len(whole) - 3):
        changed = bytearray(whole)
        changed[place] ^= 1
        events(tmp_path)[2].write_bytes(bytes(changed))
        with pytest.raises(StoreError, match=r"000002\.safetensors: it is ") as caught:
            again(tmp_path)
        assert "\n" not in str(caught.value)
    for length in (0, 7, len(whole) - 1):
        events(tmp_path)[2].write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"000002\.safetensors: it is damaged"):
            again(tmp_path)


def test_events_are_a_chain(tmp_path):
    for name in ("a", "b"):
        work(begin(tmp_path / name), 3)
    ours, theirs = events(tmp_path / "a"), events(tmp_path / "b")
    ours[2].write_bytes(ours[3].read_bytes())
    with pytest.raises(StoreError, match="does not follow the event before it"):
        again(tmp_path / "a")
    theirs[2].unlink()
    with pytest.raises(StoreError, match=r"000002\.safetensors is missing, though 000006"):
        again(tmp_path / "b")


X, Y = torch.ones(1, 2).double(), torch.ones(1, 2).double()
IMPOSSIBLE = {
    "rows of other numbers": ("ask", {"count": 1}, {"id": torch.tensor([7]), "designs": X,
                                                    "own": torch.tensor([0])}),
    "no count": ("ask", {}, {"id": torch.tensor([0]), "designs": X, "own": torch.tensor([0])}),
    "no designs": ("tell", {}, {"id": torch.tensor([-1]), "responses": Y}),
    "never asked for": ("tell", {}, {"id": torch.tensor([3]), "designs": X, "responses": Y}),
    "no problem": ("change", {"problem": {"name": 3}}, {}),
    "no event": ("state", {}, {}),
}  # fmt: skip


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_whole_events_that_cannot_be_are_refused(what, tmp_path):
    begin(tmp_path)
    kind, body, tensors = IMPOSSIBLE[what]
    last = read_event(events(tmp_path)[0]).checksum
    content = Event(1, kind, body, tensors, last).content()
    (tmp_path / "events" / "000001.safetensors").write_bytes(content)
    with pytest.raises(StoreError, match="event 1 of the journal cannot be"):
        again(tmp_path)


def test_what_was_half_written_is_no_event(tmp_path):
    journal = begin(tmp_path)
    half = tmp_path / "events" / ".writing-0123"
    half.write_bytes(b"half")
    journal.ask(2)
    assert not half.exists() and again(tmp_path).events == 2


@pytest.mark.parametrize("content", [b"", b"half", None])
def test_a_damaged_state_is_computed_again(content, tmp_path):
    journal, other = begin(tmp_path / "a"), begin(tmp_path / "b")
    work(journal, 5), work(other, 5)
    state = tmp_path / "a" / "state.safetensors"
    state.write_bytes((tmp_path / "b" / "events" / "000001.safetensors").read_bytes()
                      if content is None else content)  # fmt: skip
    assert torch.equal(again(tmp_path / "a").ask(5).designs, other.ask(5).designs)


def test_an_earlier_state_goes_on_from_there(tmp_path):
    journal, other = begin(tmp_path / "a"), begin(tmp_path / "b")
    work(journal, 3), work(other, 8)
    state = tmp_path / "a" / "state.safetensors"
    kept = state.read_bytes()
    work(journal, 5)
    state.write_bytes(kept)
    assert torch.equal(again(tmp_path / "a").ask(5).designs, other.ask(5).designs)


def test_a_loop_that_asks_for_other_rows_by_now_starts_anew_with_what_was_told(tmp_path):
    work(begin(tmp_path), 6)
    (tmp_path / "state.safetensors").unlink()
    asked = []

    def other(name, config):  # another version of it
        loop = build(name, config | {"sigma": 0.05})
        start = type(loop).start

        def watched(problem, targets, pairs, points, env, *, variance=None):
            asked.append(len(pairs))
            return start(loop, problem, targets, pairs, points, env, variance=variance)

        object.__setattr__(loop, "start", watched)
        return loop

    before = again(tmp_path).rows
    journal = LoopJournal.open(tmp_path, other)
    requests = journal.ask(4)
    assert requests.id.tolist() == list(range(len(before), len(before) + 4))
    assert same_rows(journal.rows[: len(before)], before)  # what was asked for stays
    assert asked[-1] == int(before.told.sum()) and list(journal.restarts) == [13]
    journal.tell(results(journal.pending()))  # also the row that was pending
    (tmp_path / "state.safetensors").unlink()
    assert torch.equal(LoopJournal.open(tmp_path, other).ask(4).designs, journal.pending().designs)
    assert list(journal.restarts) == [13]


def test_two_that_have_it_open_see_each_others_steps(tmp_path):
    first = begin(tmp_path)
    second = again(tmp_path)
    ids = [first.ask(2), second.ask(2), first.ask(2)]
    assert torch.cat([each.id for each in ids]).tolist() == list(range(6))
    second.tell(results(ids[0]))
    assert first.pending().id.tolist() == [2, 3, 4, 5]
    first.tell(results(ids[1]))
    assert torch.equal(first.ask(3).designs, second.pending().designs[2:])


def test_without_a_lock_the_events_names_tell_two_apart(tmp_path, monkeypatch):
    class NoLock:
        def __init__(self, path):
            raise NotImplementedError

    monkeypatch.setattr("invcore.search.loop_journal.event_files.FileLock", NoLock)
    first, second = begin(tmp_path), again(tmp_path)
    read = first._read

    def late():  # another asks after this one has read
        ledger = read()
        first._read = read
        second.ask(2)
        return ledger

    first._read = late
    assert first.ask(2).id.tolist() == [2, 3]
    assert again(tmp_path).events == 3


PROCESSES = multiprocessing.get_context("forkserver")  # which imports torch once for all
PROCESSES.set_forkserver_preload(["tests.search.journals_at_work"])


def tell_some(folder, numbers):
    journal = again(folder)
    left = journal.pending()
    for number in numbers:
        mine = left[left.id == number]
        journal.tell(Results(mine.id, mine.designs, simulate(mine.designs)))


def test_two_processes_that_tell_at_once_lose_nothing(tmp_path):
    begin(tmp_path, "random-search").ask(40)
    workers = [
        PROCESSES.Process(target=tell_some, args=(tmp_path, range(part, 40, 2))) for part in (0, 1)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    journal = again(tmp_path)
    assert bool(journal.rows.told.all()) and journal.events == 42
    assert torch.equal(journal.rows.responses, simulate(journal.rows.asked))


def session(folder):
    journal = again(folder)
    while len(journal.rows) < 60:
        left = journal.pending()
        if len(left) < 3:
            journal.ask(3)
        else:
            journal.tell(results(left[1:2]))


def test_killed_at_any_time_it_goes_on_as_if_nothing_had_happened(tmp_path):
    for name in ("whole", "killed"):
        begin(tmp_path / name)
    session(tmp_path / "whole")
    draw = random.Random(0)
    for _ in range(10):
        most = len(events(tmp_path / "killed")) + draw.randint(0, 5)
        process = PROCESSES.Process(target=session, args=(tmp_path / "killed",))
        process.start()
        while process.is_alive() and len(events(tmp_path / "killed")) < most:
            time.sleep(0.001)
        process.join(draw.uniform(0.0, 0.02))  # somewhere within a step
        process.kill()
        process.join()
        again(tmp_path / "killed")  # whole, whatever happened
    session(tmp_path / "killed")
    whole, killed = (again(tmp_path / name).rows for name in ("whole", "killed"))
    assert killed.id.tolist() == list(range(len(whole))) and same_rows(killed, whole)
