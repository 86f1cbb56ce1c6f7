"""A user's own simulator as a task: a function or a program, with the spaces around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from invcore.base.errors import ConfigError, SimulatorError
from invcore.base.progress import Progress, Stage
from invcore.base.types import Context
from invcore.configs.config import Config
from invcore.contracts.task import Task
from invcore.spaces.space import Space, Variable
from invcore.storage.json_text import identity
from invcore_solve.simulators.bounds import box, named
from invcore_solve.simulators.code import code_checksum, load_function, source_checksum
from invcore_solve.simulators.functions import Found, Function, Kind
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.outcomes import Counts, Outcome, whole_rows
from invcore_solve.simulators.processes import Processes
from invcore_solve.simulators.program import Program

_COSTLY = 0.1  # seconds; what a function gives sooner is as soon computed again as read
_HOPELESS = 3  # batches without any response at the beginning, after which nothing more is tried

Designs = Space | Mapping[str, tuple[float, float]]


class OwnSimulator(Task[Config]):
    """A simulator of one's own: a Python function batched over rows, or a program.

    What has no response is a row of NaN, and is counted with its reason in ``counts``. A function
    that raises, hangs or gives something else than responses ends the work; so does a simulator
    that gave no response at all in its first batches.

    Args:
        simulate: a function of designs (N, Dx) that gives responses (N, Dy), by itself or by its
            name, ``"package.module:function"``; or a `Program`.
        designs: their space; or by name (low, high), uniform in between.
        responses: their space, or their names. None: as many as the function gives, y1, y2, …
        whole: of the designs that are given by bounds, those that take whole numbers only.
        kind: whether a function takes tensors (``torch``) or arrays (``numpy``); ``auto`` tries.
        batch: rows that a function is given at once; None for all.
        time_limit: seconds for one call of a function; None for no limit.
        version: any text; part of what the journal goes by.
        journal: folder in which finished batches are kept and found again: those of a program, and
            those for which a function took a tenth of a second or more. Of a function that is not
            given by its name they are kept only if ``version`` says which one it is.
        name: for messages and records.

    Raises:
        ConfigError: no such function, or spaces that cannot be.

    Example:
        >>> own = OwnSimulator(lambda x: x[:, :1] ** 2, {"x1": (-1.0, 1.0)})
        >>> own.simulate(torch.tensor([[0.5]])), own.differentiable
        (tensor([[0.2500]]), True)
    """

    def __init__(
        self,
        simulate: Callable[[Any], Any] | str | Program,
        designs: Designs,
        responses: Space | Sequence[str] | None = None,
        *,
        whole: Sequence[str] = (),
        kind: Kind = "auto",
        batch: int | None = None,
        time_limit: float | None = 3600.0,
        version: str = "",
        journal: Path | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        self.designs = designs if isinstance(designs, Space) else box(designs, whole)
        self._said = named(responses)
        self.counts = Counts()
        self._stage: Stage | None = None
        self._good = self._bad = 0  # batches
        if isinstance(simulate, Program):
            self.name = name or simulate.name
            self._program: Program | None = simulate
            self._size: int | None = simulate.batch
            if self._said is None:
                raise ConfigError(f"simulator {self.name}: say what a program's responses are")
            self._identity = {
                "command": list(simulate.command), "format": simulate.format,
                "folder": str(simulate.place.resolve()), "version": simulate.version,
                "files": simulate.checksum(),
            }  # fmt: skip
            self._traceable = True
        else:
            self._program, self._size = None, batch
            call = load_function(simulate) if isinstance(simulate, str) else simulate
            own = simulate if isinstance(simulate, str) else _name_of(call)
            self.name = name or own
            self._function = Function(call, self.name, kind, time_limit)
            code = code_checksum(own) if isinstance(simulate, str) else source_checksum(call)
            self._identity = {"function": own, "kind": kind, "version": version, "code": code}
            self._traceable = isinstance(simulate, str) or bool(version)
        self._journal = Journal(None)
        if journal is not None:
            self.keep_in(journal)

    @cached_property
    def responses(self) -> Space:  # type: ignore[override]
        """What was said; else found by a try."""
        if self._said is not None:
            return self._said
        return Space.of(*(Variable(name=f"y{i + 1}") for i in range(self._found.dim)))

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Whether it is a function of tensors whose output carries a gradient, by a try."""
        return self._program is None and self._found.gradient

    @property
    def why_no_gradient(self) -> str:
        """Why it is not differentiable, in words."""
        return "it is a program" if self._program is not None else self._found.why

    @property
    def kind(self) -> str:
        """``torch``, ``numpy`` or ``program``."""
        return "program" if self._program is not None else self._found.kind

    @property
    def fingerprint(self) -> str:
        """Of the program's files or the function's code, as far as they are known."""
        return identity(self.document())

    def document(self) -> dict[str, Any]:
        """All that decides its responses, as plain data; nothing is tried for it."""
        return {
            **self._identity,
            "designs": self.designs.model_dump(mode="json"),
            "responses": None if self._said is None else list(self._said.names),
        }

    @property
    def journal(self) -> Path | None:
        """The folder of its finished batches; None if they are not kept."""
        return self._journal.folder

    def keep_in(self, root: Path | None) -> None:
        """Keep finished batches in a folder of ``root``, and look for them there from now on.

        None keeps them no more.
        """
        if root is None:
            self._journal = Journal(None)
        elif self._traceable:
            known = {key: value for key, value in self.document().items() if key != "designs"}
            known["designs"] = list(self.designs.names)
            self._journal = Journal(root / identity(known))

    def restart(self) -> None:
        """Count from zero."""
        self.counts = Counts()
        self._good = self._bad = 0

    @contextmanager
    def shown(self, progress: Progress, label: str, rows: int) -> Iterator[None]:
        """Show on a bar how many rows have been simulated in the block."""
        with progress.stage(label, rows) as self._stage:
            try:
                yield
            finally:
                self._stage = None

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx), in x's type and on its device; computed on the CPU
        in float64.

        Raises:
            SimulatorError: see the class.
        """
        if len(x) == 0:
            return x.new_empty(0, self.responses.dim)
        rows = x.to("cpu", torch.float64)  # a gradient flows through
        self.counts.calls += len(x)
        if x.requires_grad and torch.is_grad_enabled() and self.differentiable:
            self.counts.gradients += len(x)
            parts = [self._slope(part) for part in rows.split(self._size or len(rows))]
            y = torch.cat(parts)
        else:
            y = torch.from_numpy(self._batches(rows.detach().numpy()))
        if not self._good:
            raise self._hopeless()
        return y.to(x)

    @cached_property
    def _found(self) -> Found:
        """What a try on three designs says of a function; nothing is tried if all is known."""
        if self._function.kind == "numpy" and self._said is not None:
            return Found("numpy", self._said.dim, False, "it takes NumPy arrays")
        shares = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
        x = self.designs.from_unit(shares[:, None].expand(3, self.designs.dim))
        return self._function.find_out(x, None if self._said is None else self._said.dim)

    def _slope(self, x: Tensor) -> Tensor:
        """A batch's responses with their gradient."""
        y = self._function.tensors(x, self.responses.dim)
        good = y.detach().isfinite().all(dim=1, keepdim=True)
        y = y if bool(good.all()) else torch.where(good, y, torch.nan)
        self._count(y.detach().numpy(), Outcome(None))
        return y

    def _batches(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Responses without gradients; finished batches are read back, others are kept."""
        dim = self.responses.dim
        size = self._size or len(x)
        y = np.full((len(x), dim), np.nan)
        starts, waiting = range(0, len(x), size), []
        for start in starts:
            known = self._journal.find(x[start : start + size], dim)
            if known is None:
                waiting.append(start)
                continue
            y[start : start + size] = known
            self.counts.recalled += len(known)
            self._count(known, Outcome(known))
        for number, outcome in self._outcomes([x[start : start + size] for start in waiting]):
            rows = slice(waiting[number], waiting[number] + size)
            if outcome.y is not None:
                y[rows] = outcome.y
            self._count(y[rows], outcome)
            if not self._good and self._bad >= _HOPELESS:
                raise self._hopeless()
        return y

    def _outcomes(self, batches: list[np.ndarray[Any, Any]]) -> Iterator[tuple[int, Outcome]]:
        """What became of batches, each kept as soon as it is there."""
        if not batches:
            return
        keep = self._journal.keep
        if self._program is not None:
            names = self.responses.names
            processes = Processes(self._program, self.designs, names, self.name, keep)
            yield from processes.outcomes(batches)
            return
        dim, found = self.responses.dim, self._function
        work = found.arrays if self.kind == "numpy" else found.tensors
        for number, x in enumerate(batches):
            start = time.perf_counter()
            with torch.no_grad():
                y = whole_rows(work(torch.from_numpy(x), dim).numpy())
            if time.perf_counter() - start >= _COSTLY:
                keep(x, y)
            yield number, Outcome(y)

    def _count(self, y: np.ndarray[Any, Any], outcome: Outcome) -> None:
        self.counts.add(y, outcome)
        if np.isnan(y[:, 0]).all():
            self._bad += 1
        else:
            self._good += 1
        if self._stage is not None:
            self._stage.advance(
                len(y), **({"failed": self.counts.failed} if self.counts.failed else {})
            )

    def _hopeless(self) -> SimulatorError:
        """No response so far: why, and what the simulator said last."""
        counts = self.counts
        said = next(
            (counts.said[r] for r, _ in counts.failures.most_common() if r in counts.said), ""
        )
        return SimulatorError(
            f"simulator {self.name}: none of its first {counts.failed} rows has a response "
            f"({counts.reasons()})"
            + ("; raise time_limit, or lower batch" if "time limit" in counts.failures else "")
            + (f"; it said last: {said}" if said else "")
        )


def _name_of(function: Callable[..., Any]) -> str:
    """What to call a function."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return str(name).rpartition("<locals>.")[2]
