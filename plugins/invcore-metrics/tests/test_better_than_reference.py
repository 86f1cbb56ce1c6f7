"""Shares of problems below a reference, by hand; and the reference's own run."""

import pytest
import torch
from invcore_metrics.better_than_reference import (
    BetterThanReference,
    BetterThanReferenceConfig,
    reference_errors,
)

from invcore import ConfigError, Space, Uniform, Variable
from invcore.plugin import Config, Task
from invcore.testing import evaluation


class Valley(Task[Config]):
    """Convex in each problem: the reference reaches every target that has a design."""

    designs = Space.of(*(Variable(name=n, prior=Uniform(low=-2.0, high=2.0)) for n in "ab"))
    responses = Space.of(Variable(name="u"), Variable(name="v"))
    context_shapes = {"shift": (2,)}
    reference = "bfgs"

    def simulate(self, x, context=None):
        return 3 * x + context["shift"].to(x)

    def contexts(self, count, generator):
        return {"shift": torch.rand(count, 2, generator=generator, dtype=torch.float64)}


def judged(errors, ranked=True):
    """An evaluation of six problems with these errors of one candidate each."""
    task, count = Valley(), len(errors)
    pairs = task.pairs(count, torch.Generator().manual_seed(0))
    off = torch.tensor(errors, dtype=torch.float64).sqrt()[:, None, None].expand(-1, -1, 2)
    return evaluation(
        pairs.y, pairs.y[:, None] + off, pairs.x[:, None], designs=task.designs, task=task,
        ranked=ranked, context=pairs.context, seed=1,
    )  # fmt: skip


def test_shares_are_counted_problem_by_problem(monkeypatch):
    known = torch.tensor([1.0, 1.0, 1.0, 1e-20, torch.inf, torch.inf], dtype=torch.float64)
    monkeypatch.setattr("invcore_metrics.better_than_reference.reference_errors", lambda *_: known)
    seen = judged([0.5, 0.999, 2.0, 1e-12, 3.0, torch.nan])
    found = {e.name: e for e in BetterThanReference().measure(seen)}
    # below: the first and the fifth; level: within 1%, both solved, both without a response
    assert found["better-than-reference"].value == pytest.approx(2 / 6)
    assert found["level-with-reference"].value == pytest.approx(3 / 6)
    assert found["better-than-reference"].ci_low < 2 / 6 < found["better-than-reference"].ci_high


def test_it_is_for_tasks_that_name_a_reference():
    class Plain(Valley):
        reference = ""

    assert BetterThanReference().applies(Valley())
    assert not BetterThanReference().applies(Plain())
    assert BetterThanReference(BetterThanReferenceConfig(reference="lbfgs")).applies(Plain())


def test_the_reference_solves_what_is_convex():
    seen = judged([1.0] * 6)
    assert float(reference_errors(seen, seen.task, "bfgs").max()) < 1e-10


def test_a_reference_that_learns_is_refused():
    seen = judged([1.0])
    with pytest.raises(ConfigError, match="learns from pairs"):
        reference_errors(seen, seen.task, "na")


def test_a_reference_that_cannot_do_the_task_is_refused():
    class Rough(Valley):
        differentiable = False

    seen = judged([1.0])
    with pytest.raises(ConfigError, match="needs gradients, the task has none"):
        reference_errors(seen, Rough(), "bfgs")


class Small(Task[Config]):
    """A response in a large unit."""

    designs = Space.of(Variable(name="a", prior=Uniform(low=-2.0, high=2.0)))
    responses = Space.of(Variable(name="u"))
    reference = "bfgs"

    def simulate(self, x, context=None):
        return 1e-4 * (x + 3) ** 2


def small(count):
    task = Small()
    pairs = task.pairs(4, torch.Generator().manual_seed(0))[:count]
    return evaluation(
        pairs.y, pairs.y[:, None], pairs.x[:, None], designs=task.designs, task=task, seed=1
    )


def test_the_reference_on_a_problem_is_the_same_whatever_others_there_are():
    four, one = (reference_errors(small(count), Small(), "bfgs") for count in (4, 1))
    assert float(four.max()) < 1e-18  # in the unit's square: the responses' variance is 5e-7
    torch.testing.assert_close(one, four[:1], rtol=1e-6, atol=0)


def test_both_have_solved_a_single_problem(monkeypatch):
    known = torch.tensor([1e-25], dtype=torch.float64)
    monkeypatch.setattr("invcore_metrics.better_than_reference.reference_errors", lambda *_: known)
    found = {e.name: e.value for e in BetterThanReference().measure(small(1))}
    assert found == {"better-than-reference": 0.0, "level-with-reference": 1.0}


def test_values_that_are_infinite_are_so():
    class Steep(Small):
        def simulate(self, x, context=None):
            return x / 0 if len(x) == 3 else x

    seen = small(3)
    assert reference_errors(seen, Steep(), "random-search").isinf().all()
