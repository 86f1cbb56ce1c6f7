"""A worker process, seen from those who give it jobs: its limits, its signs of life, its end."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from invcore.plugin import Job, Record, WorkerState, end_marked, marked
from invcore_executors.serving import READY, RECORD, SIGN, serve

_GRACE_S = 3.0  # between asking a worker to end and ending it
_START_S = 300.0  # that a worker may take to import what it needs, beside a job's own limit
_KILL = 9
_SAID = 200  # characters of a dead worker's last line
_LOG_BYTES = 4 * 2**20  # of what it prints, at most, then it begins anew
_MIB = 2**20


class Worker:
    """A process that does one job after another.

    Args:
        function: ``module:name`` of what does a job.
        threads: of torch.
        folder: for what it says on standard error.
        name: for people.
        gpu: the one that it sees; None: all.
    """

    def __init__(
        self, function: str, threads: int, folder: Path, name: str = "1", gpu: str | None = None
    ) -> None:
        handle, self._log = tempfile.mkstemp(dir=folder)
        os.close(handle)
        self.name, self.gpu = name, gpu
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        with marked() as self._mark, _environment({
            "OMP_NUM_THREADS": str(threads),
            **({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}),
        }):  # fmt: skip
            # No daemon: a method may want processes of its own. Whose parent is gone ends.
            self.process = context.Process(
                target=serve, args=(theirs, function, threads, self._log), daemon=False
            )
            self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.given = self.since = self.heard = time.monotonic()
        self.stage = ""
        self.started = self.dead = self.killed = False
        self.why = self.said = ""

    @property
    def state(self) -> WorkerState:
        """What it does, for people."""
        job = "" if self.job is None else str(self.job.get("id", ""))
        stage = self.stage if self.started else "starting"
        return WorkerState(self.name, job, stage if job else "", self.since, self.heard)

    def give(self, job: Job) -> None:
        """Send a job; a worker that has just died is noticed when its record is taken."""
        self.job, self.stage = job, ""
        self.given = self.since = self.heard = time.monotonic()
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(json.dumps(job).encode())

    def take(self) -> Record | None:
        """What it says: a record, that of a lost job if it died, or None for a sign of life."""
        try:
            if not self.pipe.poll():
                raise EOFError  # it is dead, but a child of its own holds the pipe open
            message = self.pipe.recv_bytes()
        except (EOFError, OSError):
            why = self._epitaph()
            self.kill()
            return self.lost(why)
        self.heard = time.monotonic()
        kind, content = message[:1], message[1:]
        if kind == READY:
            self.started, self.since = True, self.heard
        if kind == SIGN:
            self.stage = content.decode(errors="replace")[:100]
        if kind != RECORD:
            return None
        self.job, self.stage = None, ""
        record: Record = json.loads(content)
        return record

    def over(self) -> str:
        """Why its job has to be ended now; empty while it need not."""
        with contextlib.suppress(OSError):
            if os.path.getsize(self._log) > _LOG_BYTES:
                os.truncate(self._log, 0)  # it is written at its end, wherever that is
        if self.job is None:
            return ""
        limits = self.job.get("limits", {})
        seconds, mib = limits.get("time_s"), limits.get("memory_mib")
        if seconds is not None:
            allowed = seconds if self.started else seconds + _START_S
            if time.monotonic() - (self.since if self.started else self.given) >= allowed:
                return f"stopped after {seconds:g} s, its time limit"
        if mib is not None and (used := self._memory()) > mib:
            return f"stopped at {used:,.0f} MiB of memory, its limit is {mib:,.0f} MiB"
        return ""

    def _memory(self) -> float:
        """MiB of main memory, with the processes that it has started."""
        try:
            own = psutil.Process(self.process.pid)
            everyone = [own, *own.children(recursive=True)]
            if len(everyone) == 1:
                return float(own.memory_info().rss) / _MIB
        except psutil.Error:
            return 0.0
        total = 0
        for process in everyone:
            with contextlib.suppress(psutil.Error):
                shares = process.memory_full_info()  # pages that several share count once
                total += getattr(shares, "pss", shares.rss)
        return total / _MIB

    def lost(self, why: str) -> Record:
        """The record of the job that it will not finish; what it said last is for screens."""
        job, self.job, self.dead, self.why = self.job or {}, None, True, why
        job = {key: value for key, value in job.items() if key != "limits"}
        said = {"said": self.said} if self.said else {}
        return {**job, "status": "error", "reason": why, **said}

    def end(self, why: str) -> Record:
        """Stop it in the middle of its job; the job's record."""
        self.kill(signal.SIGTERM)
        self.process.join(_GRACE_S)
        self.kill()
        return self.lost(why)

    def kill(self, number: int = _KILL) -> None:
        """Send a signal to it and its group; the last one to all processes that it has started."""
        if self.process.pid is not None:
            try:
                os.killpg(self.process.pid, number)
            except (AttributeError, OSError):  # no groups here, or it leads none
                self.process.kill()
        if number == _KILL:
            end_marked(self._mark)  # in sessions of their own too

    def bury(self) -> None:
        """Release what is held for it; it has been killed, or asked to end."""
        self.process.join(_GRACE_S)
        self.pipe.close()
        if self.process.exitcode is not None:
            self.process.close()
        with contextlib.suppress(OSError):
            os.unlink(self._log)

    def _epitaph(self) -> str:
        """Why it is dead: its signal or exit code. Its last words are kept apart."""
        self.process.join(_GRACE_S)
        code = self.process.exitcode
        self.killed = code in (-_KILL, -signal.SIGTERM)  # by others: it may do better elsewhere
        if code != -_KILL:  # else nobody can have said why
            with contextlib.suppress(OSError):
                lines = Path(self._log).read_text(errors="replace").split("\n")
                last = next((line.strip() for line in reversed(lines) if line.strip()), "")
                self.said = last[:_SAID]
        if code is not None and code < 0:
            hint = " (out of memory?)" if -code == _KILL else f" ({_signal_name(-code)})"
            return f"the worker died: killed by signal {-code}{hint}"
        return f"the worker died: exit code {code}"


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


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Let what is started in the block see these."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"
