"""Planted bad loops: each is caught by the check that is meant for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invcore.plugin import Requests, Results
from tests.mutants.references import failing, template

module = template("loop")
Started = module.StartedReference


def loop(started):
    """The reference loop, whose searches are of another class."""

    class Mutant(module.Reference):
        def start(self, problem, targets, pairs, points, env, *, variance=None):
            begun = started(self.config, problem, targets, points)
            begun.know(pairs)
            return begun

        def restore(self, problem, state, env):
            begun = started(self.config, problem, module.stored_targets(state), state["points"])
            begun.resume(state)
            begun.round, begun.waits = state["own.round"].clone(), state["own.waits"].clone()
            return begun

    Mutant.__name__ = started.__name__
    return Mutant


class LeavesTheBounds(Started):
    def further(self, count):
        row, tag, x = super().further(count)
        return row, tag, x + 10.0


class GivesIdsTwice(Started):
    def ask(self, count=None):
        requests = super().ask(count)
        return replace(requests, id=requests.id % 3)


class AsksForMore(Started):
    def ask(self, count=None):
        return super().ask(None if count is None else count + 1)


class ForgetsWhatIsPending(Started):
    def pending(self):
        return super().pending()[:0]


class TakesAnything(Started):
    def tell(self, results):
        known = torch.isin(results.id, self.pending().id) if results.id is not None else None
        if known is None or bool(known.all()):
            super().tell(results)


class CountsWhatItAskedFor(Started):
    def tell(self, results):
        asked = self.pending()
        if results.id is not None and len(asked):
            place = torch.searchsorted(asked.id, results.id).clamp(max=len(asked) - 1)
            same = asked.id[place] == results.id
            designs = torch.where(same[:, None], asked.designs[place], results.designs)
            results = replace(results, designs=designs)
        super().tell(results)


class LikesFailures(Started):
    def tell(self, results):
        if results.failed is not None and bool(results.failed.any()):
            y = self.targets.y[:1].expand(len(results), -1)
            results = Results(results.id, results.designs, y)
        super().tell(results)


class WorstFirst(Started):
    def best(self, count=1):
        found = super().best(count)
        return replace(found, x=found.x.flip(1), predicted=found.predicted.flip(1))


class SaysWhatIsWanted(Started):
    def best(self, count=1):
        found = super().best(count)
        return replace(found, predicted=self.targets.y[:, None].expand_as(found.predicted))


class ForgetsItsRound(Started):
    def tensors(self):
        return {"round": torch.zeros_like(self.round), "waits": self.waits}


class ForgetsWhoWaits(Started):
    def tensors(self):
        return {"round": self.round, "waits": torch.zeros_like(self.waits)}


class DrawsAtRandom(Started):
    def further(self, count):
        row, tag, x = super().further(count)
        return row, tag, self.problem.designs.project(x + 1e-3 * torch.rand(x.shape).to(x))


class DeafToThePoints(Started):
    def __init__(self, config, problem, targets, points):
        super().__init__(config, problem, targets, torch.full_like(points, 0.3))


class KeepsTheCallersPairs(Started):
    def know(self, pairs):
        self.pairs = pairs

    def further(self, count):
        row, tag, x = super().further(count)
        pairs = getattr(self, "pairs", None)
        if pairs is not None and len(pairs):
            x = self.problem.designs.project(x + 1e-6 * pairs.x.mean())
        return row, tag, x


class IgnoresWhatIsKnown(Started):
    def know(self, pairs):
        pass


class ForgetsForOtherTargets(Started):
    def retarget(self, targets):
        self._told = {name: value[:0] for name, value in self._told.items()}
        super().retarget(targets)


class NeverFinished(Started):
    def finished(self):
        return torch.zeros(len(self.targets), dtype=torch.bool)


class RowsAsDicts(Started):
    def ask(self, count=None):
        return vars(super().ask(count))


class OneTargetTooMany(Started):
    def ask(self, count=None):
        requests = super().ask(count)
        return Requests(requests.id, requests.designs, requests.target + 1)


MUTANTS = [
    (LeavesTheBounds, ["requests"]),
    (GivesIdsTwice, ["requests"]),
    (OneTargetTooMany, ["requests"]),
    (RowsAsDicts, ["requests"]),
    (AsksForMore, ["count"]),
    (ForgetsWhatIsPending, ["pending"]),
    (TakesAnything, ["unknown-rows"]),
    (CountsWhatItAskedFor, ["made-otherwise"]),
    (LikesFailures, ["failed-rows"]),
    (WorstFirst, ["best"]),
    (SaysWhatIsWanted, ["best"]),
    (ForgetsItsRound, ["state"]),
    (ForgetsWhoWaits, ["state"]),
    (DrawsAtRandom, ["repeats"]),
    (DeafToThePoints, ["points-matter"]),
    (KeepsTheCallersPairs, ["arguments-unchanged"]),
    (IgnoresWhatIsKnown, ["known-pairs"]),
    (ForgetsForOtherTargets, ["other-targets"]),
    (NeverFinished, ["end"]),
]


def test_the_good_one_passes():
    assert failing("loop", module.Reference) == {}


@pytest.mark.parametrize(("started", "expected"), MUTANTS, ids=[m.__name__ for m, _ in MUTANTS])
def test_each_bad_one_is_caught(started, expected):
    found = failing("loop", loop(started))
    assert expected[0] in found, found
    assert "\n" not in found[expected[0]]
