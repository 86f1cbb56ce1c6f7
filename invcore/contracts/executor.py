"""Executors: ways to do many jobs, on one machine or on many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

from invcore.configs.configurable import C, Configurable

Job = dict[str, Any]
"""What is to be done, as plain data: it can travel to another process or machine. A key ``limits``
holds the job's ``time_s`` and ``memory_mib``, if it has such."""
Record = dict[str, Any]
"""What is known of a job when it ended, as plain data; a failure is a record too."""


@dataclass(frozen=True)
class WorkerState:
    """What a worker does, for people who watch.

    Args:
        name: of the worker.
        job: the ``id`` of its job; empty where it has none.
        stage: what the job is doing.
        since: when it began, by ``time.monotonic`` here.
        heard: when it gave the last sign of life, by the same clock.
    """

    name: str
    job: str = ""
    stage: str = ""
    since: float = 0.0
    heard: float = 0.0


class Executor(Configurable[C]):
    """A way to do many jobs: one after another, in processes, on a cluster.

    One that gives jobs to workers one by one is a `PooledExecutor`, which also serves those who
    cannot say beforehand what the next job is.

    Example:
        >>> class Serial(Executor):
        ...     def map(self, work, jobs):
        ...         return map(work, jobs)
        >>> list(Serial().map(lambda job: {"status": "ok", **job}, [{"seed": 0}]))
        [{'status': 'ok', 'seed': 0}]
    """

    keeps_limits: ClassVar[bool] = False
    """Whether it ends a job that is over its limits."""

    @abstractmethod
    def map(self, work: Callable[[Job], Record], jobs: Iterable[Job]) -> Iterator[Record]:
        """Do all jobs, giving each record as it is ready, in any order.

        A job that is lost, because its process died for example, has a record too: the job with
        ``status`` "error" and a ``reason``. A caller may show a job as running once it was taken
        from ``jobs``, so take it when it begins.

        Args:
            work: a module-level function, importable by name elsewhere; it does not raise.
            jobs: the jobs to do.
        """

    def workers(self) -> list[WorkerState]:
        """What its workers do just now, asked by another thread than the one that is in ``map``."""
        return []


class JobPool(ABC):
    """Workers that are given jobs one by one; they end with the block.

    Attributes:
        size: how many jobs can be at work at the same time.
    """

    size: int

    @property
    @abstractmethod
    def running(self) -> int:
        """Jobs that were started and whose records were not given yet."""

    @abstractmethod
    def start(self, job: Job) -> None:
        """Begin a job; call it while ``running`` is below ``size``."""

    @abstractmethod
    def next(self) -> Record:
        """The record of the first job that ends, of those that run; waits for one."""

    def workers(self) -> list[WorkerState]:
        """What the workers do just now; other threads may ask."""
        return []

    @abstractmethod
    def close(self) -> None:
        """End all workers, whatever they do."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


class PooledExecutor(Executor[C]):
    """An executor whose workers are given jobs one by one.

    Example:
        >>> class Here(JobPool):
        ...     size = 1
        ...     def __init__(self, work):
        ...         self.work, self.jobs = work, []
        ...     running = property(lambda self: len(self.jobs))
        ...     def start(self, job):
        ...         self.jobs.append(job)
        ...     def next(self):
        ...         return self.work(self.jobs.pop())
        ...     def close(self):
        ...         pass
        >>> class Simple(PooledExecutor):
        ...     def pool(self, work):
        ...         return Here(work)
        >>> list(Simple().map(lambda job: {"status": "ok", **job}, [{"seed": 0}, {"seed": 1}]))
        [{'status': 'ok', 'seed': 0}, {'status': 'ok', 'seed': 1}]
    """

    _pool: JobPool | None = None  # the one that ``map`` is at, to be watched

    @abstractmethod
    def pool(self, work: Callable[[Job], Record]) -> JobPool:
        """Workers that do jobs by ``work``, for as long as the caller wants them.

        Args:
            work: a module-level function, importable by name elsewhere; it does not raise.
        """

    def map(self, work: Callable[[Job], Record], jobs: Iterable[Job]) -> Iterator[Record]:
        """Do all jobs, each begun when a worker is free."""
        source, more = iter(jobs), True
        with self.pool(work) as pool:
            self._pool = pool
            try:
                while True:
                    while more and pool.running < pool.size:
                        job = next(source, None)
                        more = job is not None
                        if job is not None:
                            pool.start(job)
                    if not pool.running:
                        return
                    yield pool.next()
            finally:
                self._pool = None

    def workers(self) -> list[WorkerState]:
        """What the workers do just now."""
        pool = self._pool
        return [] if pool is None else pool.workers()
