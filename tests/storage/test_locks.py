"""Locks: one process alone has a number of a file."""

from __future__ import annotations

import select
import subprocess
import sys
import time

HOLDER = """
import sys, time
from pathlib import Path
from invcore.storage.locks import alone
with alone(Path(sys.argv[1]), int(sys.argv[2])):
    print("in", flush=True)
    sys.stdin.readline()
print("out", flush=True)
"""


def test_one_number_of_a_file_is_one_process_alone(tmp_path):
    """Another number is free; the number of a process that is killed is free at once."""
    path = tmp_path / "cache" / "runs.lock"

    def holder(number):
        return subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), str(number)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    first = holder(2**47 + 1)
    assert first.stdout.readline() == "in\n"
    other = holder(5)
    assert other.stdout.readline() == "in\n"
    second = holder(2**47 + 1)
    time.sleep(0.5)
    assert not select.select([second.stdout], [], [], 0)[0]  # it waits
    first.kill()
    assert second.stdout.readline() == "in\n"
    for each in (first, second, other):
        each.communicate("\n" if each is not first else None)
    assert path.read_bytes() == b""
