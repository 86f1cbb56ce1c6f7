"""Workers that simulate single rows side by side: processes for functions, threads for programs."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import InvcoreError, SimulatorError, one_line
from invcore_solve.simulators.function import Function, Kind, computed
from invcore_solve.simulators.function_by_name import load_function
from invcore_solve.simulators.journal import Journal
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


@dataclass(frozen=True)
class FunctionWork:
    """What a worker has to know of a function.

    Args:
        function: its name, ``package.module:function``.
        name: for messages.
        arrays: whether it takes arrays, else tensors.
        limit: seconds for one call; None for no limit.
        dim: Dy.
        folder: where costly rows are kept at once; None keeps none.
    """

    function: str
    name: str
    arrays: bool
    limit: float | None
    dim: int
    folder: Path | None


class ProcessPool:
    """Processes that import a function and call it, each with a pipe of its own.

    A process whose parent is gone ends when its row has ended, which is kept if it was costly. One
    that dies takes its row with it, which then has no response, and is replaced.

    Args:
        count: processes.
        work: what they do.
    """

    def __init__(self, count: int, work: FunctionWork) -> None:
        self._work, self._spawned = work, multiprocessing.get_context("spawn")
        self._free: list[tuple[Connection[Any, Any], Any]] = []
        self._busy: dict[Connection[Any, Any], tuple[int, Any]] = {}
        for _ in range(count):
            self._add()

    def _add(self) -> None:
        ours, theirs = self._spawned.Pipe()
        process = self._spawned.Process(target=_serve, args=(theirs, self._work))
        process.start()
        theirs.close()  # the worker has it now, and sees when ours is gone
        self._free.append((ours, process))

    def start(self, number: int, x: Array) -> None:
        """Send a row to a free process."""
        pipe, process = self._free.pop(0)
        self._busy[pipe] = number, process
        with contextlib.suppress(OSError):  # it has died: ``next`` will find out
            pipe.send(x)

    def next(self) -> tuple[int, Outcome]:
        """The first row that has ended; of several the one that was started first."""
        ended = wait_for([*self._busy])
        pipe = next(each for each in self._busy if each in ended)
        number, process = self._busy.pop(pipe)
        try:
            outcome = pipe.recv()
        except (EOFError, OSError):
            pipe.close()
            process.join()
            self._add()
            return number, Outcome(None, f"worker ended with {process.exitcode}")
        self._free.append((pipe, process))
        if isinstance(outcome, InvcoreError):
            raise outcome
        return number, outcome

    def close(self) -> None:
        """Kill the processes."""
        everyone = [*self._free, *((pipe, process) for pipe, (_, process) in self._busy.items())]
        for pipe, process in everyone:
            process.kill()
            pipe.close()
        for _, process in everyone:
            process.join()


def _serve(pipe: Connection[Any, Any], work: FunctionWork) -> None:
    """Simulate the rows that come, until nobody is there any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    sys.stdout = sys.stderr  # what a function prints is no result
    torch.set_num_threads(1)
    function, keep = None, Journal(work.folder).keep
    while True:
        try:
            x = pipe.recv()
        except (EOFError, OSError):
            return
        answer: Outcome | InvcoreError
        try:
            if function is None:
                call = load_function(work.function)
                kind: Kind = "numpy" if work.arrays else "torch"
                function = Function(call, work.name, kind, work.limit)
            answer = computed(function, work.arrays, x, work.dim, keep)
        except InvcoreError as error:
            answer = error
        except Exception as error:  # a worker answers, whatever happens
            answer = SimulatorError(f"simulator {work.name}: {one_line(error, 200)}")
        try:
            pipe.send(answer)
        except OSError:
            return
