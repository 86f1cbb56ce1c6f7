"""Checks of methods: answers that mean something, and no looking where one must not."""

import tempfile
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from invcore.base.component_kinds import Kind
from invcore.base.errors import BudgetError
from invcore.base.types import Context
from invcore.configs.run_config import RunConfig
from invcore.contracts.events import Event
from invcore.contracts.sampler import Sampler
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs, Splits
from invcore.registry.component import Component
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry, Registry
from invcore.runs.runner import run
from invcore.scoring.errors import squared_error
from invcore.storage.store import Store
from invcore.testing.cases.comparison import same_mappings
from invcore.testing.cases.component_under_test import MethodSubject
from invcore.testing.cases.problems import Bowl, case
from invcore.testing.check import CheckFailed, require


def check_beats_ignoring_the_target(subject: MethodSubject) -> None:
    """Candidates fit their own target better than another's, and better than random designs."""
    for question in subject.ask_both(24, 8):
        train = question.case.train
        scale = train.y.std(dim=0)
        targets = question.targets.y / scale
        y = question.responses(question.designs()) / scale
        drawn = train.y[: 24 * 8].unflatten(0, (24, 8)) / scale
        own = float(squared_error(y, targets).nanmean())
        others = float(squared_error(y, targets.roll(1, dims=0)).nanmean())
        blind = float(squared_error(drawn, targets).mean())
        text = f"the error for their own targets ({own:.3g}) is hardly below that for other targets"
        question.require(own < 0.8 * others, f"{text} ({others:.3g}): the target is ignored")
        fault = f"the error ({own:.3g}) is hardly below that of random designs ({blind:.3g})"
        question.require(own < 0.8 * blind, fault)


class _Tripwire(Simulator):
    """A simulator that must not be used."""

    def __call__(
        self, x: Tensor, context: Context | None = None, target: Tensor | None = None
    ) -> Tensor:
        self.calls += len(x)
        raise CheckFailed("propose calls the simulator, but needs has no Needs.SIMULATOR")


class _Counted(Bowl):
    """A bowl that counts for itself the rows that it simulates."""

    rows = 0

    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        self.rows += len(x)
        return super().simulate(x, context)


def check_simulator_budget(subject: MethodSubject) -> None:
    """The simulator is used only if ``needs`` says so, counted, and never beyond its budget."""
    question = subject.ask("bowl", 4, 3)
    if not subject.uses_simulator:
        wire = _Tripwire(Bowl())
        question.propose(wire)
        require(wire.calls == 0, "propose calls the simulator, but needs has no Needs.SIMULATOR")
        return
    task = _Counted()
    free = Simulator(task)
    question.propose(free)
    fault = f"{task.rows} rows were simulated and {free.calls} counted"
    require(task.rows <= free.calls, f"{fault}: call the simulator itself")
    for budget in (0, free.calls // 2):
        task = _Counted()
        with suppress(BudgetError):
            question.propose(Simulator(task, budget=budget))
        require(task.rows <= budget, f"{task.rows} rows were simulated, the budget is {budget}")


class _Sealed(Pairs):
    """Test pairs whose designs nobody may see before the scoring; it remembers a look."""

    closed = opened = False

    def __getattribute__(self, name: str) -> Any:
        if name == "x" and _Sealed.closed:
            _Sealed.opened = True
            raise CheckFailed("the designs of the test split were opened")
        return object.__getattribute__(self, name)


class _Unsealing(Plugins):
    """Plugins that open the test split when all candidates have been proposed and simulated."""

    def emit(self, event: Event) -> list[str]:
        if event.data.get("stage") == "simulate":
            _Sealed.closed = False
        return super().emit(event)


class _SealedBowl(Bowl):
    """A bowl whose test split is sealed, and depends on the number of targets alone."""

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        bowl = case("bowl")
        _Sealed.closed = False
        test = _Sealed(bowl.test.x[-targets:].clone(), bowl.test.y[-targets:].clone())
        _Sealed.closed = True
        return Splits(bowl.train, bowl.val, test)


class _Plain(Sampler[Any]):
    """Independent points."""

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)


class _Fixed(Registry):
    """A registry of classes at hand."""

    def __init__(self, classes: dict[Kind, type[Any]]) -> None:
        super().__init__()
        self._classes = classes

    def find(self, kind: Kind, name: str) -> Entry:
        return Entry(kind, Component(name, name, "invcore.testing:kit"), "kit", "0")

    def load(self, kind: Kind, name: str) -> Any:
        return self._classes[kind]


def check_test_split_unopened(subject: MethodSubject) -> None:
    """The test designs stay closed until candidates are scored; the fit ignores the test split."""
    plugins = _Unsealing(points=[])
    plugins.registry = _Fixed({"task": _SealedBowl, "method": subject.component, "sampler": _Plain})
    _Sealed.opened = False
    method = {"name": "kit", "settings": dict(subject.settings)}
    parts = {"task": "kit-bowl", "method": method, "sampler": "kit", "preset": subject.preset}
    states = []
    with tempfile.TemporaryDirectory() as folder:
        for targets in (3, 5):  # the last 3 and the last 5: other test splits
            sizes = {"targets": targets, "candidates": 4, "device": "cpu"}
            config, store = RunConfig.resolve(parts | sizes), Store(folder)
            record = run(config, store=store, plugins=plugins, keep_going=False)
            require(not _Sealed.opened, "the designs of the test split were opened")
            require(record.status == "ok", f"the run is {record.status}: {record.reason}")
            states.append(store.tensors(record.id, "model"))
    changed = same_mappings(*states)
    names = ", ".join(changed[:3])
    require(not changed, f"another test split gives another fit ({names} of the state differ)")
