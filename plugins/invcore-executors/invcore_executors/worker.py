"""A worker process: the side that gives it jobs, and the side that does them."""

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from invcore.plugin import Job, Record

_READY = b"ready"
_GRACE_S = 3.0  # between asking a worker to end and ending it
_KILL = 9
_SAID = 200  # characters of a dead worker's last line


class Worker:
    """A process that does one job after another.

    Args:
        function: ``module:name`` of what does a job.
        threads: of torch.
        folder: for what it says on standard error.
    """

    def __init__(self, function: str, threads: int, folder: Path) -> None:
        handle, self._log = tempfile.mkstemp(dir=folder)
        os.close(handle)
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        # No daemon: a method may want processes of its own. A worker whose parent is gone ends.
        self.process = context.Process(
            target=_serve, args=(theirs, function, threads, self._log), daemon=False
        )
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.since = 0.0
        self.started = self.dead = False
        self.why = ""

    def give(self, job: Job) -> None:
        """Send a job; a worker that has just died is noticed when its record is taken."""
        self.job, self.since = job, time.monotonic() if self.started else 0.0
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(json.dumps(job).encode())

    def take(self) -> Record | None:
        """What it says: a record, that of a lost job if it died, or None if it is only ready."""
        try:
            if not self.pipe.poll():
                raise EOFError  # it is dead, but a child of its own holds the pipe open
            message = self.pipe.recv_bytes()
        except (EOFError, OSError):
            why = self._epitaph()
            self.kill()
            return self.lost(why)
        if message == _READY:
            self.started, self.since = True, time.monotonic()
            return None
        self.job, self.since = None, 0.0
        record: Record = json.loads(message)
        return record

    def lost(self, why: str) -> Record:
        """The record of the job that it will not finish."""
        job, self.job, self.dead, self.why = self.job or {}, None, True, why
        return {**job, "status": "error", "reason": why}

    def end(self, why: str) -> Record:
        """Stop it in the middle of its job; the job's record."""
        self.kill(signal.SIGTERM)
        self.process.join(_GRACE_S)
        self.kill()
        return self.lost(why)

    def kill(self, number: int = _KILL) -> None:
        """Send a signal to it and to the processes that it has started."""
        if self.process.pid is not None:
            try:
                os.killpg(self.process.pid, number)
            except (AttributeError, OSError):  # no groups here, or it leads none
                self.process.kill()

    def bury(self) -> None:
        """Release what is held for it; it has been killed, or asked to end."""
        self.process.join(_GRACE_S)
        self.pipe.close()
        if self.process.exitcode is not None:
            self.process.close()
        with contextlib.suppress(OSError):
            os.unlink(self._log)

    def _epitaph(self) -> str:
        """Why it is dead: its signal or exit code, and its last line on standard error."""
        self.process.join(_GRACE_S)
        code = self.process.exitcode
        if code is not None and code < 0:
            hint = " (out of memory?)" if -code == _KILL else f" ({_signal_name(-code)})"
            why = f"the worker died: killed by signal {-code}{hint}"
        else:
            why = f"the worker died: exit code {code}"
        if code == -_KILL:
            return why  # nobody can have said why
        with contextlib.suppress(OSError):
            lines = Path(self._log).read_text(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            why += f"; it said: {last[:_SAID]}" if last else ""
        return why


def stop(crew: Iterable[Worker]) -> None:
    """End all workers: the idle ones by closing their pipes, the others by a signal."""
    workers = list(crew)
    for worker in workers:
        if worker.job is None:
            worker.pipe.close()
        else:
            worker.kill(signal.SIGTERM)
    end = time.monotonic() + _GRACE_S
    for worker in workers:
        worker.process.join(max(0.0, end - time.monotonic()))
        worker.kill()
        worker.bury()


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"


# In the worker


def _serve(pipe: Connection, function: str, threads: int, log: str) -> None:
    """Do jobs until the pipe is closed, the parent is gone, or a signal says to stop."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), 2)
    with contextlib.suppress(AttributeError, OSError):
        os.setsid()  # Ctrl-C reaches the parent alone, which then ends us and our children
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_watch_parent, daemon=True).start()
    try:
        work = _load(function, threads)
        pipe.send_bytes(_READY)
        while True:
            job = json.loads(pipe.recv_bytes())
            try:
                answer = json.dumps(work(job))
            except Exception as error:  # against the contract, but no reason to die
                why = " ".join(f"{type(error).__name__}: {error}".split())
                answer = json.dumps({**job, "status": "error", "reason": why})
            pipe.send_bytes(answer.encode())
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _load(function: str, threads: int) -> Any:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    if "torch" in sys.modules:  # else it will read the variable when the work imports it
        sys.modules["torch"].set_num_threads(threads)
    return work


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Like Ctrl-C: what is being written is cleaned up on the way out."""
    raise KeyboardInterrupt


def _watch_parent() -> None:
    """End with the parent, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(1)
