"""C2ST against reference samples: chance, the best possible accuracy, and what is counted."""

import math

import pytest
import torch
from invcore_sbibm.c2st_reference import C2stReference, C2stReferenceConfig, c2st
from invcore_sbibm.reference_files import reference_samples
from invcore_sbibm.tasks.gaussian_linear import GaussianLinear

from invcore.plugin import Evaluation, UnfitError, generator


def normal(count, dim, seed):
    return torch.randn(count, dim, generator=generator(seed), dtype=torch.float64)


def evaluation(candidates, *numbers):
    task = GaussianLinear(GaussianLinear.Config(observations=numbers))
    count = len(candidates)
    return Evaluation(
        designs=task.designs, targets=torch.zeros(count, 10), candidates=candidates,
        resimulated=torch.zeros(*candidates.shape), errors=torch.zeros(candidates.shape[:2]),
        task=task,
    )  # fmt: skip


def test_two_samples_of_one_distribution_are_told_apart_by_chance_alone():
    assert abs(c2st(normal(1000, 2, 1), normal(1000, 2, 2)) - 0.5) < 0.04


def test_the_accuracy_is_the_best_possible_one():
    apart = torch.tensor([1.5, 0.0], dtype=torch.float64)
    best = 0.5 * (1 + math.erf(0.75 / math.sqrt(2)))  # a normal's mass on its own side
    assert abs(c2st(normal(1500, 2, 3), normal(1500, 2, 4) + apart) - best) < 0.03


def test_units_do_not_matter():
    reference, candidates = normal(300, 2, 5), normal(300, 2, 6) + 0.5
    unit, shift = torch.tensor([1e-6, 1e4]).double(), torch.tensor([3e-6, -5e4]).double()
    assert c2st(reference * unit + shift, candidates * unit + shift) == pytest.approx(
        c2st(reference, candidates), abs=0.01
    )


def test_each_observation_has_its_own_reference(reference):
    x = torch.stack([reference_samples("gaussian_linear", n, 10) for n in (2, 1)])
    right = C2stReference(C2stReferenceConfig(folds=2)).measure(evaluation(x.roll(200, 1), 2, 1))
    assert [e.name for e in right] == ["c2st-reference", "c2st-reference-2", "c2st-reference-1"]
    # The halves are the same rows in another order: nobody can tell the two samples apart
    assert all(e.value < 0.55 for e in right)
    assert right[0].value == pytest.approx((right[1].value + right[2].value) / 2)
    wrong = C2stReference(C2stReferenceConfig(folds=2)).measure(evaluation(x, 1, 2))
    assert all(e.value > 0.8 for e in wrong)


def test_candidates_that_are_not_there_count_as_nothing_in_common(reference):
    x = torch.full((1, 50, 10), torch.nan, dtype=torch.float64)
    assert C2stReference().measure(evaluation(x, 1))[0].value == 1.0


def test_without_observations_it_says_why(reference):
    with pytest.raises(UnfitError, match=r"task\.observations"):
        C2stReference().measure(evaluation(torch.zeros(1, 20, 10)))


def test_it_is_a_metric_of_these_tasks_alone():
    from invcore_classic.sine_wave import SineWave

    assert C2stReference().applies(GaussianLinear())
    assert not C2stReference().applies(SineWave())
