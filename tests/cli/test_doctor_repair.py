"""``invcore doctor --repair`` on a store after faults: what it says, changes and ends with."""

from __future__ import annotations

import os
import time

import pytest

from invcore import Store
from invcore.storage.run_record import RunRecord

ID = "0123456789ab"


@pytest.fixture
def hurt(tmp_path):
    """A store with a damaged run and a file that nobody writes any more."""
    store = Store(tmp_path / "runs")
    store.write(RunRecord(
        id=ID, task="t", method="m", sampler="s", candidates=2, targets=1, seed=3, device="cpu"
    ), log=[{"epoch": 1}])  # fmt: skip
    (store.path(ID) / "log.jsonl").write_text("{}")
    left = store.root / ".writing-abc"
    left.write_text("half")
    os.utime(left, times=(time.time() - 1e5,) * 2)
    return store


def checks(call, *words):
    done = call("doctor", *words, "--json")
    return done.code, {check["name"]: check for check in done.json["checks"]}


def names(store):
    return sorted(path.name for path in store.root.iterdir())


def test_it_reports_then_mends_then_finds_nothing(call, hurt):
    where = ("--store", hurt.root)
    before = names(hurt)
    code, found = checks(call, *where)
    assert code == 1 and names(hurt) == before and not any(c["repaired"] for c in found.values())
    assert found["run"]["state"] == "problem" and "log.jsonl: damaged" in found["run"]["found"]
    assert found["unfinished"]["state"] == "warning"
    assert f"doctor --repair --store {hurt.root}" in found["run"]["advice"]
    code, mended = checks(call, *where, "--repair")
    assert code == 0 and mended.keys() == {"run", "unfinished"}
    assert all(c["repaired"] and c["state"] == "ok" for c in mended.values())
    assert names(hurt) == ["damaged"] and (hurt.root / "damaged" / ID / "run.json").is_file()
    code, after = checks(call, *where, "--repair")
    assert code == 0 and after.keys() == {"leftovers"}


def test_it_says_in_words_what_it_did(call, hurt):
    done = call("doctor", "--repair", "--store", hurt.root)
    shown = " ".join(done.out.split())
    assert done.code == 0 and "moved to damaged/" in shown and "removed" in shown


def test_what_cannot_be_mended_is_a_problem(call, hurt, tmp_path):
    (hurt.root / "damaged").symlink_to(tmp_path)
    code, found = checks(call, "--repair", "--store", hurt.root)
    assert code == 1 and "is a link" in found["run"]["found"] and hurt.path(ID).is_dir()


def test_it_looks_at_the_folder_of_a_campaign(call, tmp_path):
    from invcore_closed_loop import Campaign

    folder = tmp_path / "mine"
    campaign = Campaign.new(
        folder, designs={"cu": (0, 5)}, responses=["strength"], want=["strength>=9"],
        loop="random-search",
    )  # fmt: skip
    campaign.ask(2), campaign.ask(1)
    last = folder / "events" / "000002.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    refused = call("campaign", "status", folder)
    assert refused.code == 3 and "000002.safetensors: it is damaged" in refused.err
    code, found = checks(call, "--repair", "--store", folder)
    assert code == 0 and found["loop"]["repaired"]
    assert len(Campaign.open(folder).pending().frame()) == 2
