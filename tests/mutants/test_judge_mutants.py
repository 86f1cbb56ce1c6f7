"""Planted bad judges: each is caught by the check that is meant for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.mutants.references import failing, template

module = template("judge")
Fitted = module.FittedReference


def judge(fitted):
    """The reference, whose fits are of another class."""

    class Mutant(module.Reference):
        def fit(self, problem, data, env):
            whole = super().fit(problem, data, env)
            return fitted(whole.count, whole.parts)

        def restore(self, problem, state, files=None):
            return fitted(self.config.count, dict(state))

    Mutant.__name__ = fitted.__name__
    return Mutant


class OneNumber(Fitted):
    def predict(self, x, level=0.9):
        found = super().predict(x, level)
        return replace(found, error=found.error[:, 0])


class NegativeError(Fitted):
    def predict(self, x, level=0.9):
        found = super().predict(x, level)
        return replace(found, error=-found.error)


class TooSure(Fitted):
    def predict(self, x, level=0.9):
        found = super().predict(x, level)
        return replace(found, error=0.1 * found.error)


class Endless(Fitted):
    def predict(self, x, level=0.9):
        found = super().predict(x, level)
        return replace(found, error=100 * found.error)


class DeafToTheLevel(Fitted):
    def predict(self, x, level=0.9):
        return super().predict(x, 0.9)


class OverOne(Fitted):
    def probability(self, x, targets):
        return 1.2 * super().probability(x, targets)


class OneResponseCounts(Fitted):
    def probability(self, x, targets):
        return super().probability(x, targets).clamp(max=0.9)


class NeverZero(Fitted):
    def probability(self, x, targets):
        return 0.5 + 0.5 * super().probability(x, targets)


class TheOtherWayRound(Fitted):
    def probability(self, x, targets):
        value = super().probability(x, targets)
        return torch.where((value > 0) & (value < 1), 1 - value, value)


class Transposed(Fitted):
    def probability(self, x, targets):
        return super().probability(x, targets).T


class ForgetsTheRows(Fitted):
    def state(self):
        return {**self.parts, "y": 0 * self.parts["y"]}


class DrawsAtRandom(module.Reference):
    def fit(self, problem, data, env):
        rows = torch.randperm(len(data.train))[:100]
        return super().fit(problem, replace(data, train=data.train[rows]), env)


MUTANTS = [
    (judge(OneNumber), ["verdict"]),
    (judge(NegativeError), ["verdict"]),
    (judge(TooSure), ["coverage"]),
    (judge(Endless), ["coverage"]),
    (judge(DeafToTheLevel), ["levels"]),
    (judge(OverOne), ["probability"]),
    (judge(OneResponseCounts), ["probability"]),
    (judge(NeverZero), ["probability"]),
    (judge(Transposed), ["probability"]),
    (judge(TheOtherWayRound), ["probability-orders"]),
    (judge(ForgetsTheRows), ["state"]),
    (DrawsAtRandom, ["same-seed"]),
]


def test_the_good_one_passes():
    assert failing("judge", module.Reference) == {}


@pytest.mark.parametrize(("component", "expected"), MUTANTS, ids=[m.__name__ for m, _ in MUTANTS])
def test_each_bad_one_is_caught(component, expected):
    found = failing("judge", component)
    assert expected[0] in found, found
