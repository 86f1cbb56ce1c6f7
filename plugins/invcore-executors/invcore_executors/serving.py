"""A worker process, seen from inside: it does jobs, gives signs of life, and survives its jobs."""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from invcore.plugin import one_line, signs_to, streams_kept

READY, RECORD, SIGN = b"1", b"2", b"3"
"""How messages of a worker begin."""
_ALIVE_S = 5.0  # between signs of life of a job that says nothing
_GRACE_S = 3.0  # to clean up when the parent is gone
_FIRST_TO_GO = "500"  # of all processes, when the machine has no memory left


class _Voice:
    """What a worker says to its parent; several threads may.

    Args:
        pipe: to the parent.
    """

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self._pipe, self._lock = pipe, threading.Lock()
        self._last, self._stage = 0.0, ""

    def say(self, kind: bytes, text: str = "") -> None:
        """Send a message.

        Raises:
            OSError: nobody is there any more.
        """
        with self._lock:
            self._pipe.send_bytes(kind + text.encode())

    def sign(self, stage: str) -> None:
        """Send what the job does now."""
        self._stage = stage
        with contextlib.suppress(OSError):
            self.say(SIGN, stage)

    def go_on(self) -> None:
        """Send signs of life, until the process ends."""
        while True:
            time.sleep(_ALIVE_S)
            self.sign(self._stage)


class _Ending:
    """Whether a signal has said that the worker is to end."""

    asked = False

    @classmethod
    def interrupt(cls, number: int, frame: FrameType | None) -> None:
        """Like Ctrl-C: what is being written is cleaned up on the way out."""
        cls.asked = True
        raise KeyboardInterrupt


def serve(pipe: Connection[Any, Any], function: str, threads: int, log: str) -> None:
    """Do jobs until the pipe is closed, the parent is gone, or a signal says to stop."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), 2)
    with contextlib.suppress(AttributeError, OSError):
        os.setsid()  # Ctrl-C reaches the parent alone, which then ends us and our children
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    signal.signal(signal.SIGTERM, _Ending.interrupt)
    voice = _Voice(pipe)
    threading.Thread(target=_watch_parent, daemon=True).start()
    threading.Thread(target=voice.go_on, daemon=True).start()
    try:
        work = _load(function, threads)
        voice.say(READY)
        while True:
            voice.say(RECORD, _done(work, json.loads(pipe.recv_bytes()), voice))
    except (EOFError, OSError):
        return
    except KeyboardInterrupt:
        if not _Ending.asked:
            raise


def _done(work: Any, job: Any, voice: _Voice) -> str:
    """The record of a job, as JSON, whatever its code raises."""
    voice.sign("")
    try:
        with signs_to(voice.sign), streams_kept():
            return json.dumps(work(job))
    except BaseException as error:  # against the contract, but no reason to die
        if isinstance(error, KeyboardInterrupt) and _Ending.asked:
            raise
        return json.dumps({**job, "status": "error", "reason": one_line(error)})


def _load(function: str, threads: int) -> Any:
    module, _, name = function.partition(":")
    work: Any = importlib.import_module(module)
    for part in name.split("."):
        work = getattr(work, part)
    if "torch" in sys.modules:  # else it reads the variable when the work imports it
        sys.modules["torch"].set_num_threads(threads)
    return work


def _watch_parent() -> None:
    """End with the parent, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(1)
