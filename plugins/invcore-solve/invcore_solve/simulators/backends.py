"""What computes responses: a function in this process, or a program in processes of its own."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from invcore_executors.processes import Processes as Executors
from invcore_executors.processes import ProcessesConfig as ExecutorsConfig
from torch import Tensor

from invcore.plugin import ConfigError, Space
from invcore_solve.simulators.function import Function, Kind, Trial, computed
from invcore_solve.simulators.function_by_name import code_checksum, load_function, source_checksum
from invcore_solve.simulators.jobs import function_work, program_work
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.kept_trial import kept_trial
from invcore_solve.simulators.outcomes import Outcome
from invcore_solve.simulators.pools import ExecutorPool, Pool, ProgramPool
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.program_processes import Processes

Array = npt.NDArray[np.float64]
Keep = Callable[[Array, Array], None]


class Backend(Protocol):
    """What a `SimulatorTask` asks for responses."""

    name: str
    batch: int | None
    """Rows that are given at once; None for all."""
    identity: dict[str, Any]
    """All that decides its responses beside the spaces, as plain data."""
    keeps_output: bool
    """Whether the last line that it printed may stand in records."""
    traceable: bool
    """Whether the identity tells it from others, so that what it gave may be kept."""

    def trial(self, designs: Space, dim: int | None, folder: Path | None = None) -> Trial:
        """What it is, by a try where that is not known; one that was costly is kept in a folder."""
        ...

    def outcomes(
        self, batches: Sequence[Array], designs: Space, responses: Space, keep: Keep
    ) -> Iterator[tuple[int, Outcome]]:
        """What became of batches, by their numbers; ``keep`` is given what is worth it at once."""
        ...

    def responses_with_gradient(self, x: Tensor, dim: int) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx), through which a gradient flows."""
        ...

    def work(self, designs: Space, responses: Space, folder: Path | None) -> dict[str, Any]:
        """What a worker has to know; what is worth it is kept in a folder at once.

        Raises:
            ConfigError: no other process could find it.
        """
        ...

    def pool(self, count: int, designs: Space, responses: Space, folder: Path | None) -> Pool:
        """So many workers of this machine for single rows.

        Raises:
            ConfigError: no other process could find it.
        """
        ...


class FunctionBackend:
    """A Python function, batched over rows.

    Args:
        simulate: the function, or its name, ``"package.module:function"``.
        kind: whether it takes tensors or arrays; ``auto`` tries.
        batch: rows that it is given at once; None for all.
        time_limit: seconds for one call; None for no limit.
        version: any text; part of its identity.
        name: for messages; else its own.
    """

    def __init__(
        self,
        simulate: Callable[[Any], Any] | str,
        *,
        kind: Kind = "auto",
        batch: int | None = None,
        time_limit: float | None = None,
        version: str = "",
        name: str = "",
    ) -> None:
        named = isinstance(simulate, str)
        call = load_function(simulate) if isinstance(simulate, str) else simulate
        own = simulate if isinstance(simulate, str) else _name_of(call)
        self.name, self.batch = name or own, batch
        code = code_checksum(own) if named else source_checksum(call)
        self.identity = {"function": own, "kind": kind, "version": version, "code": code}
        self.traceable = named or bool(version)
        self.keeps_output = False
        self._named, self._own = named, own
        self._call, self._kind, self._limit = call, kind, time_limit
        self._trial: Trial | None = None

    def trial(self, designs: Space, dim: int | None, folder: Path | None = None) -> Trial:
        """By a call with three designs, made once; none is made if all is known."""
        if self._kind == "numpy" and dim is not None:
            return Trial("numpy", dim, False, "it takes NumPy arrays")
        if self._trial is None:
            shares = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
            x = designs.from_unit(shares[:, None].expand(3, designs.dim))
            self._trial = kept_trial(folder, dim, lambda: self._function.trial(x, dim))
        return self._trial

    def outcomes(
        self, batches: Sequence[Array], designs: Space, responses: Space, keep: Keep
    ) -> Iterator[tuple[int, Outcome]]:
        """Batch after batch; what took a tenth of a second is kept."""
        dim, function = responses.dim, self._function
        arrays = self.trial(designs, dim).kind == "numpy"
        for number, x in enumerate(batches):
            yield number, computed(function, arrays, x, dim, keep)

    def responses_with_gradient(self, x: Tensor, dim: int) -> Tensor:
        """Of a function of tensors."""
        return self._function.tensors(x, dim)

    def work(self, designs: Space, responses: Space, folder: Path | None) -> dict[str, Any]:
        """The function's name, by which others import it."""
        if not self._named:
            raise ConfigError(
                f"simulator {self.name}: other processes cannot find this function",
                remedy='its name, "package.module:function", lets them, or workers=1',
            )
        arrays = self.trial(designs, responses.dim, folder).kind == "numpy"
        return function_work(
            self._own, self.name, arrays=arrays, limit=self._limit, dim=responses.dim, folder=folder
        )

    def pool(self, count: int, designs: Space, responses: Space, folder: Path | None) -> Pool:
        """Processes of their own, which import the function by its name."""
        executor = Executors(ExecutorsConfig(workers=count, gpus="all"))
        return ExecutorPool(executor, self.work(designs, responses, folder))

    @property
    def _function(self) -> Function:
        return Function(self._call, self.name, self._kind, self._limit)


class ProgramBackend:
    """A program that is run once for each batch.

    Args:
        program: what to run.
        name: for messages; else its own.
    """

    def __init__(self, program: Program, name: str = "") -> None:
        self._program = program
        self.name, self.traceable = name or program.name, True
        self.batch: int | None = program.batch
        self.keeps_output = program.keep_output
        self.identity = {
            "command": list(program.command), "format": program.format,
            "folder": str(program.place.resolve()), "version": program.version,
            "files": program.checksum(),
        }  # fmt: skip

    def trial(self, designs: Space, dim: int | None, folder: Path | None = None) -> Trial:
        """Nothing is tried: what a program's responses are has to be said."""
        return Trial("program", dim or 0, False, "it is a program")

    def outcomes(
        self, batches: Sequence[Array], designs: Space, responses: Space, keep: Keep
    ) -> Iterator[tuple[int, Outcome]]:
        """Several batches at a time, in the order in which they end; all that succeed are kept."""
        processes = Processes(self._program, designs, responses.names, self.name, keep)
        yield from processes.outcomes(batches)

    def work(self, designs: Space, responses: Space, folder: Path | None) -> dict[str, Any]:
        """The program, with the spaces for its files."""
        return program_work(self._program, self.name, designs, responses.names, folder)

    def pool(self, count: int, designs: Space, responses: Space, folder: Path | None) -> Pool:
        """So many of the program's own processes at the same time."""
        keep = Journal(folder).keep
        return ProgramPool(
            count, Processes(self._program, designs, responses.names, self.name, keep)
        )

    def responses_with_gradient(self, x: Tensor, dim: int) -> Tensor:
        """There is none."""
        raise TypeError(f"simulator {self.name} is a program: its responses carry no gradient")


def _name_of(function: Callable[..., Any]) -> str:
    """What to call a function."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return str(name).rpartition("<locals>.")[2]
