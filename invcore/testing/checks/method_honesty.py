"""Checks of methods: answers that mean something, and no looking where one must not."""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import BudgetError
from invcore.base.kinds import Kind
from invcore.base.types import Context
from invcore.configs.run_config import RunConfig
from invcore.contracts.events import Event
from invcore.contracts.sampler import Sampler
from invcore.contracts.simulator import Simulator
from invcore.data.pairs import Pairs, Splits
from invcore.registry.component import Component
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry, Registry
from invcore.runs.runner import run
from invcore.scoring.errors import squared_error
from invcore.storage.store import Store
from invcore.testing.cases.comparison import same_mappings
from invcore.testing.cases.problems import Bowl, case, unit_points
from invcore.testing.cases.subjects import MethodSubject
from invcore.testing.check import Check, CheckFailed, require


def check_beats_ignoring_the_target(subject: MethodSubject) -> None:
    """Candidates fit their own target better than another's, and better than random designs."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        targets, points = known.targets(24), unit_points(24, 8, model.point_dim)
        x = subject.designs(known, model, targets, points)
        scale = known.train.y.std(dim=0)
        wanted = targets.y / scale
        y = known.task.simulate(x.flatten(0, 1)).unflatten(0, x.shape[:2]) / scale
        drawn = known.train.y[: 24 * 8].unflatten(0, (24, 8)) / scale
        own = float(squared_error(y, wanted).nanmean())
        others = float(squared_error(y, wanted.roll(1, dims=0)).nanmean())
        blind = float(squared_error(drawn, wanted).mean())
        require(
            own < 0.8 * others,
            f"{name}: the error for their own targets ({own:.3g}) is hardly below that for "
            f"other targets ({others:.3g}): the target is ignored",
        )
        require(
            own < 0.8 * blind,
            f"{name}: the error ({own:.3g}) is hardly below that of random designs ({blind:.3g})",
        )


class _Tripwire(Simulator):
    """A simulator that must not be used."""

    def __call__(self, x: Tensor, context: Context | None = None) -> Tensor:
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
    known, model = subject.fitted("bowl")
    targets, points = known.targets(4), unit_points(4, 3, model.point_dim)
    if not subject.uses_simulator:
        wire = _Tripwire(known.task)
        model.propose(targets, points, simulator=wire)
        require(wire.calls == 0, "propose calls the simulator, but needs has no Needs.SIMULATOR")
        return
    task = _Counted()
    free = Simulator(task)
    model.propose(targets, points, simulator=free)
    require(
        task.rows <= free.calls,
        f"{task.rows} rows were simulated and {free.calls} counted: call the simulator itself",
    )
    for budget in (0, free.calls // 2):
        task = _Counted()
        bounded = Simulator(task, budget=budget)
        try:
            model.propose(targets, points, simulator=bounded)
        except BudgetError:
            pass
        require(task.rows <= budget, f"{task.rows} rows were simulated, the budget is {budget}")


class _Sealed(Pairs):
    """Test pairs whose designs nobody may see before the scoring; it remembers who did."""

    opened: list[str] = []
    closed = True

    def __getattribute__(self, name: str) -> Any:
        sealed = object.__getattribute__(self, "__dict__").get("sealed")
        if name == "x" and sealed and type(self).closed:
            type(self).opened.append(name)
            raise CheckFailed("the designs of the test split were opened")
        return object.__getattribute__(self, name)


class _Unsealing(Plugins):
    """Plugins that open the test split when all candidates have been proposed and simulated."""

    def emit(self, event: Event) -> list[str]:
        if event.name == "run-started":
            _Sealed.closed = True
        if event.data.get("stage") == "simulate":
            _Sealed.closed = False
        return super().emit(event)


class _SealedBowl(Bowl):
    """A bowl whose test split is sealed, and depends on the number of targets alone."""

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        known = case("bowl")
        test = _Sealed(known.test.x[-targets:].clone(), known.test.y[-targets:].clone())
        object.__setattr__(test, "sealed", True)
        return Splits(known.train, known.val, test)


class _Plain(Sampler[Any]):
    """Independent points."""

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)


class _Fixed(Registry):
    """A registry of classes at hand."""

    def __init__(self, classes: dict[Kind, type[Any]]) -> None:
        super().__init__()
        self._classes = classes

    def entries(self, kind: Kind) -> list[Entry]:
        return []

    def find(self, kind: Kind, name: str) -> Entry:
        return Entry(kind, Component(name, name, "invcore.testing:kit"), "kit", "0")

    def load(self, kind: Kind, name: str) -> Any:
        return self._classes[kind]


def check_test_split_unopened(subject: MethodSubject) -> None:
    """The test designs stay closed until candidates are scored; the fit ignores the test split."""
    plugins = _Unsealing(points=[])
    plugins.registry = _Fixed({"task": _SealedBowl, "method": subject.component, "sampler": _Plain})
    _Sealed.opened.clear()
    _Sealed.closed = True
    states = []
    with tempfile.TemporaryDirectory() as folder:
        for targets in (3, 5):  # the last 3 and the last 5: other test splits
            config = RunConfig.resolve(
                {
                    "task": "kit-bowl",
                    "method": {"name": "kit", "settings": dict(subject.settings)},
                    "sampler": "kit",
                    "targets": targets,
                    "candidates": 4,
                    "device": "cpu",
                    "preset": subject.preset,
                }
            )
            store = Store(folder)
            record = run(config, store=store, plugins=plugins, keep_going=False)
            require(not _Sealed.opened, "the designs of the test split were opened")
            require(record.status == "ok", f"the run is {record.status}: {record.reason}")
            states.append(store.tensors(record.id, "model"))
    changed = same_mappings(*states)
    require(
        not changed,
        f"another test split gives another fit ({', '.join(changed[:3])} of the state differ)",
    )


HONESTY_CHECKS = tuple(
    Check.of(function)
    for function in (
        check_beats_ignoring_the_target,
        check_simulator_budget,
        check_test_split_unopened,
    )
)
