"""Jobs as arrays of SLURM."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import submitit

from invcore.plugin import (
    Config,
    Field,
    InvcoreError,
    Job,
    JobPool,
    PooledExecutor,
    Record,
    WorkerState,
    one_line,
    replace_file,
)
from invcore_submitit.task import do_jobs

_LOOK_S = 0.2  # between looks for records, on this machine
_LOOK_QUEUE_S = 5.0  # between questions to a queue for the tasks' states
_GRACE_S = 5.0  # after a task has ended, until its records are seen on a slow disk


class SubmititConfig(Config):
    """Settings of submitit."""

    cluster: Literal["auto", "slurm", "local"] = Field(
        "auto", description="auto: SLURM where it is, else processes of this machine."
    )
    workers: int = Field(2, ge=1, le=10_000, description="Tasks at once.")
    queued: int = Field(
        1000, ge=1, le=100_000, description="Jobs that are in the queue at the same time, at most."
    )
    together: int = Field(
        1, ge=1, le=10_000, description="Jobs of one task, one after another: for short ones."
    )
    threads: int = Field(1, ge=1, description="Threads of torch for each job, and CPUs of a task.")
    retries: int = Field(
        1, ge=0, le=100, description="Times that a task that was lost is begun again."
    )
    minutes: int = Field(60, ge=1, description="That a task may take.")
    memory_gb: float = Field(4.0, gt=0, description="Memory of a task.")
    gpus: int = Field(0, ge=0, description="GPUs of a task.")
    partition: str = Field("", description="Of SLURM.")
    options: dict[str, str | int] = Field(
        {}, description="Further options of sbatch by their long names, such as account."
    )
    folder: str = Field(
        "invcore-jobs", description="For jobs and their records; all machines have to see it."
    )
    keep_output: bool = Field(False, description="Keep that folder with what tasks printed.")


class Submitit(PooledExecutor[SubmititConfig]):
    """Jobs as arrays of SLURM; where there is none, as processes of this machine.

    Jobs and records are files of JSON in a folder that all machines see. A task that is lost is
    begun again, without those of its jobs that have ended.

    Example:
        >>> Submitit(SubmititConfig(workers=50, together=10)).config.cluster
        'auto'
    """

    Config = SubmititConfig
    keeps_limits = True

    def pool(self, work: Callable[[Job], Record]) -> SubmititPool:
        """Tasks of the queue, for as long as the pool is open.

        Args:
            work: a module-level function.
        """
        return SubmititPool(self.config, f"{work.__module__}:{work.__qualname__}")


@dataclass
class _Task:
    """A task in the queue: its jobs, and how often it was begun."""

    handle: Any
    numbers: list[int]
    tries: int = 0
    ended: float | None = None
    signs: WorkerState = field(default_factory=lambda: WorkerState(""))


class SubmititPool(JobPool):
    """Jobs that were given to the queue.

    Args:
        config: of the queue.
        function: ``module:name`` of what does a job.
    """

    def __init__(self, config: SubmititConfig, function: str) -> None:
        self._config, self._function = config, function
        self.folder = Path(config.folder).absolute() / secrets.token_hex(6)
        for name in ("jobs", "records", "signs", "logs"):
            (self.folder / name).mkdir(parents=True)
        kind = None if config.cluster == "auto" else config.cluster
        self._executor = submitit.AutoExecutor(self.folder / "logs", cluster=kind)
        self.local = self._executor.cluster == "local"
        self.size = config.workers * config.together if self.local else config.queued
        self._executor.update_parameters(
            timeout_min=config.minutes, mem_gb=config.memory_gb, cpus_per_task=config.threads,
            gpus_per_node=config.gpus, name="invcore",
            slurm_array_parallelism=config.workers, slurm_additional_parameters=config.options,
            **({"slurm_partition": config.partition} if config.partition else {}),
        )  # fmt: skip
        own = {"threads": config.threads, "keep_output": config.keep_output, "gpus": "all"}
        self._settings = json.dumps(own)
        self._count = 0
        self._jobs: dict[int, Job] = {}  # at work, by their numbers
        self._new: list[int] = []
        self._tasks: list[_Task] = []
        self._ready: deque[Record] = deque()
        self._asked = 0.0

    @property
    def running(self) -> int:
        """Jobs in the queue, and records that nobody has taken."""
        return len(self._jobs) + len(self._ready)

    def start(self, job: Job) -> None:
        """Write a job down; those that were written are submitted together."""
        number, self._count = self._count, self._count + 1
        replace_file(self.folder / "jobs" / f"{number}.json", json.dumps(job).encode())
        self._jobs[number] = job
        self._new.append(number)

    def next(self) -> Record:
        """Submit what is new, and wait until a job has ended.

        Raises:
            InvcoreError: the queue does not take it.
        """
        while not self._ready:
            self._submit_new()
            self._look()
            if not self._ready:
                time.sleep(_LOOK_S)
        return self._ready.popleft()

    def _submit_new(self) -> None:
        new, size = self._new, self._config.together
        if new:
            self._submit([_Task(None, new[i : i + size]) for i in range(0, len(new), size)])
            self._new = []

    def _submit(self, tasks: list[_Task]) -> None:
        try:
            with self._executor.batch():
                for task in tasks:
                    task.handle = self._executor.submit(
                        do_jobs, task.numbers, self._function, self._settings, str(self.folder)
                    )
        except Exception as error:  # submitit raises what its plugins raise
            raise InvcoreError(f"the queue does not take jobs: {one_line(error)}") from error
        for task in tasks:
            task.ended = None
        self._tasks += tasks

    def _look(self) -> None:
        """Take the records that are there, and see to tasks that have ended without theirs."""
        for path in (self.folder / "records").glob("*.json"):
            number = int(path.stem)
            if number in self._jobs:
                self._ready.append(json.loads(path.read_bytes()))
                del self._jobs[number]
        now = time.monotonic()
        if not self.local and now - self._asked < _LOOK_QUEUE_S:
            return
        self._asked = now
        again = []
        for task in [*self._tasks]:
            left = [number for number in task.numbers if number in self._jobs]
            if not left:
                self._tasks.remove(task)
            elif task.handle.done():
                task.ended = task.ended or now
                if now - task.ended >= (_LOOK_S if self.local else _GRACE_S):
                    self._tasks.remove(task)
                    again += self._lost(task, left)
        if again:
            self._submit(again)

    def _lost(self, task: _Task, left: list[int]) -> list[_Task]:
        """A task that ended without all records: to be begun again, or given up."""
        if task.tries < self._config.retries:
            return [_Task(None, left, task.tries + 1)]
        state = str(task.handle.state)
        for number in left:
            reason = f"its task was lost {task.tries + 1} times, the last time as {state}"
            self._ready.append({**self._jobs.pop(number), "status": "error", "reason": reason})
        return []

    def workers(self) -> list[WorkerState]:
        """What tasks do that have said so."""
        found = []
        for task in [*self._tasks]:
            path = self.folder / "signs" / f"{task.numbers[0]}.json"
            with suppress(OSError, ValueError, AttributeError):
                name, heard = str(task.handle.job_id), path.stat().st_mtime - time.time()
                sign, now = json.loads(path.read_bytes()), time.monotonic()
                since = task.signs.since if task.signs.job == sign["job"] else now
                task.signs = WorkerState(name, sign["job"], sign["stage"], since, now + heard)
                found.append(task.signs)
        return found

    def close(self) -> None:
        """Take all tasks out of the queue, and remove the folder."""
        for task in self._tasks:
            with suppress(Exception):  # it has ended meanwhile
                task.handle.cancel(check=False)
        for task in self._tasks if self.local else []:
            with suppress(Exception):
                task.handle.wait()
        if not self._config.keep_output:
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):
                os.rmdir(self.folder.parent)  # if nobody else has something there
