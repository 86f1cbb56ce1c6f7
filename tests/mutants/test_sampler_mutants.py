"""Planted bad samplers: each is caught by the check that is meant for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invcore.plugin import Sampler, generator
from invcore.testing import CHECKS, Subject, run_checks


class Reference(Sampler):
    """A good sampler: a random Latin hypercube."""

    latin = True

    def sample(self, count, dim, generator):
        order = torch.rand(count, dim, generator=generator).argsort(dim=0)
        inner = 0.001 + 0.998 * torch.rand(count, dim, generator=generator, dtype=torch.float64)
        return (order + inner) / count


class Plain(Sampler):
    """A good sampler that is not Latin."""

    def sample(self, count, dim, generator):
        points = torch.rand(count, dim, generator=generator, dtype=torch.float64)
        return points.clamp(1e-9, 1 - 1e-9)


class DimensionsFirst(Reference):
    def sample(self, count, dim, generator):
        return super().sample(count, dim, generator).T


class Float32(Reference):
    def sample(self, count, dim, generator):
        return super().sample(count, dim, generator).float()


class TouchesTheFaces(Plain):
    def sample(self, count, dim, generator):
        points = super().sample(count, dim, generator)
        points[0, 0] = 0.0
        return points


class NoSinglePoint(Reference):
    def batch(self, targets, count, dim, generator):
        points = super().batch(targets, count, dim, generator)
        return points if count > 1 else points[:, 0]


class GlobalRandomness(Plain):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, dtype=torch.float64).clamp(1e-9, 1 - 1e-9)


class NumpySeed(Reference):
    def sample(self, count, dim, generator):
        np.random.seed(1)
        return super().sample(count, dim, generator)


class DeafToTheSeed(Reference):
    def sample(self, count, dim, generator_):
        return super().sample(count, dim, generator(0, "always"))


class OnePointInTheMiddle(Reference):
    def sample(self, count, dim, generator):
        points = super().sample(count, dim, generator)
        return points if count > 1 else torch.full_like(points, 0.5)


class OnePointMirrored(Plain):
    def batch(self, targets, count, dim, generator):
        points = self.sample(count, dim, generator).expand(targets, count, dim)
        flip = torch.rand(targets, 1, dim, generator=generator) < 0.5
        return torch.where(flip, 1 - points, points)


class NotLatin(Plain):
    latin = True


class ShiftsTheBatch(Reference):
    def batch(self, targets, count, dim, generator):
        points = super().batch(targets, count, dim, generator)
        shift = torch.rand(targets, 1, dim, generator=generator).double()
        return (0.7 * points + 0.3 * shift).clamp(1e-9, 1 - 1e-9)


class OneBatchForAll(Reference):
    def batch(self, targets, count, dim, generator):
        return self.sample(count, dim, generator).expand(targets, count, dim).clone()


class LeavesInABatch(Plain):
    def batch(self, targets, count, dim, generator):
        return super().batch(targets, count, dim, generator) * 1.5


class TooOftenSmall(Plain):
    def sample(self, count, dim, generator):
        return super().sample(count, dim, generator) ** 2


class OnTheDiagonal(Plain):
    def sample(self, count, dim, generator):
        return super().sample(count, 1, generator).expand(count, dim).clone()


# The first name is that of the check meant for it; the others cannot but fail with it.
MUTANTS = [
    (DimensionsFirst, ["shape", ...]),
    (Float32, ["shape", "batch"]),
    (TouchesTheFaces, ["range", "single-point", "batch"]),
    (NoSinglePoint, ["single-point", "batch-strata"]),
    (GlobalRandomness, ["same-generator", "global-generators"]),
    (NumpySeed, ["global-generators"]),
    (DeafToTheSeed, ["seeds-differ"]),
    (OnePointInTheMiddle, ["seeds-differ"]),
    (OnePointMirrored, ["single-point"]),
    (NotLatin, ["strata", "batch-strata"]),
    (ShiftsTheBatch, ["batch-strata"]),
    (OneBatchForAll, ["batch", "single-point"]),
    (LeavesInABatch, ["batch", "single-point"]),
    (TooOftenSmall, ["uniform"]),
    (OnTheDiagonal, ["uniform"]),
]


def failing(component):
    outcomes = run_checks(CHECKS["sampler"], Subject.of("sampler", "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}


@pytest.mark.parametrize("component", [Reference, Plain])
def test_the_good_ones_pass(component):
    assert failing(component) == {}


@pytest.mark.parametrize(
    ("component", "expected"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS]
)
def test_each_bad_one_is_caught(component, expected):
    found = failing(component)
    assert expected[0] in found
    assert ... in expected or set(found) == set(expected), found
