"""Planted bad surrogates: each is caught by the check that is meant for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invcore.plugin import Pairs
from tests.mutants.references import failing, template

module = template("surrogate")
Fitted = module.FittedReference


def surrogate(fitted):
    """The reference, whose fits are of another class."""

    class Mutant(module.Reference):
        def fit(self, problem, pairs, env, **more):
            whole = super().fit(problem, pairs, env, **more)
            return fitted(whole.designs, whole.parts)

        def restore(self, problem, state, files=None):
            return fitted(problem.designs, dict(state))

    Mutant.__name__ = fitted.__name__
    return Mutant


class StillScaled(Fitted):
    def predict(self, x, context=None):
        found = super().predict(x)
        return replace(found, mean=found.mean / 100)


class OneColumn(Fitted):
    def predict(self, x, context=None):
        found = super().predict(x)
        return replace(found, mean=found.mean[:, 0])


class TooSure(Fitted):
    def predict(self, x, context=None):
        found = super().predict(x)
        return replace(found, variance=1e-12 * found.variance)


class NeverSure(Fitted):
    def predict(self, x, context=None):
        found = super().predict(x)
        return replace(found, variance=1e6 * found.variance + 1e6)


class NegativeVariance(Fitted):
    def predict(self, x, context=None):
        found = super().predict(x)
        return replace(found, variance=-found.variance)


class HalfTheSlope(Fitted):
    def gradient(self, x, context=None):
        return 0.5 * super().gradient(x)


class SlopesOfCategories(Fitted):
    def gradient(self, x, context=None):
        return super().gradient(x) + 1e-3


class ForgetsAPart(Fitted):
    def state(self):
        return {**self.parts, "centre": torch.zeros_like(self.parts["centre"])}


class DependsOnTheOthers(Fitted):
    def mean(self, x):
        return super().mean(x) + 0.01 * x.double().std()


class UnknownIsZero(module.Reference):
    def fit(self, problem, pairs, env, **more):
        return super().fit(problem, Pairs(pairs.x, pairs.y.nan_to_num(0.0)), env, **more)


class NoWeights(module.Reference):
    def fit(self, problem, pairs, env, *, weights=None, noise=None, groups=None):
        return super().fit(problem, pairs, env, noise=noise)


class NoNoise(module.Reference):
    def fit(self, problem, pairs, env, *, weights=None, noise=None, groups=None):
        return super().fit(problem, pairs, env, weights=weights)


class NoGroups(module.Reference):
    def fit(self, problem, pairs, env, *, weights=None, noise=None):
        return super().fit(problem, pairs, env, weights=weights, noise=noise)


class DrawsAtRandom(module.Reference):
    def fit(self, problem, pairs, env, **more):
        rows = torch.randperm(len(pairs))[: len(pairs) * 9 // 10]
        more = {n: None if v is None else v[rows] for n, v in more.items()}
        return super().fit(problem, pairs[rows], env, **more)


class ScalesPairsInPlace(module.Reference):
    def fit(self, problem, pairs, env, **more):
        fitted = super().fit(problem, pairs, env, **more)
        pairs.y.sub_(pairs.y.nan_to_num().mean())
        return fitted


class Deaf(Fitted):
    def mean(self, x):
        return torch.zeros_like(super().mean(x)) + self.parts["coefficients"][0]


MUTANTS = [
    (surrogate(StillScaled), ["accuracy"]),
    (surrogate(Deaf), ["accuracy"]),
    (surrogate(OneColumn), ["prediction"]),
    (surrogate(NegativeVariance), ["prediction"]),
    (surrogate(TooSure), ["uncertainty"]),
    (surrogate(NeverSure), ["uncertainty"]),
    (surrogate(HalfTheSlope), ["gradient"]),
    (surrogate(SlopesOfCategories), ["gradient"]),
    (surrogate(ForgetsAPart), ["state"]),
    (surrogate(DependsOnTheOthers), ["rows-independent"]),
    (UnknownIsZero, ["partial-responses"]),
    (NoWeights, ["weights"]),
    (NoNoise, ["noise"]),
    (NoGroups, ["groups"]),
    (DrawsAtRandom, ["same-seed"]),
    (ScalesPairsInPlace, ["arguments-unchanged"]),
]


def test_the_good_one_passes():
    assert failing("surrogate", module.Reference) == {}


@pytest.mark.parametrize(("component", "expected"), MUTANTS, ids=[m.__name__ for m, _ in MUTANTS])
def test_each_bad_one_is_caught(component, expected):
    found = failing("surrogate", component)
    assert expected[0] in found, found
