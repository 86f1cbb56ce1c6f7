"""Batches given to a program: files written, processes started and watched, files read."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.plugin import (
    DataError,
    InvcoreError,
    SimulatorError,
    Space,
    Table,
    Variable,
    end_marked,
    marked_environment,
    one_line,
    parse_document,
    read_table,
    read_text,
    write_table,
)
from invcore_solve.simulators.last_words import LastWords
from invcore_solve.simulators.outcomes import Outcome, whole_rows
from invcore_solve.simulators.program import Program

Array = npt.NDArray[np.float64]

_LARGEST_JSON, _MOST_VALUES = 32 << 20, 4_000_000  # bytes, and values, of one output


class Processes:
    """Runs a program on batches, several at a time; none of its processes outlives the call.

    Args:
        program: what to run.
        designs: space of x, for the columns' names.
        responses: names of the responses.
        name: of the simulator, for messages.
        keep: is given the designs and responses of each batch that succeeds, at once, by one of
            several threads: what has ended well is then safe, whatever happens to the rest.
    """

    def __init__(
        self,
        program: Program,
        designs: Space,
        responses: Sequence[str],
        name: str,
        keep: Callable[[Array, Array], None],
    ) -> None:
        self._program, self._designs, self._name, self._keep = program, designs, name, keep
        self._responses = tuple(responses)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def outcomes(self, batches: Sequence[Array]) -> Iterator[tuple[int, Outcome]]:
        """Each batch's number with what became of it, in the order in which they end.

        Raises:
            SimulatorError: the program cannot be started.
        """
        self._stopped = False
        pool = ThreadPoolExecutor(min(self._program.jobs, len(batches)), "simulator")
        try:
            left, running = enumerate(batches), dict[Future[Outcome], int]()
            while True:  # a batch begins when the caller, who may give up, has seen those before
                for number, x in islice(left, self._program.jobs - len(running)):
                    running[pool.submit(self.outcome, x)] = number
                if not running:
                    break
                future = next(as_completed(running))
                yield running.pop(future), future.result()
        finally:  # also when the caller stops here, by Ctrl-C or an error
            self.stop()
            pool.shutdown(wait=True, cancel_futures=True)

    def outcome(self, x: Array) -> Outcome:
        """What becomes of one batch (N, Dx), with its retries; for threads, several at a time.

        Raises:
            SimulatorError: the program cannot be started.
        """
        outcome = Outcome(None, "stopped")
        for tries in range(1 + self._program.retries):
            if self._stopped:
                break
            attempt = self._once(x)
            outcome = replace(attempt, retries=tries)
            if outcome.y is not None:
                self._keep(x, outcome.y)
                break
        return outcome

    def _once(self, x: Array) -> Outcome:
        """Run the program on a batch, in a folder of its own."""
        folder = Path(tempfile.mkdtemp(prefix="invcore-"))
        try:
            source, result = (folder / f"{n}.{self._program.format}" for n in ("input", "output"))
            work = folder / "work"
            work.mkdir()
            self._write(source, x)
            reason, said = self._execute(self._program.argv(source, result, work))
            return Outcome(None, reason, said=said) if reason else self._read(result, len(x), said)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _execute(self, argv: list[str]) -> tuple[str, str]:
        """Start the program and wait for its end: why it failed, or nothing, and its last line."""
        mark, environment = marked_environment()
        with self._lock:
            if self._stopped:
                return "stopped", ""
            try:
                process = subprocess.Popen(
                    argv, cwd=self._program.place, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0,
                    start_new_session=True,
                )  # fmt: skip
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise SimulatorError(
                    f"simulator {self._name}: {argv[0]!r} cannot be started in "
                    f"{self._program.place} ({why})"
                ) from None
            self._running.add(process)
        assert process.stderr is not None and process.stdout is not None
        words = LastWords([process.stderr, process.stdout])
        reason = ""
        try:
            code = process.wait(self._program.time_limit)
        except subprocess.TimeoutExpired:
            reason = "time limit"
        finally:
            with self._lock:
                self._running.discard(process)
            _kill(process)
            end_marked(mark)  # its children in sessions of their own
        if not reason and code:
            reason = f"exit code {code}"
            with contextlib.suppress(ValueError):
                reason = f"killed by {signal.Signals(-code).name}" if code < 0 else reason
        return reason, words.line()

    def stop(self) -> None:
        """End all that runs, and begin nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def _write(self, path: Path, x: Array) -> None:
        names, variables = self._designs.names, self._designs.variables
        if self._program.format == "npz":
            named = [v for v in variables if v.categories]
            arrays: dict[str, Any] = {"x": x, "names": np.array(names, dtype=np.str_)}
            arrays |= {f"categories {v.name}": np.array(v.categories, dtype=np.str_) for v in named}
            np.savez(path, **arrays)
            return
        columns = {v.name: _as_written(v, x[:, i]) for i, v in enumerate(variables)}
        if self._program.format == "csv":
            write_table(path, names, columns)
            return
        rows = zip(*columns.values(), strict=True)
        text = json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False)
        path.write_text(text, encoding="utf-8")

    def _read(self, path: Path, rows: int, said: str) -> Outcome:
        """The responses in a file, or why they cannot be used."""
        if not path.is_file():
            return Outcome(None, "no output", said=said)
        if self._program.format == "json":
            y, problem = _json_rows(path, self._responses)
            if y is None:
                return Outcome(None, "unusable output", problem)
            return self._shaped(y, rows)
        key = "y" if self._program.format == "npz" else None
        try:
            table = read_table(path, prefix="y", key=key)
            if key is None and len(table.values) == rows + 1:  # are its names numbers?
                named = read_table(path, header=True)
                table = named if set(self._responses) <= set(named.names) else table
            y = self._chosen(table)
        except DataError as error:
            message = str(error).replace(f"{path.parent}{os.sep}", "")
            return Outcome(None, "unusable output", message)
        return self._shaped(y, rows)

    def _shaped(self, y: Array, rows: int) -> Outcome:
        """Responses as an outcome, if they have the right shape."""
        if y.shape != (rows, len(self._responses)):
            shape = (rows, len(self._responses))
            return Outcome(None, "wrong shape", f"output has shape {y.shape}, expected {shape}")
        return Outcome(whole_rows(y))

    def _chosen(self, table: Table) -> Array:
        """The responses' columns: by their names if the file has names, else as they stand."""
        named = self._program.format == "csv" and table.first_row > 1
        return (table.select(self._responses) if named else table).values


def _as_written(variable: Variable, column: Array) -> list[Any]:
    """A column of designs: categories by their names, whole numbers as such."""
    if variable.categories:
        return [variable.categories[int(code)] for code in column]
    return column.astype(np.int64).tolist() if variable.whole else column.tolist()


def _json_rows(path: Path, names: Sequence[str]) -> tuple[Array | None, str]:
    """The responses in a JSON file (N, Dy), NaN where one is null; or why there are none."""
    try:
        text = read_text(path, largest=_LARGEST_JSON)
        rows = parse_document(
            text, "json", "output", largest=_LARGEST_JSON, most_values=_MOST_VALUES
        )
        values = [[row[name] for name in names] if isinstance(row, dict) else row for row in rows]
        y = np.array([[np.nan if v is None else float(v) for v in row] for row in values])
        return y.reshape(len(values), -1), ""
    except KeyError as error:
        return None, f"an object has no response {error}"
    except (InvcoreError, ValueError, TypeError, OverflowError) as error:
        return None, f"expected a list of objects with numbers: {one_line(error, 100)}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, with those that it has started, also if it has ended and left them."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # its group: it has a session of its own
        else:
            process.kill()
    process.wait()
