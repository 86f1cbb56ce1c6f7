"""A simulator answers what a campaign asks: by jobs, in part, killed, and gone on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pandas as pd
import pytest
from invcore_closed_loop import Campaign
from invcore_solve import SimulatorTask

from invcore import ConfigError, SimulatorError, UnknownNameError
from invcore.plugin import claimed, installed

MODULE = """
import os, time
import numpy as np

def measured(x):
    with open(CALLS, "a") as file:
        for row in x:
            file.write(f"{os.getpid()} {row.tolist()}\\n")
    time.sleep(PAUSE)
    cu, mg, oven = np.asarray(x).T
    y = 250 + 30 * cu - 5 * cu**2 + 20 * mg - 4 * mg**2 + 5 * oven
    return np.where(cu > 4, np.nan, y)[:, None]  # such alloys crack
"""


@pytest.fixture
def furnace(tmp_path, monkeypatch):
    """A module whose function measures alloys, and writes down which."""

    def write(pause=0.0):
        head = f"CALLS, PAUSE = {str(tmp_path / 'calls')!r}, {pause}\n"
        (tmp_path / "furnace_at_work.py").write_text(head + MODULE)
        return "furnace_at_work:measured"

    monkeypatch.syspath_prepend(tmp_path)
    write.calls = lambda: (tmp_path / "calls").read_text().splitlines()
    yield write
    sys.modules.pop("furnace_at_work", None)


def processes(**settings):
    kind = installed().registry.load("executor", "processes")
    return kind(kind.Config(**settings))


def test_until_a_row_meets_what_is_wanted(alloy, furnace):
    campaign = alloy(want=["strength>=324"])
    done = campaign.run(furnace())
    frame = campaign.rows()
    assert done.ended == "met" and done.pending == 0 and done.simulated == len(frame)
    assert frame["strength"].iloc[-1] >= 324 > frame["strength"].iloc[:-1].max()
    assert str(done) == f"{len(frame)} rows simulated; a row meets all that is wanted"
    again = campaign.run(furnace())
    assert (again.simulated, again.ended, again.asked) == (0, "met", done.asked)


def test_two_workers_give_the_numbers_of_this_process(alloy, furnace, tmp_path):
    """Random search asks for the same rows whoever simulates; computed responses follow."""
    how = {"responses": ["strength", "cost = 2*cu + 10"], "want": ["strength>=300", "cost=min"]}
    here, there = alloy("here", **how), alloy("there", **how)
    assert here.run(furnace(), budget=12).ended == "budget"
    (tmp_path / "calls").unlink()
    done = there.run(furnace(0.05), executor=processes(workers=2), budget=12)
    assert (done.ended, done.simulated, done.asked) == ("budget", 12, 12)
    pids = {line.split()[0] for line in furnace.calls()} - {str(os.getpid())}
    assert len(pids) == 2
    columns = ["id", "cu", "mg", "oven", "strength", "cost", "state"]
    frames = [c.rows()[columns].sort_values("id", ignore_index=True) for c in (here, there)]
    pd.testing.assert_frame_equal(*frames)
    failed = frames[0]["state"] == "failed"
    assert failed.equals(frames[0]["cu"] > 4) and done.failed == int(failed.sum()) > 0
    assert f"{done.failed} failed ({done.failed} NaN)" in str(done)
    good = frames[0][~failed]
    assert ((good["cost"] - 2 * good["cu"] - 10).abs() < 1e-9).all()


def test_what_was_asked_for_before_is_simulated_first_and_counts(alloy, furnace):
    campaign = alloy(want=["strength>=900"])
    batch = campaign.ask(5)  # more than there are workers
    batch["strength"] = [200.0, *[float("nan")] * 4]
    campaign.tell(batch)
    done = campaign.run(furnace(), budget=7)
    assert (done.simulated, done.asked, done.pending) == (6, 7, 0)
    assert campaign.rows()["strength"].iloc[0] == 200.0  # what people have told stays


def test_a_simulator_with_its_columns_in_another_order(alloy):
    def strange(x):  # mg, oven, cu; gives ash and strength
        mg, oven, cu = x.T
        y = 250 + 30 * cu - 5 * cu**2 + 20 * mg - 4 * mg**2 + 5 * oven
        return __import__("torch").stack([mg, y], dim=1)

    def task(**categories):
        designs = {"mg": (0, 3), "oven": categories.get("oven", ["A", "B"]), "cu": (0, 5)}
        return SimulatorTask(strange, designs, ["ash", "strength"])

    campaign = alloy(want=["strength>=900"])
    campaign.run(task(), budget=4)
    rows = campaign.rows()
    cu, mg, hot = rows["cu"], rows["mg"], (rows["oven"] == "B") * 5
    expected = 250 + 30 * cu - 5 * cu**2 + 20 * mg - 4 * mg**2 + hot
    assert ((rows["strength"] - expected).abs() < 1e-9).all()
    with pytest.raises(ConfigError, match="'oven' has other categories"):
        campaign.run(task(oven=["B", "A"]), budget=6)
    with pytest.raises(ConfigError, match="it lacks mg, oven; it has zn"):
        campaign.run(SimulatorTask(lambda x: x, {"cu": (0, 5), "zn": (0, 1)}, ["a", "b"]))
    with pytest.raises(UnknownNameError, match="no response 'strength'"):
        alloy("other").run(SimulatorTask(strange, campaign.problem.designs, ["ash", "strenght"]))


def test_simulators_that_cannot_be_used(alloy):
    def broken(x):
        raise RuntimeError("out of argon")

    campaign = alloy(want=["strength>=900"])
    with pytest.raises(SimulatorError, match="out of argon"):
        campaign.run(broken)
    assert not len(campaign.journal.rows)  # it was tried before anything was asked
    with pytest.raises(SimulatorError, match="20"):  # that give nothing, and for ever
        campaign.run(lambda x: x[:, :1] * float("nan"))
    with pytest.raises(ConfigError, match="other processes cannot find this function"):
        campaign.run(lambda x: x[:, :1], executor=processes(workers=2))
    with pytest.raises(ConfigError, match="budget: expected at least 1"):
        campaign.run(lambda x: x[:, :1], budget=0)


def test_a_killed_run_goes_on_and_repeats_no_finished_call(alloy, furnace, tmp_path):
    """SIGKILL while two workers simulate: what was told is not done again, nor is the trial."""
    campaign, name = alloy(want=["strength>=900"]), furnace(0.2)
    words = ("campaign", "run", "alloy", "--simulator", name, "--budget", "14")
    command = [sys.executable, "-m", "invcore", *words, "--executor", "processes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 300
    while int(campaign.journal.rows.told.sum()) < 3:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rows = campaign.journal.rows
    told, finished = int(rows.told.sum()), {str(row.tolist()) for row in rows.asked[rows.told]}
    done = campaign.run(name, budget=14)
    assert (done.simulated, done.asked, done.pending) == (14 - told, 14, 0)
    assert done.ended == "budget" and done.simulator["calls"] == done.simulated
    asked = {str(row.tolist()) for row in campaign.journal.rows.asked}
    calls = Counter(line.split(" ", 1)[1] for line in furnace.calls())
    assert len(asked) == 14 and asked <= set(calls)
    assert all(calls[row] == 1 for row in finished)
    assert sum(calls[row] for row in asked) <= 14 + 2  # those that were at work then, at most
    assert sum(calls[row] for row in calls.keys() - asked) == 6  # its trial, which is kept too


def test_the_command(alloy, call, furnace):
    alloy(want=["strength>=295"])
    shown = call("campaign", "run", "alloy", "--simulator", furnace())
    assert shown.code == 0, shown.err
    assert "a row meets all that is wanted" in shown.out and "best so far: id" in shown.out
    wrong = call("campaign", "run", "alloy", "--simulator", "furnace_at_work:nothing")
    assert wrong.code == 2 and "has no 'nothing'" in wrong.err
    assert call("campaign", "run", "none", "--simulator", "a:b").code == 3
    assert Campaign.open("alloy").journal.pending().id.tolist() == []


def test_one_process_simulates_at_a_time(alloy, furnace):
    campaign = alloy(want=["strength>=324"])
    with claimed(campaign.journal.folder / "simulations") as ours:
        assert ours
        with pytest.raises(ConfigError, match="another process simulates for this campaign"):
            campaign.run(furnace())
    assert campaign.rows().empty
    assert campaign.run("furnace_at_work:measured").ended == "met"
