"""Several runs at once, each in a worker process."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path

from invcore.plugin import Config, Executor, Field, InvcoreError, Job, Record
from invcore_executors.worker import Worker, stop

_LOOK_S = 1.0  # a worker whose own child holds its pipe open is found dead by looking


class ProcessesConfig(Config):
    """Settings of processes."""

    workers: int = Field(2, ge=1, description="Runs at once.")
    threads: int = Field(1, ge=1, description="Threads of torch in each worker.")
    limit_s: float = Field(0.0, ge=0.0, description="Longest that a run may take, s; 0: no limit.")


class Processes(Executor[ProcessesConfig]):
    """Several runs at once, each in a worker process that stays for the next one.

    Workers are fresh interpreters (spawned, as CUDA and threads want it) and import torch once. One
    that dies, or takes longer than ``limit_s``, gives the record of a failed run, and a new worker
    takes its place. Nothing is pickled but the way to the work function: jobs and records travel
    as JSON. What workers print is kept off the terminal; the last
    error line of a dead one is in its record.

    Example:
        >>> Processes(ProcessesConfig(workers=4)).config.limit_s
        0.0
    """

    Config = ProcessesConfig

    def map(self, work: Callable[[Job], Record], jobs: Iterable[Job]) -> Iterator[Record]:
        """Do all jobs, giving each record as it is ready; a job is taken when a worker is free.

        Args:
            work: a module-level function.
            jobs: plain data, as JSON knows it.

        Raises:
            InvcoreError: a worker does not start.
        """
        with tempfile.TemporaryDirectory(prefix="invcore-") as folder, ExitStack() as stack:
            crew = _Crew(self.config, f"{work.__module__}:{work.__qualname__}", Path(folder))
            stack.callback(stop, crew.workers)
            records: list[Record] = []
            source = iter(jobs)
            while True:
                crew.share_out(source)
                yield from records
                if not crew.busy():
                    return
                records = crew.collect()


class _Crew:
    """The workers, and who has what."""

    def __init__(self, config: ProcessesConfig, function: str, folder: Path) -> None:
        self.config, self.function, self.folder = config, function, folder
        self.workers: list[Worker] = []
        self.proven = False  # one has started, so that they can

    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.job is not None]

    def share_out(self, jobs: Iterator[Job]) -> None:
        """Give jobs to idle workers, and to new ones while there may be more."""
        idle = [worker for worker in self.workers if worker.job is None]
        while idle or len(self.workers) < self.config.workers:
            job = next(jobs, None)
            if job is None:
                return
            if idle:
                worker = idle.pop()
            else:
                worker = Worker(self.function, self.config.threads, self.folder)
                self.workers.append(worker)
            worker.give(job)

    def collect(self) -> list[Record]:
        """Wait until a worker says something, dies or is late; the records that this gives."""
        busy, limit = self.busy(), self.config.limit_s
        began = [worker.since for worker in busy if worker.since] if limit else []
        due = [since + limit - time.monotonic() for since in began]
        pipes = wait([worker.pipe for worker in busy], max(0.0, min([_LOOK_S, *due])))
        records = []
        for worker in busy:
            record = None
            if worker.pipe in pipes or not worker.process.is_alive():
                record = worker.take()
            elif limit and worker.since and time.monotonic() - worker.since >= limit:
                record = worker.end(f"stopped after {limit:g} s, the limit of a run")
            if record is not None:
                records.append(record)
            self.proven = self.proven or worker.started
            if worker.dead:
                self.workers.remove(worker)
                worker.bury()
                if not self.proven:
                    raise InvcoreError(f"executor processes: no worker starts: {worker.why}")
        return records
