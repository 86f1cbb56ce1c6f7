"""Jobs on the workers of a dask cluster."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from distributed import as_completed
from distributed.scheduler import KilledWorker

from invcore.plugin import (
    InvcoreError,
    Job,
    JobPool,
    PooledExecutor,
    Record,
    WorkerState,
    one_line,
)
from invcore_dask.clusters import DaskConfig, connected
from invcore_dask.places import do_job, end_all

_FRESH_S = 2.0  # how old the number of workers may be


class Dask(PooledExecutor[DaskConfig]):
    """Jobs on the workers of a dask cluster, each in a process of its own on its machine.

    Workers see the store under the same path as this machine, and have the same packages. Jobs and
    records travel as JSON. A job whose worker is lost is begun again elsewhere, at most ``retries``
    times. One whose client has gone is ended.

    Example:
        >>> Dask(DaskConfig(workers=3)).config.cluster
        'local'
    """

    Config = DaskConfig
    keeps_limits = True

    def pool(self, work: Callable[[Job], Record]) -> DaskPool:
        """The cluster's workers, for as long as the pool is open.

        Args:
            work: a module-level function.

        Raises:
            InvcoreError: no scheduler answers.
        """
        return DaskPool(self.config, f"{work.__module__}:{work.__qualname__}")


class DaskPool(JobPool):
    """Jobs of one client at a cluster.

    Args:
        config: which cluster, and how jobs are done there.
        function: ``module:name`` of what does a job.
    """

    def __init__(self, config: DaskConfig, function: str) -> None:
        self._config, self._function = config, function
        self._client, self._cluster = connected(config)
        own = {name: getattr(config, name) for name in ("threads", "retries", "keep_output")}
        self._settings = json.dumps({**own, "gpus": "all"})
        self._topic = f"invcore-{secrets.token_hex(8)}"
        self._states: dict[str, WorkerState] = {}
        self._lock = threading.Lock()
        self._client.subscribe_topic(self._topic, self._hear)
        self._jobs: dict[Any, Job] = {}
        self._ended = as_completed([], loop=self._client.loop)
        self._size, self._asked = config.workers, 0.0

    @property
    def size(self) -> int:  # type: ignore[override]
        """Threads of the cluster's workers just now; a queue's may still come."""
        if time.monotonic() - self._asked > _FRESH_S:
            with suppress(OSError, TimeoutError, ValueError):
                self._size = max(1, sum(self._client.nthreads().values()))
            self._asked = time.monotonic()
        return self._size

    @property
    def running(self) -> int:
        """Jobs that were given to the cluster."""
        return len(self._jobs)

    def start(self, job: Job) -> None:
        """Give a job to the cluster."""
        resources = {"GPU": self._config.gpus} if self._config.gpus else None
        future = self._client.submit(
            do_job, json.dumps(job), self._function, self._settings, self._topic,
            key=f"invcore-{secrets.token_hex(8)}", pure=False, resources=resources,
        )  # fmt: skip
        self._jobs[future.key] = job
        self._ended.add(future)

    def next(self) -> Record:
        """Wait until the cluster has done a job.

        Raises:
            InvcoreError: the scheduler is gone.
        """
        future = next(self._ended)
        job = self._jobs.pop(future.key)
        if future.status == "finished":
            record: Record = json.loads(future.result())
            return record
        if future.status != "error":
            raise InvcoreError(
                "the scheduler is gone: what was done is kept, and the same command goes on"
            )
        error = future.exception()
        why = one_line(error)
        if isinstance(error, KilledWorker):
            why = f"the worker died: lost {self._config.retries + 1} times with its machine's"
            why += " process of dask"
        return {**job, "status": "error", "reason": why}

    def workers(self) -> list[WorkerState]:
        """What each worker that was heard does."""
        with self._lock:
            return sorted(self._states.values(), key=lambda state: state.name)

    def _hear(self, event: tuple[float, Any]) -> None:
        fact, now = event[1], time.monotonic()
        name, job = str(fact["worker"]), str(fact["job"])
        with self._lock:
            before = self._states.get(name)
            since = before.since if before is not None and before.job == job else now
            self._states[name] = WorkerState(name, job, str(fact["stage"]), since, now)

    def close(self) -> None:
        """End what this client has given, and the cluster that was made for it."""
        with suppress(Exception):  # a scheduler that is gone has nothing to end
            if self._jobs:
                self._client.cancel([*self._ended.futures], force=True)
            self._client.unsubscribe_topic(self._topic)
        if self._cluster is not None:
            with suppress(Exception):
                self._client.run(end_all)
        for each in (self._client, self._cluster):
            with suppress(Exception):
                if each is not None:
                    each.close()
