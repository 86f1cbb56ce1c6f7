"""A run whose test split is sealed, and which remembers every way in which it was reached."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from invcore.base import seeding
from invcore.base.component_kinds import Kind
from invcore.base.types import Context
from invcore.configs.run_config import RunConfig
from invcore.contracts.events import Event
from invcore.contracts.sampler import Sampler
from invcore.contracts.task import Task
from invcore.data.pairs import Pairs, Splits
from invcore.registry.component import Component
from invcore.registry.loader import Plugins, installed
from invcore.registry.registry import Entry, Registry
from invcore.runs.runner import run
from invcore.storage.store import Store
from invcore.testing.cases.component_under_test import MethodSubject
from invcore.testing.cases.problems import Bowl, case
from invcore.testing.check import CheckFailed, require

TASK = "kit-bowl"
"""The name of the sealed task, for the run and for whoever looks it up."""
_OF_TRAINING = {"pairs", "split"}  # what else is drawn of a run's seed


class Seal:
    """Closed from the end of the data stage until all candidates have been simulated.

    Args:
        mirrored: give other test designs, with the same responses.
    """

    def __init__(self, *, mirrored: bool) -> None:
        self.mirrored, self.closed = mirrored, False
        self.broken: list[str] = []
        self._draws: set[tuple[str, ...]] = set()

    def reach(self, what: str) -> None:
        """Somebody reaches for the test split.

        Raises:
            CheckFailed: the seal is closed.
        """
        if self.closed:
            self.broken.append(what)
            raise CheckFailed(f"{what}: the test split is for the scorer alone")

    @contextmanager
    def watched_draws(self, *, drawing: bool = False) -> Iterator[None]:
        """Seeds that are derived here must not be derived again while the seal is closed."""
        derive = seeding.derive

        def watched(seed: int, *names: object) -> int:
            draw = (str(seed), *(str(name) for name in names))
            if drawing and draw[1] not in _OF_TRAINING:
                self._draws.add(draw)
            if draw in self._draws:
                self.reach("the seed of the test pairs is derived again")
            return derive(seed, *names)

        with patch.object(seeding, "derive", watched):
            yield


def sealed_runs(subject: MethodSubject) -> list[Mapping[str, Tensor]]:
    """Three runs of a method: the state and the candidates of each, ``model.…`` and ``x``.

    The second has other targets than the first, the third has other test designs whose responses
    are the same.

    Raises:
        CheckFailed: the test split was reached before candidates were scored.
    """
    results: list[Mapping[str, Tensor]] = []
    for targets, mirrored in ((3, False), (5, False), (3, True)):
        seal = Seal(mirrored=mirrored)
        with tempfile.TemporaryDirectory() as folder, seal.watched_draws():
            results.append(_result(subject, seal, Store(folder), targets))
    return results


def _result(subject: MethodSubject, seal: Seal, store: Store, targets: int) -> Mapping[str, Tensor]:
    plugins = _unsealing(seal)
    task = _sealed_task(seal)
    plugins.registry = _Fixed({"task": task, "method": subject.component, "sampler": _Plain})
    method = {"name": "kit", "settings": dict(subject.settings)}
    parts = {"task": TASK, "method": method, "sampler": "kit", "preset": subject.preset}
    sizes = {"targets": targets, "candidates": 4, "device": "cpu"}
    with _listed(task):
        record = run(
            RunConfig.resolve(parts | sizes), store=store, plugins=plugins, keep_going=False
        )
    broken = seal.broken[0] if seal.broken else ""
    require(not broken, f"{broken}: fit and propose must do without the test split")
    require(record.status == "ok", f"the run is {record.status}: {record.reason}")
    state = {f"model.{name}": v for name, v in store.tensors(record.id, "model").items()}
    return state | {"x": store.tensors(record.id, "candidates")["candidates"]}


def _sealed_task(seal: Seal) -> type[Task[Any]]:
    """A bowl whose data can be drawn once."""

    class SealedPairs(Pairs):
        def __getattribute__(self, name: str) -> Any:
            if name == "x":
                seal.reach("the designs of the test split were opened")
            return object.__getattribute__(self, name)

    class SealedBowl(Bowl):
        def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
            seal.reach("the task's dataset was called")
            with seal.watched_draws(drawing=True):
                test = super().dataset(pairs, targets, seed).test
            x = test.x.clone()
            if seal.mirrored:  # about the middle of the bowl: the responses stay
                x[:, 0] = 1 - x[:, 0]
            bowl, closed = case("bowl"), SealedPairs(x, test.y.clone())
            seal.closed = True
            return Splits(bowl.train, bowl.val, closed)

        def pairs(self, count: int, generator: torch.Generator) -> Pairs:
            seal.reach("the task's pairs were drawn")
            return super().pairs(count, generator)

        def contexts(self, count: int, generator: torch.Generator) -> Context | None:
            seal.reach("the task's contexts were drawn")
            return super().contexts(count, generator)

    return SealedBowl


def _unsealing(seal: Seal) -> Plugins:
    """Plugins that open the test split when all candidates have been proposed and simulated."""

    class Unsealing(Plugins):
        def emit(self, event: Event) -> list[str]:
            if event.data.get("stage") == "simulate":
                seal.closed = False
            return super().emit(event)

    return Unsealing(points=[])


@contextmanager
def _listed(task: type[Task[Any]]) -> Iterator[None]:
    """The task is found by its name among what is installed, too."""
    registry = installed().registry
    load = registry.load

    def found(kind: Kind, name: str) -> Any:
        return task if (kind, name) == ("task", TASK) else load(kind, name)

    with patch.object(registry, "load", found):
        yield


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
