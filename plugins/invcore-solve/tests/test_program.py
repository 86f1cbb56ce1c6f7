"""A program as a simulator: files in and out, failures, time limits, retries, jobs, the journal."""

from __future__ import annotations

import os
import stat
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from invcore_solve import Program, SimulatorTask

from invcore.base.errors import ConfigError, SimulatorError

BOUNDS = {"length": (0.0, 1.0), "layers": (1, 9)}
X = torch.rand(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
X[:, 1] = (1 + 8 * X[:, 1]).round()
HEAD = """
import csv, os, sys, time
source, result = sys.argv[1:3]
rows = list(csv.reader(open(source)))
names, rows = rows[0], rows[1:]
values = [[float(a), float(b)] for a, b in rows]
with open("calls.txt", "a") as file:
    file.write(f"{len(rows)}\\n")

def give(lines, head="gap,mass"):
    with open(result, "w") as file:
        file.write("\\n".join([head, *lines] if head else lines) + "\\n")

plain = [f"{a + b!r},{a * b!r}" for a, b in values]
"""


def truth(x):
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] * x[:, 1]], dim=1)


@pytest.fixture
def make(tmp_path):
    """A simulator from the text of a program, and the sizes of the batches that it was given."""

    def simulator(body, responses=("gap", "mass"), journal=None, **settings):
        (tmp_path / "sim.py").write_text(HEAD + textwrap.dedent(body))
        command = [sys.executable, "-S", "sim.py", "{input}", "{output}"]
        program = Program(command=command, folder=str(tmp_path), **{"batch": 6} | settings)
        return SimulatorTask(
            program, BOUNDS, list(responses), whole=["layers"], journal=journal, name="sim.py"
        )

    def calls():
        path = tmp_path / "calls.txt"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    simulator.calls = calls
    return simulator


