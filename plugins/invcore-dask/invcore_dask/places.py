"""On a worker of the cluster: each job in a process of its own, which can be ended."""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from typing import Any

from distributed import get_worker
from invcore_executors.processes import ProcessesConfig, ProcessPool

_LOOK_S = 0.5  # between looks at whether the job is still wanted
_TELL_S = 2.0  # between what is told of it
_POOLS: dict[tuple[str, int], ProcessPool] = {}
"""Of this worker: by the settings of a pool and the thread that has it."""


def do_job(text: str, function: str, settings: str, topic: str) -> str:
    """Do a job in a process of this machine that stays for the next one.

    Args:
        text: the job, as JSON.
        function: ``module:name`` of what does it.
        settings: of the process, as JSON.
        topic: that what it does is told under.

    Returns:
        The record, as JSON.
    """
    worker, key = get_worker(), _current()
    pool = _pool(function, settings)
    pool.start(json.loads(text))
    told, record = 0.0, None
    while record is None:
        record = pool.poll(_LOOK_S)
        if record is None and not _wanted(worker, key):
            _drop(pool)
            return json.dumps({"status": "error", "reason": "not wanted any more"})
        if record is None and time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            for state in pool.workers():
                fact = {"worker": worker.address, "job": state.job, "stage": state.stage}
                worker.log_event(topic, fact)
    worker.log_event(topic, {"worker": worker.address, "job": "", "stage": ""})
    return json.dumps(record)


def _current() -> str:
    return str(get_worker().get_current_task())


def _wanted(worker: Any, key: str) -> bool:
    """Whether the scheduler still waits for a task: not after its client has gone."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state not in ("cancelled", "released", "forgotten")


def _pool(function: str, settings: str) -> ProcessPool:
    """The pool of one process that this thread has for such jobs."""
    place = (f"{function} {settings}", threading.get_ident())
    if place not in _POOLS:
        config = ProcessesConfig.parse({"workers": 1, **json.loads(settings)})
        # A nanny starts its worker as a daemon unless the site's configuration says otherwise, and
        # daemons may have no children; ours end with the worker, as they watch it.
        vars(multiprocessing.current_process())["_config"]["daemon"] = False
        _POOLS[place] = ProcessPool(config, function)
    return _POOLS[place]


def _drop(pool: ProcessPool) -> None:
    """End a pool's process, whatever it does."""
    for place, each in [*_POOLS.items()]:
        if each is pool:
            del _POOLS[place]
    pool.close()


def end_all() -> None:
    """End the processes of all jobs of this worker."""
    for pool in [*_POOLS.values()]:
        _drop(pool)
