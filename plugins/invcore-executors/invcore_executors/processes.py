"""Several jobs at once, each in a worker process."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path

from invcore.plugin import (
    Config,
    Field,
    InvcoreError,
    Job,
    JobPool,
    PooledExecutor,
    Record,
    WorkerState,
)
from invcore_executors.gpus import gpus_of
from invcore_executors.worker import Worker, stop

_LOOK_S = 1.0  # a worker whose own child holds its pipe open is found dead by looking
_WATCH_S = 0.2  # between looks at the memory of a job that has a limit


class ProcessesConfig(Config):
    """Settings of processes."""

    workers: int = Field(2, ge=1, le=1024, description="Jobs at once.")
    threads: int = Field(1, ge=1, description="Threads of torch in each worker.")
    retries: int = Field(
        1, ge=0, le=100, description="Times that a job whose worker was killed is begun again."
    )
    gpus: str = Field(
        "auto", description="GPUs dealt out to workers in turn: auto, all, or numbers: 0,1."
    )
    keep_output: bool = Field(
        False, description="Keep the last line that a worker printed before it died in the record."
    )


class Processes(PooledExecutor[ProcessesConfig]):
    """Several jobs at once, each in a worker process that stays for the next one.

    Workers are fresh interpreters (spawned, as CUDA and threads want it) and import torch once. One
    that dies, or is over a limit of its job, gives the record of a failed job, and a new worker
    takes its place; one that was killed from outside has its job begun again, at most ``retries``
    times. Nothing is pickled but the way to the work function: jobs and records travel as JSON.
    What workers print is kept off the terminal.

    Example:
        >>> Processes(ProcessesConfig(workers=4)).config.threads
        1
    """

    Config = ProcessesConfig
    keeps_limits = True

    def pool(self, work: Callable[[Job], Record]) -> ProcessPool:
        """Workers that are started when there is a job for them.

        Args:
            work: a module-level function.
        """
        return ProcessPool(self.config, f"{work.__module__}:{work.__qualname__}")


class ProcessPool(JobPool):
    """Worker processes, and who has what.

    Args:
        config: how many, and how they are.
        function: ``module:name`` of what does a job.
    """

    def __init__(self, config: ProcessesConfig, function: str) -> None:
        self.config, self.size, self._function = config, config.workers, function
        self._gpus = gpus_of(config.gpus)
        self._folder = tempfile.TemporaryDirectory(prefix="invcore-")
        self._workers: list[Worker] = []
        self._again: dict[int, int] = {}  # times that a worker's job was begun again, by its id()
        self._ready: deque[Record] = deque()
        self._waiting: deque[Job] = deque()
        self._proven = False  # one has started, so that they can

    @property
    def running(self) -> int:
        """Jobs at work, and records that nobody has taken."""
        busy = sum(worker.job is not None for worker in self._workers)
        return busy + len(self._ready) + len(self._waiting)

    def start(self, job: Job) -> None:
        """Give a job to an idle worker, or to a new one; where there is none, it waits."""
        idle = next((each for each in self._workers if each.job is None), None)
        if idle is None and len(self._workers) >= self.size:
            self._waiting.append(job)
            return
        (idle or self._new()).give(job)

    def _new(self) -> Worker:
        names = {worker.name for worker in self._workers}
        name = next(str(n) for n in range(1, self.size + 2) if str(n) not in names)
        gpu = self._gpus[(int(name) - 1) % len(self._gpus)] if self._gpus else None
        folder = Path(self._folder.name)
        worker = Worker(self._function, self.config.threads, folder, name, gpu)
        self._workers.append(worker)
        return worker

    def workers(self) -> list[WorkerState]:
        """What each does, in order."""
        return sorted((worker.state for worker in [*self._workers]), key=lambda s: int(s.name))

    def next(self) -> Record:
        """Wait until a worker has a record, dies, or is over a limit.

        Raises:
            InvcoreError: no worker starts.
        """
        while True:
            record = self.poll(_LOOK_S)
            if record is not None:
                return record

    def poll(self, seconds: float) -> Record | None:
        """What ``next`` gives, or None after some seconds.

        Raises:
            InvcoreError: no worker starts.
        """
        if not self._ready:
            busy = [worker for worker in self._workers if worker.job is not None]
            assert busy, "no job was started"
            pipes = wait([worker.pipe for worker in busy], min(seconds, self._patience(busy)))
            for worker in busy:
                self._look(worker, worker.pipe in pipes)
        return self._ready.popleft() if self._ready else None

    def _patience(self, busy: list[Worker]) -> float:
        limits = [(worker, (worker.job or {}).get("limits", {})) for worker in busy]
        if any("memory_mib" in each for _, each in limits):
            return _WATCH_S
        now = time.monotonic()
        ends = [worker.since + each["time_s"] - now for worker, each in limits if "time_s" in each]
        return max(0.01, min([_LOOK_S, *ends]))

    def _look(self, worker: Worker, speaks: bool) -> None:
        """Take what one worker has to say."""
        record, job = None, worker.job
        if speaks or not worker.process.is_alive():
            record = worker.take()
        elif why := worker.over():
            record = worker.end(why)
        self._proven = self._proven or worker.started
        if worker.dead:
            self._workers.remove(worker)
            worker.bury()
            # One that is killed from outside says nothing of the work, even before any has started
            again = job is not None and worker.killed and self._may_again(job)
            if not self._proven and not again:
                said = f"; it said: {worker.said}" if worker.said else ""
                raise InvcoreError(f"executor processes: no worker starts: {worker.why}{said}")
            if job is not None and again:
                self.start(job)
                return
        if record is not None:
            self._again.pop(id(job), None)
            self._ready.append(self._told(record))
            if self._waiting:
                self.start(self._waiting.popleft())

    def _may_again(self, job: Job) -> bool:
        tries = self._again.get(id(job), 0)
        self._again[id(job)] = tries + 1
        return tries < self.config.retries

    def _told(self, record: Record) -> Record:
        """A record with what the worker said last, where that is to be kept."""
        if self.config.keep_output and record.get("said"):
            record = {**record, "reason": f"{record['reason']}; it said: {record.pop('said')}"}
        return record

    def close(self) -> None:
        """End all workers."""
        stop(self._workers)
        self._workers.clear()
        self._folder.cleanup()