@pytest.fixture
def leftovers(tmp_path, monkeypatch):
    """The folders of batches that are still there."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


def test_batches_go_through_csv(make, leftovers):
    own = make("""
        assert names == ["length", "layers"] and all("." not in b for _, b in rows)
        assert os.listdir(os.path.dirname(source)).count("work") == 1
        give(plain)
    """)
    assert torch.equal(own.simulate(X), truth(X))  # every digit
    assert make.calls() == [6, 6, 6, 2]
    assert own.counts.summary() == "20 calls"
    assert (own.kind, own.differentiable) == ("program", False)
    x = X.clone().requires_grad_()
    assert not own.simulate(x).requires_grad


@pytest.mark.parametrize(
    "give",
    [
        'give(plain, "")',
        'give([f"{a * b!r},{a + b!r},7" for a, b in values], "mass,gap,other")',
        'give([f"{a + b!r};{a * b!r}" for a, b in values], "gap;mass")',
        'give([f"{a + b!r} {a * b!r}" for a, b in values], "")',
    ],
)
def test_columns_may_have_names_and_any_order(make, give):
    assert torch.equal(make(give).simulate(X), truth(X))


def test_names_that_are_numbers(make):
    body = 'give([f"{a * b!r},{a + b!r}" for a, b in values], "1600,1500")'
    assert torch.equal(make(body, responses=("1500", "1600")).simulate(X), truth(X))


def test_batches_go_through_npz(make, tmp_path):
    (tmp_path / "arrays.py").write_text(
        "import sys, numpy as np\n"
        "given = np.load(sys.argv[1])\n"
        "x, names = given['x'], given['names'].tolist()\n"
        "assert names == ['length', 'layers'] and x.dtype == np.float64\n"
        "np.savez(sys.argv[2], y=np.stack([x.sum(1), x.prod(1)], 1), more=np.zeros(3))\n"
    )
    command = [sys.executable, "arrays.py", "{input}", "{output}"]
    program = Program(command=command, folder=str(tmp_path), format="npz", batch=20)
    own = SimulatorTask(program, BOUNDS, ["gap", "mass"])
    assert torch.allclose(own.simulate(X), truth(X), rtol=1e-15)


def test_marks_in_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "sim"
    script.write_text(
        "#!/bin/sh\n"
        'test -z "$(ls -A "${3#--work=}")" && touch "${3#--work=}/x" || exit 9\n'
        'tail -n +2 "${1#--in=}" | cut -d , -f 1 > "$2"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    command = ["./sim", "--in={input}", "{output}", "--work={folder}"]
    own = SimulatorTask(Program(command=command, batch=7), BOUNDS, ["gap"])
    assert torch.equal(own.simulate(X), X[:, :1]) and own.name == "sim"


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        ("sys.exit('no licence\\n\\n')", "exit code 1", "no licence"),
        ("print('out of tea'); sys.exit(42)", "exit code 42", "out of tea"),
        ("os.kill(os.getpid(), 9)", "killed by SIGKILL", ""),
        ("pass", "no output", ""),
        ("open(result, 'w')", "unusable output", "output.csv: is empty"),
        ("give(['1,x'] * len(rows))", "unusable output", "'x' is not a number"),
        ("give(plain[1:])", "wrong shape", "output has shape (5, 2), expected (6, 2)"),
        ("give([l + ',3' for l in plain], '')", "wrong shape", "(6, 3), expected (6, 2)"),
        ("give(plain, 'gap,maas')", "unusable output", "did you mean 'maas'?"),
        ("open(result, 'wb').write(b'\\x80\\x04')", "unusable output", "is not UTF-8"),
        ("give(['nan,1'] * len(rows))", "NaN", ""),
        ("give(['inf,1'] * len(rows))", "NaN", ""),
        ("print('x' * 9**6, '\\x1b[1mbold', file=sys.stderr); sys.exit(1)", "exit code 1", "xx"),
    ],
)
def test_program_that_always_fails_ends_the_work(make, body, reason, said, complaint, leftovers):
    own = make(body, retries=0)
    message = complaint(SimulatorError, own.simulate, X)
    assert message.startswith("simulator sim.py: none of its first 18 rows has a response (18 ")
    printed = reason.startswith(("exit", "killed"))
    assert reason in message and (not said or (said in message) != printed)
    assert make.calls() == [6, 6, 6]  # not all four
    own = make(body, retries=0, keep_output=True)
    assert said in complaint(SimulatorError, own.simulate, X)
    own = make(body, retries=0)
    with pytest.raises(SimulatorError) as found:
        own.simulate(X)
    notes = getattr(found.value, "__notes__", [])  # for the screen, and no record
    assert len(notes) == (printed and bool(said)) and all(said in note for note in notes)


def test_failures_are_rows_of_nan_counted_by_reason(make):
    own = make(
        """
        first = values[0][0]
        if len(rows) == 2:
            sys.exit("two are too few")
        if "again" in os.environ.get("X", ""):
            sys.exit(3)
        give([p if i != 1 else "nan,nan" for i, p in enumerate(plain)])
        """,
        retries=0,
    )
    y = own.simulate(X)
    missing = torch.zeros(20, dtype=torch.bool)
    missing[[1, 7, 13, 18, 19]] = True
    assert torch.equal(y.isnan().all(dim=1), missing)
    assert torch.equal(y[~missing], truth(X)[~missing])
    assert own.counts.failures == {"NaN": 3, "exit code 1": 2}
    assert own.counts.said["exit code 1"] == "two are too few"


def test_retry_that_succeeds(make):
    own = make(
        """
        mark = f"seen-{values[0][0]!r}"
        if not os.path.exists(mark):
            open(mark, "w")
            sys.exit(1)
        give(plain)
        """,
        retries=1,
    )
    assert torch.equal(own.simulate(X), truth(X))
    assert make.calls() == [6, 6, 6, 6, 6, 6, 2, 2]
    assert (own.counts.retries, own.counts.failed) == (4, 0)


def test_batch_is_tried_as_often_as_said(make):
    own = make("give(plain) if len(rows) == 6 else sys.exit(7)", retries=3)
    own.simulate(X)
    assert make.calls() == [6, 6, 6, 2, 2, 2, 2] and own.counts.failures == {"exit code 7": 2}


def test_time_limit_kills_the_program_and_what_it_started(tmp_path, complaint, leftovers):
    work = "sleep 60 & echo $! > child.txt; echo hard >&2; wait"
    command = ["sh", "-c", work, "sh", "{input}", "{output}"]
    program = Program(command=command, folder=str(tmp_path), time_limit=1.0, retries=0)
    own = SimulatorTask(program, BOUNDS, ["gap"])
    message = complaint(SimulatorError, own.simulate, X)
    assert message.endswith("(20 time limit); raise time_limit, or lower batch")
    assert _ends(int((tmp_path / "child.txt").read_text()))


def test_program_that_leaves_a_process_behind(make, tmp_path):
    own = make("""
        import subprocess
        child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        open("child.txt", "w").write(str(child.pid))
        give(plain)
    """)
    assert torch.equal(own.simulate(X[:6]), truth(X[:6]))
    assert _ends(int((tmp_path / "child.txt").read_text()))


def _ends(pid):
    """Whether a process ends within ten seconds."""
    for _ in range(200):
        if not _runs(pid):
            return True
        time.sleep(0.05)
    return False


def _runs(pid):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_jobs_run_at_the_same_time_and_give_the_same(make):
    # Each of two waits for the other: one after another they would never end
    body = """
        if len(rows) == 10:
            open(f"here-{values[0][0]!r}", "w")
            while sum(name.startswith("here-") for name in os.listdir(".")) < 2:
                time.sleep(0.01)
        give(plain)
    """
    both = make(body, jobs=2, batch=10, time_limit=60, retries=0)
    assert torch.equal(both.simulate(X), truth(X)) and make.calls() == [10, 10]
    assert torch.equal(make("give(plain)", jobs=1, batch=3).simulate(X), both.simulate(X))


def test_program_that_is_not_there(make, tmp_path, complaint, leftovers):
    for command in (["no-such-program", "{input}", "{output}"], ["./sim.py", "{input}{output}"]):
        (tmp_path / "sim.py").write_text("")
        own = SimulatorTask(Program(command=command, folder=str(tmp_path)), BOUNDS, ["gap"])
        assert f"{command[0]!r} cannot be started" in complaint(SimulatorError, own.simulate, X)


def test_finished_batches_are_read_back(make, tmp_path):
    folder = tmp_path / "journal"
    body = "give(plain) if len(rows) == 6 else sys.exit(1)"
    make(body, journal=folder, retries=0).simulate(X)
    assert make.calls() == [6, 6, 6, 2]
    again = make(body, journal=folder, retries=0, jobs=2, time_limit=60)
    y = again.simulate(X)
    assert make.calls()[4:] == [2]  # what failed is tried again
    assert torch.equal(y[:18], truth(X)[:18]) and again.counts.recalled == 18
    assert again.counts.failures == {"exit code 1": 2}
    make(body + "\n# another program", journal=folder, retries=0).simulate(X)
    assert make.calls()[5:] == [6, 6, 6, 2]
    make(body, journal=folder, retries=0, version="2").simulate(X)
    make(body, journal=folder, retries=0, responses=("mass", "gap")).simulate(X)
    assert len(make.calls()) == 17


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d[:-2] + b"?" + d[-1:]])
def test_a_damaged_batch_is_simulated_again_and_told(make, tmp_path, damage):
    own = make("give(plain)", journal=tmp_path / "journal")
    y, said = own.simulate(X), []
    path = sorted(own.journal.glob("*.safetensors"))[0]
    path.write_bytes(damage(path.read_bytes()))
    again = make("give(plain)", journal=tmp_path / "journal")
    again.tell_damage(said.append)
    assert torch.equal(again.simulate(X), y) and len(said) == 1 and path.name in said[0]
    assert torch.equal(make("give(plain)", journal=tmp_path / "journal").simulate(X), y)
    assert len(said) == 1


def test_what_has_ended_well_is_kept_whatever_comes(make, tmp_path):
    folder = tmp_path / "journal"
    own = make("give(plain)", journal=folder, jobs=2)

    def interrupt(*args):
        for _ in range(200):
            if len(list(folder.glob("*/*"))) == 2:  # the one that ran beside it, too
                break
            time.sleep(0.05)
        raise KeyboardInterrupt

    own._batches.count = interrupt  # when the first batch has come back
    with pytest.raises(KeyboardInterrupt):
        own.simulate(X)
    again = make("give(plain)", journal=folder)
    assert torch.equal(again.simulate(X), truth(X)) and again.counts.recalled == 12


def test_another_folder_is_another_simulator(tmp_path):
    command, found = [sys.executable, "-S", "sim.py", "{input}", "{output}"], set()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sim.py").write_text("# what it reads beside itself, no one knows")
        program = Program(command=command, folder=str(tmp_path / name))
        found.add(SimulatorTask(program, BOUNDS, ["gap"], journal=tmp_path).journal)
    assert len(found) == 2


def test_nothing_runs_on_when_the_caller_stops(make, tmp_path, leftovers):
    own = make(
        """
        open(f"pid-{os.getpid()}", "w")
        if values[0][0] == FIRST:
            give(plain)
        else:
            time.sleep(60)
        """.replace("FIRST", repr(float(X[0, 0]))),
        jobs=3, retries=0,
    )  # fmt: skip

    def interrupt(*args):
        while len(list(tmp_path.glob("pid-*"))) < 3:
            time.sleep(0.02)
        raise KeyboardInterrupt

    own._batches.count = interrupt  # when the first batch has ended
    with pytest.raises(KeyboardInterrupt):
        own.simulate(X)
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    assert len(pids) >= 3 and not any(map(_runs, pids))


@pytest.mark.parametrize(
    "settings",
    [
        {"command": ["sim"]},
        {"command": ["sim", "{input}"]},
        {"command": ["", "{input}", "{output}"]},
        {"command": []},
        {"jobs": 0},
        {"retries": -1},
        {"time_limit": 0.0},
        {"format": "xls"},
    ],
)
def test_wrong_settings(settings):
    with pytest.raises(ConfigError):
        Program.parse({"command": ["sim", "{input}", "{output}"]} | settings)


def test_checksum_is_of_the_files_that_the_command_names(tmp_path):
    for name in ("a.py", "b.dat"):
        (tmp_path / name).write_text(name)
    command = [sys.executable, "a.py", "b.dat", "{input}", "{output}"]
    program = Program(command=command, folder=str(tmp_path))
    seen = {program.checksum()}
    for name in ("a.py", "b.dat"):
        (tmp_path / name).write_text("other")
        seen.add(program.checksum())
    assert len(seen) == 3 and np.all([len(text) == 64 for text in seen])
    os.remove(tmp_path / "b.dat")
    assert program.checksum() not in seen


def test_words_that_are_no_names_of_files():
    program = Program(command=["sh", "-c", "true; " * 100, "{input}", "{output}"])
    assert program.name == "sh" and len(program.checksum()) == 64
