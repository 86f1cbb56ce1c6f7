"""Planted bad tasks: each is caught by the check that is meant for it."""

from __future__ import annotations

import pytest
import torch

from invcore import Categorical, Integers, Normal, Space, Uniform, Variable
from invcore.plugin import Pairs, Splits, Task, generator
from invcore.testing import CHECKS, Subject, run_checks


class Reference(Task):
    """A good task, with a normal, a whole number, and designs without a response."""

    designs = Space.of(
        Variable(name="speed", prior=Normal(mean=3.0, std=1.0)),
        Variable(name="angle", prior=Uniform(low=0.1, high=1.4)),
        Variable(name="count", prior=Integers(low=1, high=9)),
    )
    responses = Space.of(Variable(name="range"), Variable(name="height"))

    def simulate(self, x, context=None):
        speed, angle, count = x.unbind(dim=1)
        y = torch.stack([count * speed**2 * (2 * angle).sin(), speed * angle.sin()], dim=1)
        return torch.where(speed[:, None] > 1, y, torch.nan)


class Table(Task):
    """A good task whose designs are whole numbers and categories: few, so splits share some."""

    designs = Space.of(
        Variable(name="layers", prior=Integers(low=1, high=5)),
        Variable(name="glass", prior=Categorical(categories=("a", "b", "c"))),
    )
    responses = Space.of(Variable(name="y"))
    differentiable = False

    def simulate(self, x, context=None):
        return x[:, :1] * 10 + x[:, 1:]


class NoPrior(Reference):
    designs = Space.of(*Reference.designs.variables[:2], Variable(name="count"))


class OneWide(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x)[:, :1]


class SqueezesOneRow(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x).squeeze(0)


class WritesIntoDesigns(Reference):
    def simulate(self, x, context=None):
        y = super().simulate(x)
        if not x.requires_grad:
            x[:, 1] = x[:, 1].clamp(max=1.3)
        return y


class AlwaysDouble(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x.double())


class Noisy(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x) * (1 + 1e-6 * torch.rand(len(x), 1).to(x))


class QuietlyNoisy(Reference):
    noise = 0

    def simulate(self, x, context=None):
        self.noise += 1
        return super().simulate(x) * (1 + 1e-6 * self.noise)


class NormalisesOverRows(Reference):
    def simulate(self, x, context=None):
        y = super().simulate(x)
        return y - y.nanmean(dim=0) if len(x) != 258 else y


class NeverWhole(Reference):
    def simulate(self, x, context=None):
        return torch.where(torch.tensor([True, False]), super().simulate(x), torch.nan)


class Infinite(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x).nan_to_num(nan=torch.inf)


class HalfAGradient(Reference):
    def simulate(self, x, context=None):
        y = super().simulate(x)
        return 0.5 * y + 0.5 * y.detach()


class NoGradient(Reference):
    def simulate(self, x, context=None):
        return super().simulate(x.detach())


class HonestNoGradient(NoGradient):
    """Good: it says so."""

    differentiable = False


class GlobalPairs(Reference):
    def pairs(self, count, generator):
        return super().pairs(count, torch.default_generator)


class TooFewPairs(Reference):
    def pairs(self, count, generator):
        pairs = Pairs(x := self.designs.sample(count, generator), self.simulate(x))
        return pairs[pairs.y.isfinite().all(dim=1)]


class SplitsLeak(Reference):
    def dataset(self, pairs, targets, seed):
        data = super().dataset(pairs, targets, seed)
        return Splits(data.train, data.val, data.train[:targets])


class OneDataset(Reference):
    def dataset(self, pairs, targets, seed):
        return super().dataset(pairs, targets, 0)


class NoValidation(Reference):
    def dataset(self, pairs, targets, seed):
        known = self.pairs(pairs, generator(seed))
        return Splits(known[1:], known[:1], self.pairs(targets, generator(seed, "test")))


class FreeGradients(Reference):
    gradient_calls = 0


class Shifted(Reference):
    """Good: a task with contexts, whose targets are measured with noise."""

    context_shapes = {"shift": ()}
    noise_floor = 0.04

    def simulate(self, x, context=None):
        return super().simulate(x) + context["shift"].to(x)[:, None]

    def contexts(self, count, generator):
        return {"shift": torch.rand(count, generator=generator, dtype=torch.float64)}

    def observe(self, y, generator):
        return y + 0.2 * torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y)


class AnotherShape(Shifted):
    context_shapes = {"shift": (1,)}


class IdleContext(Shifted):
    def simulate(self, x, context=None):
        return Reference.simulate(self, x)


class OneContext(Shifted):
    def contexts(self, count, generator):
        return {"shift": torch.full((count,), 0.3, dtype=torch.float64)}


class QuietNoise(Shifted):
    noise_floor = 0.01


class MeasuresInPlace(Shifted):
    def observe(self, y, generator):
        return y.copy_(super().observe(y, generator))


class OffCentre(Normal):
    def cdf(self, x):
        return super().cdf(x + 0.1)


class BadPrior(Reference):
    designs = Space.of(
        Variable.model_construct(
            name="speed", prior=OffCentre(mean=3.0, std=1.0), unit="", low=None, high=None
        ),
        *Reference.designs.variables[1:],
    )


# The first name is that of the check meant for it; the others cannot but fail with it.
MUTANTS = [
    (NoPrior, ["spaces", ...]),
    (OneWide, ["response-shape", "counted", ...]),
    (SqueezesOneRow, ["response-shape"]),
    (WritesIntoDesigns, ["arguments-unchanged", ...]),
    (AlwaysDouble, ["dtype"]),
    (Noisy, ["repeats", ...]),
    (QuietlyNoisy, ["repeats", ...]),
    (NormalisesOverRows, ["rows-independent", ...]),
    (NeverWhole, ["missing-responses", ...]),
    (Infinite, ["missing-responses"]),
    (HalfAGradient, ["gradient"]),
    (NoGradient, ["gradient"]),
    (GlobalPairs, ["pairs", "dataset"]),
    (TooFewPairs, ["pairs", "dataset"]),
    (SplitsLeak, ["dataset"]),
    (OneDataset, ["dataset"]),
    (NoValidation, ["dataset"]),
    (FreeGradients, ["counted"]),
    (BadPrior, ["unit-cube"]),
    (AnotherShape, ["contexts"]),
    (IdleContext, ["contexts"]),
    (OneContext, ["contexts"]),
    (QuietNoise, ["measured"]),
    (MeasuresInPlace, ["measured"]),
]


def failing(component):
    outcomes = run_checks(CHECKS["task"], Subject.of("task", "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}


@pytest.mark.parametrize("component", [Reference, Table, HonestNoGradient, Shifted])
def test_the_good_ones_pass(component):
    assert failing(component) == {}


@pytest.mark.parametrize(
    ("component", "expected"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS]
)
def test_each_bad_one_is_caught(component, expected):
    found = failing(component)
    assert expected[0] in found
    assert ... in expected or set(found) == set(expected), found
