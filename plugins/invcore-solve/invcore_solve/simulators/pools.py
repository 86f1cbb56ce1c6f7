"""Workers that simulate single rows side by side: an executor's, or threads for a program here."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from invcore.plugin import JobPool, PooledExecutor
from invcore_solve.simulators.jobs import job_of, outcome_of, simulate
from invcore_solve.simulators.outcomes import Outcome
from invcore_solve.simulators.program_processes import Processes

Array = npt.NDArray[np.float64]


class Pool(Protocol):
    """Workers, each with one row at a time."""

    def start(self, number: int, x: Array) -> None:
        """Have a free worker simulate a row (1, Dx)."""
        ...

    def next(self) -> tuple[int, Outcome]:
        """The number of a row that has ended, and what became of it; waits for one.

        Raises:
            SimulatorError: the simulator cannot be used.
        """
        ...

    def close(self) -> None:
        """End all workers, whatever they do."""
        ...


class ProgramPool:
    """A program, run for several rows at the same time.

    Args:
        count: rows at the same time.
        processes: starts it and reads what it gives.
    """

    def __init__(self, count: int, processes: Processes) -> None:
        self._processes = processes
        self._threads = ThreadPoolExecutor(count, "simulator")
        self._running: dict[Future[Outcome], int] = {}

    def start(self, number: int, x: Array) -> None:
        """Start the program on a row."""
        self._running[self._threads.submit(self._processes.outcome, x)] = number

    def next(self) -> tuple[int, Outcome]:
        """The first row that has ended; of several the one that was started first."""
        ended = wait(self._running, return_when=FIRST_COMPLETED).done
        future = next(each for each in self._running if each in ended)
        return self._running.pop(future), future.result()

    def close(self) -> None:
        """End the program's processes."""
        self._processes.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)


class ExecutorPool:
    """An executor's workers; one that dies takes its row with it, which then has no response.

    Args:
        executor: who does it.
        work: what a worker has to know of the simulator.
    """

    def __init__(self, executor: PooledExecutor[Any], work: dict[str, Any]) -> None:
        self._jobs: JobPool = executor.pool(simulate)
        self._work = work

    def start(self, number: int, x: Array) -> None:
        """Give a row to a worker."""
        self._jobs.start(job_of(number, x, self._work))

    def next(self) -> tuple[int, Outcome]:
        """The first row that has ended."""
        return outcome_of(self._jobs.next())

    def close(self) -> None:
        """End the workers."""
        self._jobs.close()
