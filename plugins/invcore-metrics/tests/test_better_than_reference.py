"""Shares of problems below a reference, by hand; and the reference's own run."""

import pytest
import torch
from invcore_metrics.better_than_reference import (
    BetterThanReference,
    BetterThanReferenceConfig,
    reference_errors,
)

from invcore import Config, ConfigError, Space, Task, Uniform, Variable
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
