"""In a task of an array: its jobs one after another, each in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from invcore_executors.processes import ProcessesConfig, ProcessPool

from invcore.plugin import replace_file

_TELL_S = 2.0  # between what is told of a job


def do_jobs(numbers: Sequence[int], function: str, settings: str, folder: str) -> None:
    """Do jobs that lie in a folder, and leave their records there.

    Args:
        numbers: of the jobs, each a file ``jobs/NUMBER.json``.
        function: ``module:name`` of what does a job.
        settings: of their process, as JSON.
        folder: that all machines see.
    """
    config = ProcessesConfig.parse({"workers": 1, **json.loads(settings)})
    with ProcessPool(config, function) as pool:
        for number in numbers:
            record_file = Path(folder, "records", f"{number}.json")
            if record_file.exists():  # the task is begun again, and this one was done
                continue
            pool.start(json.loads(Path(folder, "jobs", f"{number}.json").read_bytes()))
            record = None
            while record is None:
                for state in pool.workers():
                    sign = json.dumps({"job": state.job, "stage": state.stage}).encode()
                    replace_file(Path(folder, "signs", f"{numbers[0]}.json"), sign, lasting=False)
                record = pool.poll(_TELL_S)
            replace_file(record_file, json.dumps(record).encode())
