"""Folders of loops after faults: mended where that can be, and told where it cannot."""

from __future__ import annotations

import pytest
import torch
from filelock import FileLock

from invcore.base.errors import StoreError
from invcore.search.loop_journal.findings import is_loop, loop_findings
from tests.search.journals_at_work import again, begin, work


def events(folder):
    return sorted((folder / "events").glob("*.safetensors"))


def damage(path):
    path.write_bytes(path.read_bytes()[:-3])


def test_of_a_loop_that_is_well_nothing_is_found(tmp_path):
    work(begin(tmp_path), 3)
    assert is_loop(tmp_path) and not is_loop(tmp_path / "events")
    assert list(loop_findings(tmp_path)) == []


@pytest.mark.parametrize("asks", [0, 1])
def test_a_torn_last_event_is_set_aside_and_the_loop_goes_on(tmp_path, asks):
    for name in "ab":
        journal = begin(tmp_path / name)
        work(journal, 4)
        for _ in range(asks):  # the state was kept after the event that is torn
            journal.ask(1)
    for name in "ab":  # the step is not there, or half of it is
        last = events(tmp_path / name)[-1]
        damage(last) if name == "a" else last.unlink()
    with pytest.raises(StoreError, match="damaged"):
        again(tmp_path / "a")
    (found,) = loop_findings(tmp_path / "a")
    found.mend()
    assert list(loop_findings(tmp_path / "a")) == []
    aside = {p.name for p in (tmp_path / "a" / "damaged").iterdir()}
    assert aside == {last.name, "state.safetensors"}
    for name in ("state.safetensors", "events/last"):
        (tmp_path / "b" / name).unlink()
    ours, theirs = again(tmp_path / "a"), again(tmp_path / "b")
    assert ours.events == theirs.events == len(events(tmp_path / "a"))
    assert torch.equal(ours.ask(2).designs, theirs.ask(2).designs)


def test_an_event_that_others_rest_upon_is_told_and_left(tmp_path):
    work(begin(tmp_path), 4)
    before = events(tmp_path)
    damage(before[2])
    (found,) = loop_findings(tmp_path)
    assert found.mend is None and "backup" in found.advice and events(tmp_path) == before
    before[2].unlink()
    (found,) = loop_findings(tmp_path)
    assert found.mend is None and "is missing" in found.found


@pytest.mark.parametrize("asks", [0, 1])
def test_lost_last_events_are_noticed(tmp_path, asks, complaint):
    journal = begin(tmp_path)
    work(journal, 4)
    for _ in range(asks):
        journal.ask(1)
    events(tmp_path)[-1].unlink()
    assert "though last says that it was there" in complaint(StoreError, again, tmp_path)
    (found,) = loop_findings(tmp_path)
    assert found.mend is None and "events/last" in found.advice
    (tmp_path / "events" / "last").unlink()  # who knows that they are lost can go on
    assert list(loop_findings(tmp_path)) == [] and again(tmp_path).events


def test_a_damaged_state_is_set_aside(tmp_path):
    work(begin(tmp_path), 3)
    damage(tmp_path / "state.safetensors")
    (found,) = loop_findings(tmp_path)
    found.mend()
    assert list(loop_findings(tmp_path)) == [] and again(tmp_path).events


def test_a_loop_at_work_is_left_alone(tmp_path):
    work(begin(tmp_path), 3)
    damage(events(tmp_path)[-1])
    with FileLock(tmp_path / ".lock"):
        assert list(loop_findings(tmp_path)) == []
    assert len(list(loop_findings(tmp_path))) == 1


def test_a_damaged_note_of_the_last_event_says_nothing(tmp_path):
    work(begin(tmp_path), 3)
    note = tmp_path / "events" / "last"
    text = note.read_text()
    for damage_ in (text.replace(text[0], "9", 1), "", "x" * 70, "-1 " + text, text[:-1]):
        note.write_text(damage_)
        assert again(tmp_path).events == len(events(tmp_path))
    work(again(tmp_path), 1)
    assert note.read_text().split()[0] == str(len(events(tmp_path)) - 1)


def test_events_that_are_a_link_are_not_followed(tmp_path, complaint):
    folder = tmp_path / "loop"
    work(begin(folder), 2)
    (folder / "events").rename(tmp_path / "away")
    (folder / "events").symlink_to(tmp_path / "away")
    assert "is a link" in complaint(StoreError, again, folder) and not is_loop(folder)
