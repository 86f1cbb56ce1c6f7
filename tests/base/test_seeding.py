"""Seeds derive from names, and nothing global is touched."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from invcore.base import seeding
from invcore.base.seeding import derive
from invcore.plugin import FitEnvironment, generator, isolated


def test_names_decide_the_seed():
    names = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", 11), ("a1",)]
    seeds = [derive(seed, *name) for seed in (0, 1, 10) for name in names]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeds == [derive(seed, *name) for seed in (0, 1, 10) for name in names]


def test_seed_is_the_published_hash():
    # a stored run must be repeatable by a later version: how a seed derives may not change
    digest = hashlib.sha256(b"7\x1fpairs\x1f2").digest()
    assert derive(7, "pairs", 2) == int.from_bytes(digest[:8], "big") // 2


def test_generators_are_independent():
    draws = [torch.rand(2000, generator=generator(0, name)) for name in ("a", "b")]
    assert abs(float(torch.corrcoef(torch.stack(draws))[0, 1])) < 0.08
    env = FitEnvironment(seed=3)
    assert torch.equal(
        torch.rand(3, generator=env.generator("x")),
        torch.rand(3, generator=generator(3, "fit", "x")),
    )
    assert env.derive("x") != FitEnvironment(seed=4).derive("x")


def everything():
    return torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()


@pytest.mark.parametrize("fails", [False, True])
def test_isolated_seeds_inside_and_restores_outside(fails):
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    expected = everything()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    inside = []
    for _ in range(2):
        try:
            with isolated(2**62 + 5):
                inside.append(everything())
                if fails:
                    raise ValueError
        except ValueError:
            pass
    assert inside[0] == inside[1] != expected
    assert everything() == expected


def test_two_threads_are_never_inside_at_once():
    """The second has to wait: it draws what it draws alone, and the first what it draws alone."""
    inside, leave, waiting = threading.Event(), threading.Event(), threading.Event()
    draws = {}

    def first():
        with isolated(0):
            inside.set()
            leave.wait()
            with isolated(1):  # nested, in the thread that is inside
                pass
            draws[0] = torch.rand(1)

    def second():
        inside.wait()
        waiting.set()
        with isolated(5):
            draws["left"] = leave.is_set()
            draws[5] = torch.rand(1)

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    waiting.wait()
    taken = []
    prober = threading.Thread(target=lambda: taken.append(seeding._LOCK.acquire(blocking=False)))
    prober.start()
    prober.join()
    assert taken == [False]  # held by the first
    leave.set()
    for thread in threads:
        thread.join()
    assert draws.pop("left")
    for seed, drawn in draws.items():
        assert torch.equal(drawn, torch.rand(1, generator=torch.Generator().manual_seed(seed)))


FORK = """
import os, signal, threading
from invcore.plugin import isolated

inside, leave = threading.Event(), threading.Event()

def hold():
    with isolated(0):
        inside.set()
        leave.wait()

threading.Thread(target=hold).start()
inside.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)  # ends it where it would wait for ever
    with isolated(1):
        os._exit(3)
status = os.waitpid(child, 0)[1]
leave.set()
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_wait_for_a_thread_that_it_lacks():
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
