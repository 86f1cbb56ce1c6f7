"""A person's own simulator as a task: a function or a program, with the spaces around it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from invcore.pipeline import identity
from invcore.plugin import (
    Config,
    ConfigError,
    Context,
    DerivedResponse,
    Progress,
    Space,
    StoreError,
    Task,
    Variable,
    derived_responses,
    quoted,
    with_derived,
)
from invcore_solve.schema.constraints import constrained, constraints_of, joined
from invcore_solve.simulators.backends import Backend, FunctionBackend, ProgramBackend
from invcore_solve.simulators.batches import Batches
from invcore_solve.simulators.bounds import box, named
from invcore_solve.simulators.function import Kind, Trial
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.outcomes import Counts, Outcome
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.row_by_row import RowByRow

Designs = Space | Mapping[str, tuple[float, float] | Sequence[str]]


class SimulatorTask(RowByRow, Task[Config]):
    """A simulator of one's own: a Python function batched over rows, or a program.

    What has no response is a row of NaN, and is counted with its reason in ``counts``. A function
    that raises, hangs or gives something else than responses ends the work; so does a simulator
    that gave no response at all in its first batches.

    Args:
        simulate: a function of designs (N, Dx) that gives responses (N, Dy), by itself or by its
            name, ``"package.module:function"``; or a `Program`.
        designs: their space; or by name (low, high), uniform in between, or the names of
            categories, which a function is given as 0, 1, 2, … and a program by their names.
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
        derived: further responses that follow from designs and responses, each as
            ``"cost = 2*mass + 1"``.

    Raises:
        ConfigError: no such function, or spaces that cannot be.

    Example:
        >>> task = SimulatorTask(lambda x: x[:, :1] ** 2, {"x1": (-1.0, 1.0)})
        >>> task.simulate(torch.tensor([[0.5]])), task.differentiable
        (tensor([[0.2500]]), True)
    """

    designs: Space

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
        derived: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.designs = designs if isinstance(designs, Space) else box(designs, whole)
        self._named = named(responses)
        if isinstance(simulate, Program):
            self._backend: Backend = ProgramBackend(simulate, name)
            if self._named is None:
                raise ConfigError(
                    f"simulator {self._backend.name}: say what a program's responses are"
                )
        else:
            self._backend = FunctionBackend(
                simulate, kind=kind, batch=batch, time_limit=time_limit, version=version, name=name
            )
        self.name = self._backend.name
        self._batches = Batches(self._backend, self.name)
        self.derived = tuple(derived)
        if self._named is not None:
            assert self.responses.dim  # what is derived is checked before anything is simulated
        if journal is not None:
            self.keep_in(journal)

    def deriving(self, texts: Sequence[str]) -> "SimulatorTask":
        """The same simulator, with further responses that follow from designs and responses.

        Raises:
            ConfigError: a text is none, or its name is taken.
            UnknownNameError: an expression has a name that nothing has.
        """
        if not texts:
            return self
        task = copy(self)
        task.derived = (*self.derived, *texts)
        for name in ("responses", "_own", "_derived"):
            vars(task).pop(name, None)
        assert self._named is None or task.responses.dim
        return task

    def constrained_by(self, texts: Sequence[str], where: str = "") -> "SimulatorTask":
        """The same simulator, whose designs have to satisfy further constraints.

        Args:
            texts: each as ``"a + b <= 1"``.
            where: that they come from, for messages; else the simulator's name.

        Raises:
            ConfigError: a text makes no constraint, or no design satisfies all.
        """
        if not texts:
            return self
        known = self.designs
        where = where or self.name
        more = constraints_of(texts, known.variables, (), where)
        task = copy(self)
        every = joined(known.constraints, more, where)
        task.designs = constrained(known.variables, every, where, known.grid)
        return task

    @cached_property
    def responses(self) -> Space:
        """The simulator's own, and those that follow from them."""
        more = (Variable(name=each.name, description=each.text) for each in self._derived)
        return Space.of(*self._own.variables, *more) if self.derived else self._own

    @cached_property
    def _own(self) -> Space:
        """What was given; else found by a try."""
        if self._named is not None:
            return self._named
        return Space.of(*(Variable(name=f"y{i + 1}") for i in range(self._trial.dim)))

    @cached_property
    def _derived(self) -> tuple[DerivedResponse, ...]:
        return derived_responses(self.derived, self.designs.names, self._own.names)

    @property
    def formulas(self) -> tuple[DerivedResponse, ...]:
        """The responses that are computed."""
        return self._derived if self.derived else ()

    def check_derived(self, y: Tensor) -> None:
        """Check responses (N, Dy): each derived one has some value where the simulator's own have.

        Raises:
            ConfigError: one has none.
        """
        known = y.isfinite()
        answered = known[:, : self._own.dim].all(dim=1)
        for i, each in enumerate(self._derived):
            if answered.any() and not known[:, self._own.dim + i].any():
                raise ConfigError(
                    f"response {quoted(each.text)} has no finite value for any of {len(y)} designs"
                )

    @property
    def differentiable(self) -> bool:
        """Whether it is a function of tensors whose output carries a gradient, by a try."""
        return self._trial.gradient

    @property
    def why_no_gradient(self) -> str:
        """Why it is not differentiable, in words."""
        return self._trial.why

    @property
    def kind(self) -> str:
        """``torch``, ``numpy`` or ``program``."""
        return self._trial.kind

    @property
    def counts(self) -> Counts:
        """What it was asked for, and what came of it."""
        return self._batches.counts

    @property
    def fingerprint(self) -> str:
        """Of the program's files or the function's code, as far as they are known."""
        return identity(self.document())

    def document(self) -> dict[str, Any]:
        """All that decides its responses, as plain data; nothing is tried for it."""
        return {
            **self._backend.identity,
            "designs": self.designs.model_dump(mode="json"),
            "responses": None if self._named is None else list(self._named.names),
        } | ({"derived": list(self.derived)} if self.derived else {})

    @property
    def journal(self) -> Path | None:
        """The folder of its finished batches; None if they are not kept."""
        return self._batches.journal.folder

    def keep_in(self, root: Path | None) -> None:
        """Keep finished batches in a folder of ``root``, and look for them there from now on.

        None keeps them no more.
        """
        if root is None:
            self._batches.journal = Journal(None)
        elif self._backend.traceable:
            document = self.document() | {"designs": list(self.designs.names)}
            document.pop("derived", None)  # the same responses are simulated
            folder = root / identity(document)
            if folder.is_symlink():
                raise StoreError(f"{folder}: is a link, which is not followed")
            self._batches.journal = Journal(folder, self._batches.say)

    def tell_damage(self, say: Callable[[str], None]) -> None:
        """Tell of finished batches whose files are damaged, and that are simulated again."""
        self._batches.say = self._batches.journal.say = say

    def restart(self) -> None:
        """Count from zero."""
        self._batches.restart()

    @contextmanager
    def on_bar(self, progress: Progress, label: str, rows: int) -> Iterator[None]:
        """Show on a bar how many rows have been simulated in the block."""
        with self._batches.on_bar(progress, label, rows):
            yield

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
            parts = rows.split(self._backend.batch or len(rows))
            y = torch.cat([self._with_gradient(part) for part in parts])
            self._batches.check_hope()
        else:
            array = self._batches.responses(rows.detach().numpy(), self.designs, self._own)
            y = torch.from_numpy(array)
        return self._whole(rows, y).to(x)

    def _whole(self, rows: Tensor, y: Tensor) -> Tensor:
        """The simulator's own responses (N, ·) with those that follow from them (N, Dy)."""
        if not self.derived:
            return y
        return with_derived(self._derived, self.designs, rows, self._own.names, y)

    def check_hope(self) -> None:
        """Check that some row has had a response.

        Raises:
            SimulatorError: none has.
        """
        self._batches.check_hope()

    def _with_gradient(self, x: Tensor) -> Tensor:
        """A batch's responses with their gradient."""
        y = self._backend.responses_with_gradient(x, self._own.dim)
        good = y.detach().isfinite().all(dim=1, keepdim=True)
        y = y if bool(good.all()) else torch.where(good, y, torch.nan)
        self._batches.count(y.detach().numpy(), Outcome(None))
        return y

    @property
    def _trial(self) -> Trial:
        dim = None if self._named is None else self._named.dim
        return self._backend.trial(self.designs, dim, self.journal)
