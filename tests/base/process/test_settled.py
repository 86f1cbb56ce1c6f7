"""What a block finds of the process, and what it leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from invcore.base.process.children import MARK, marked_processes
from invcore.base.process.interrupts import watched
from invcore.base.process.settled import settled
from invcore.base.process.state import SETTINGS


def swallow():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


CHANGES = {
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's gradient mode": lambda: torch.set_grad_enabled(False),
    "torch's anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's precision of products": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's treatment of tiny numbers": lambda: torch.set_flush_denormal(True),
    "cuDNN's settings": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "torch's global generator": lambda: torch.rand(3),
    "NumPy's global generator": lambda: np.random.rand(3),
    "Python's global generator": random.random,
    "NumPy's treatment of errors": lambda: np.seterr(all="raise"),
    "the working directory": lambda: os.chdir("/"),
    "the environment": lambda: os.environ.update(A_NAME_OF_NO_ONE="1"),
    "signal handlers": swallow,
    "the locale": None,  # which there are is the machine's
    "the module path": lambda: sys.path.insert(0, "/nowhere"),
    "the recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1),
    "the garbage collector": lambda: __import__("gc").disable(),
    "the decimal context": lambda: setattr(__import__("decimal").getcontext(), "prec", 3),
    "the trace function": None,  # tests that measure coverage have their own
}


def values():
    return {setting.name: str(setting.read()) for setting in SETTINGS}


def test_every_setting_is_changed_here():
    assert CHANGES.keys() == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_what_a_block_changes_is_put_back_and_told(setting):
    change = CHANGES[setting.name]
    if change is None:
        change = lambda: None  # noqa: E731 - nothing that every machine could change
    before = values()
    with pytest.raises(ZeroDivisionError), settled() as told:  # after an error too
        inside = setting.read()
        change()
        changed = setting.read() != inside
        raise ZeroDivisionError
    assert changed == (CHANGES[setting.name] is not None)
    assert values() == before
    expected = f"{setting.name} was changed, and is put back"
    assert told == ([expected] if changed and setting.told else [])


@pytest.mark.parametrize(
    "setting", [s for s in SETTINGS if isinstance(s.usual, bool | torch.dtype | str | tuple)],
    ids=lambda setting: setting.name,
)  # fmt: skip
def test_a_block_begins_with_what_is_usual(setting):
    """And a session's own choice is there again afterwards."""
    start = setting.read()
    try:
        CHANGES[setting.name]()
        own = setting.read()
        assert own != setting.usual
        with settled() as told:
            assert setting.read() == setting.usual
        assert setting.read() == own and told == []
    finally:
        setting.write(start)


def test_seeded_generators_are_the_same_whatever_was_before():
    def drawn(seed):
        torch.rand(1), np.random.rand(), random.random()
        with settled(seed):
            return torch.rand(2).tolist(), np.random.rand(), random.random()

    assert drawn(3) == drawn(3) != drawn(4)


def test_warnings_are_as_before():
    before = list(warnings.filters)
    with settled() as told:
        warnings.simplefilter("ignore")
    assert warnings.filters == before and told == []


CLOSERS = {
    "the object": "sys.stdout.close()",
    "the original object": "sys.__stdout__.close()",
    "the descriptor": "os.close(1)",
    "another file": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)",
    "another object": "sys.stdout = None",
}


@pytest.mark.parametrize("how", CLOSERS)
def test_standard_output_is_there_afterwards(how):
    """In a process of its own: tests have replaced theirs."""
    code = f"""
import os, sys
from invcore.base.process.settled import settled
with settled() as told:
    print("inside", flush=True)
    {CLOSERS[how]}
os.write(1, b"number\\n")
print("object", told, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("inside\nnumber\n")
    assert how == "the original object" or "object [" in done.stdout


def gone(number, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stat = Path(f"/proc/{number}/stat")
        try:
            if stat.read_text().rpartition(") ")[2][0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are not listed here")
def test_processes_that_were_left_running_are_ended(tmp_path):
    file = tmp_path / "daemon"
    with settled() as told:
        own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                               start_new_session=True)  # fmt: skip
        subprocess.run([sys.executable, "-c", DAEMON, str(file)], check=True)
        while not file.exists() or not file.read_text():
            time.sleep(0.02)
    assert gone(own.pid) and gone(int(file.read_text()))
    assert own.wait() is not None
    assert told == ["2 processes that it left running: ended"]
    assert MARK not in os.environ and marked_processes("no mark of anybody") == []


def test_processes_may_stay_on_wish():
    with settled(children=False) as told:
        own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        assert own.poll() is None and told == []
    finally:
        own.kill()
        own.wait()


def test_an_interrupt_is_told_from_a_pretence():
    with watched() as interrupts:
        assert not interrupts.explain(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt) as found:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        assert interrupts.explain(found.value) and not interrupts.explain(ValueError())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
