"""Designs as jobs: plain data that a worker anywhere simulates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.plugin import Executor, InvcoreError, Job, Record, SimulatorError, Space, one_line
from invcore_solve.simulators.function import Function, computed
from invcore_solve.simulators.function_by_name import load_function
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.outcomes import Outcome
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.program_processes import Processes

Array = npt.NDArray[np.float64]
Simulate = Callable[[Array], Outcome]


def function_work(
    function: str, name: str, *, arrays: bool, limit: float | None, dim: int, folder: Path | None
) -> dict[str, Any]:
    """What a worker has to know of a function.

    Args:
        function: its name, ``package.module:function``.
        name: for messages.
        arrays: whether it takes arrays, else tensors.
        limit: seconds for one call; None for no limit.
        dim: Dy.
        folder: where costly rows are kept at once; None keeps none.
    """
    kept = None if folder is None else str(folder.absolute())
    return {
        "function": function, "name": name, "arrays": arrays, "limit": limit, "dim": dim,
        "folder": kept,
    }  # fmt: skip


def program_work(
    program: Program, name: str, designs: Space, responses: Sequence[str], folder: Path | None
) -> dict[str, Any]:
    """What a worker has to know of a program.

    Args:
        program: what to run.
        name: for messages.
        designs: their space.
        responses: names of the responses.
        folder: where rows that succeed are kept at once; None keeps none.
    """
    placed = program.model_copy(update={"folder": str(program.place.absolute())})
    return {
        "program": placed.model_dump(mode="json"), "name": name,
        "designs": designs.model_dump(mode="json"), "responses": list(responses),
        "folder": None if folder is None else str(folder.absolute()),
    }  # fmt: skip


def job_of(number: int, x: Array, work: dict[str, Any]) -> Job:
    """A batch of designs (N, Dx) as a job."""
    return {"id": str(number), "x": x.tolist(), "work": work}


def simulate(job: Job) -> Record:
    """Simulate a batch of designs, here; executors call it wherever they are. It does not raise."""
    try:
        run = _simulator(json.dumps(job["work"], sort_keys=True))
        outcome = run(np.array(job["x"], dtype=np.float64))
    except (Exception, SystemExit) as error:  # of the user's function, or of its import
        text = str(error) if isinstance(error, InvcoreError) else one_line(error, 200)
        return {"id": job["id"], "status": "error", "raised": text}
    y = None if outcome.y is None else outcome.y.tolist()
    names = ("reason", "detail", "retries", "said")
    facts = {name: getattr(outcome, name) for name in names}
    return {"id": job["id"], "status": "ok", "y": y, **facts}


def outcome_of(record: Record) -> tuple[int, Outcome]:
    """The number of a batch, and what became of it; that of a lost worker is a failure.

    Raises:
        SimulatorError: the simulator cannot be used.
    """
    if "raised" in record:
        raise SimulatorError(str(record["raised"]))
    number = int(record["id"])
    if record["status"] != "ok":
        return number, Outcome(None, str(record["reason"]), said=str(record.get("said", "")))
    y = None if record["y"] is None else np.array(record["y"], dtype=np.float64)
    names = ("reason", "detail", "retries", "said")
    return number, Outcome(y, **{name: record[name] for name in names})


def spread(
    executor: Executor[Any], batches: Sequence[Array], work: dict[str, Any]
) -> Iterator[tuple[int, Outcome]]:
    """What became of batches that an executor has done, in the order in which they end.

    Raises:
        SimulatorError: the simulator cannot be used.
    """
    jobs = (job_of(number, x, work) for number, x in enumerate(batches))
    for record in executor.map(simulate, jobs):
        yield outcome_of(record)


@lru_cache(maxsize=4)
def _simulator(text: str) -> Simulate:
    """What simulates, made once in a process."""
    work = json.loads(text)
    keep = Journal(Path(work["folder"]) if work["folder"] else None).keep
    if "function" in work:
        arrays = bool(work["arrays"])
        kind: Any = "numpy" if arrays else "torch"
        call = load_function(work["function"])
        function = Function(call, work["name"], kind, work["limit"])
        return lambda x: computed(function, arrays, x, work["dim"], keep)
    processes = Processes(
        Program.parse(work["program"]), Space.model_validate(work["designs"]), work["responses"],
        work["name"], keep,
    )  # fmt: skip
    return processes.outcome
