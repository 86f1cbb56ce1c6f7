"""A process that has fitted nothing, for each request that is put into a folder.

One Python is started for all requests of a session. It imports what all of them need, and answers
each in a process forked from it, so that none sees what another one left behind. Where processes
cannot be forked, one is started for each request.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from invcore.registry.registry import as_method

_FORKS = hasattr(os, "fork")


def importable(component: type[Any]) -> tuple[bool, str]:
    """Whether another process finds the class by its name, and why not."""
    module, name = component.__module__, component.__qualname__
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    reason = f"no other process can import {name} from {module}: define it in a module, by its name"
    return as_method(found) is component and module != "__main__", reason


def prepare(component: type[Any]) -> None:
    """Start the process that will be asked about a class, which takes a while, without waiting."""
    if importable(component)[0]:
        _server()


def ask(folder: str) -> None:
    """Have the request in a folder answered there."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(f"{folder}\n")
    server.stdin.flush()
    server.stdout.readline()
    if not _FORKS:
        _server.cache_clear()


@cache
def _server() -> subprocess.Popen[str]:
    answer = "invcore.testing.cases.elsewhere"
    code = f"from {answer} import answer; from {__name__} import serve; serve(answer)"
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @atexit.register
    def end() -> None:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.close()
        server.stdout.close()
        server.wait()

    return server


# In the other process


def serve(answer: Callable[[Path], None]) -> None:
    """Answer requests, whose folders come by standard input, until it ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a plugin prints is no reply
    _warm()
    for line in sys.stdin:
        _forked(answer, Path(line.strip()))
        replies.write("done\n")
        replies.flush()
        if not _FORKS:
            break


def _forked(answer: Callable[[Path], None], folder: Path) -> None:
    process = os.fork() if _FORKS else 0
    if process:
        os.waitpid(process, 0)
        return
    try:
        answer(folder)
    finally:
        if _FORKS:
            os._exit(0)


def _warm() -> None:
    """Import what a first step of training imports."""
    torch.set_num_threads(1)  # a process with idle threads must not be forked
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.Adam([weight])
    weight.sum().backward()
    optimiser.step()
