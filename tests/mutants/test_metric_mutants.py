"""Planted bad metrics: each is caught by the check that is meant for it."""

from __future__ import annotations

import pytest
import torch

from invcore.plugin import Estimate, Metric
from invcore.results import bootstrap
from invcore.testing import CHECKS, Example, Subject, evaluation, run_checks

# The smallest errors of the two targets are 1 and 4.
EXAMPLES = (Example(evaluation([[0.0], [0.0]], [[[1.0], [2.0]], [[2.0], [3.0]]]), {"best": 2.5}),)


class Reference(Metric):
    """A good metric: the smallest error of a target, averaged over targets."""

    def measure(self, evaluation):
        best = self.best(evaluation)
        known = torch.where(best.isfinite(), best, torch.nan)
        return self.report(bootstrap(known, evaluation.generator("best")))

    def best(self, evaluation):
        return evaluation.errors.nan_to_num(nan=torch.inf).amin(dim=1)

    def report(self, ends):
        return [Estimate("best", *ends)]


class SameNameTwice(Reference):
    def report(self, ends):
        return [Estimate("best", *ends), Estimate("best", 2 * ends[0])]


class ATuple(Reference):
    def report(self, ends):
        return (Estimate("best", *ends),)


class NothingToSay(Reference):
    def report(self, ends):
        return []


class NeedsTheTruth(Reference):
    def best(self, evaluation):
        near = (evaluation.candidates - evaluation.truth[:, None]).square().sum(dim=2)
        return torch.where(near.amin(dim=1) < torch.inf, super().best(evaluation), torch.nan)


class NotANumberWithoutTheTask(Reference):
    def measure(self, evaluation):
        found = super().measure(evaluation)
        return found if evaluation.task else [Estimate("best", torch.nan)]


class MoreAfterFailures(Reference):
    def measure(self, evaluation):
        lost = float(evaluation.errors.isnan().double().mean())
        return super().measure(evaluation) + ([Estimate("lost", lost)] if lost else [])


class SortsInPlace(Reference):
    def best(self, evaluation):
        errors = evaluation.errors
        errors.copy_(errors.sort(dim=1).values)
        return super().best(evaluation)


class GlobalBootstrap(Reference):
    def measure(self, evaluation):
        return self.report(bootstrap(self.best(evaluation), torch.default_generator))


class PoisonedByOne(Reference):
    def measure(self, evaluation):
        value = float(evaluation.errors.amin(dim=1).mean())
        return [Estimate("best", value)]


class NeedsTwoCandidates(Reference):
    def best(self, evaluation):
        two = evaluation.errors.nan_to_num(nan=torch.inf).topk(2, dim=1, largest=False)
        return two.values[:, 0]


class IntervalElsewhere(Reference):
    def report(self, ends):
        return [Estimate("best", ends[0], ends[0] * 1.1, ends[0] * 1.2)]


class HalfAnInterval(Reference):
    def report(self, ends):
        return [Estimate("best", ends[0], ends[1])]


class TensorForANumber(Reference):
    def report(self, ends):
        return [Estimate("best", ends[0], T=1.5)]


class UnknownDirection(Reference):
    def report(self, ends):
        return [Estimate("best", ends[0], better="upwards")]


class FirstCandidateAlone(Reference):
    def best(self, evaluation):
        first = evaluation.errors[:, :4]
        return first.nan_to_num(nan=torch.inf).amin(dim=1)


class FirstTargetsWeighMore(Reference):
    def best(self, evaluation):
        best = super().best(evaluation)
        return best * torch.linspace(1.5, 0.5, len(best)).double() if len(best) > 2 else best


class WrongByTen(Reference):
    def report(self, ends):
        return [Estimate("best", *(10 * end for end in ends))]


# The first name is that of the check meant for it; the others cannot but fail with it.
MUTANTS = [
    (SameNameTwice, ["estimates", "hand-computed"]),
    (ATuple, ["estimates", ...]),
    (NothingToSay, ["estimates", "hand-computed"]),
    (NeedsTheTruth, ["missing-facts", "hand-computed", "wishes", "intervals"]),
    (NotANumberWithoutTheTask, ["missing-facts", "hand-computed"]),
    (MoreAfterFailures, ["names-fixed"]),
    (SortsInPlace, ["evaluation-unchanged", "wishes"]),
    (GlobalBootstrap, ["repeats", ...]),
    (PoisonedByOne, ["failed-candidates", "wishes"]),
    (NeedsTwoCandidates, ["one-target-one-candidate", "intervals", "wishes"]),
    (IntervalElsewhere, ["intervals"]),
    (HalfAnInterval, ["intervals"]),
    (TensorForANumber, ["recorded", "hand-computed"]),
    (UnknownDirection, ["recorded"]),
    (FirstCandidateAlone, ["candidate-order"]),
    (FirstTargetsWeighMore, ["target-order"]),
    (WrongByTen, ["hand-computed"]),
]


def outcomes(component, examples=EXAMPLES):
    subject = Subject.of("metric", "mutant", component, examples=examples)
    return list(run_checks(CHECKS["metric"], subject))


def failing(component, examples=EXAMPLES):
    return {o.check.name: o.why for o in outcomes(component, examples) if o.result == "failed"}


def test_the_good_one_passes():
    assert [o for o in outcomes(Reference) if o.result != "passed"] == []


def test_without_examples():
    assert list(failing(Reference, examples=())) == ["hand-computed"]
    assert failing(Reference, examples=None) == {}
    unknown = (Example(EXAMPLES[0].evaluation, {"worst": 1.0}),)
    assert "no estimate 'worst'; there are best" in failing(Reference, unknown)["hand-computed"]


@pytest.mark.parametrize(
    ("component", "expected"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS]
)
def test_each_bad_one_is_caught(component, expected):
    found = failing(component)
    assert expected[0] in found
    assert ... in expected or set(found) == set(expected), found
