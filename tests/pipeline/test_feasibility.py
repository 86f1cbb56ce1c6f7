"""Candidates of any method are allowed when they are judged; what was done to them is told."""

from __future__ import annotations

import pytest
import torch

from invcore.contracts.problem import Problem, Targets
from invcore.pipeline.feasibility import residual_of, within
from invcore.pipeline.proposals import propose
from invcore.plugin import (
    Candidates,
    Categorical,
    Integers,
    InverseModel,
    Space,
    Task,
    Uniform,
    Variable,
    generator,
    installed,
)
from invcore.storage.run_record import RunRecord

X, Y = (Variable(name=n, prior=Uniform(low=0.0, high=2.0)) for n in "xy")
COUNT = Variable(name="n", prior=Integers(low=0, high=5))
KIND = Variable(name="kind", prior=Categorical(categories=("P", "Q")))
SPACE = Space.of(X, Y, KIND, constraints=["x + y <= 1", "if kind == Q then x <= 0.25"])


def candidates(targets=5, count=40):
    x = 3 * torch.rand(targets, count, 3, generator=generator(0)).double() - 0.5
    x[..., 2] = x[..., 2].clamp(0, 1).round()
    return Candidates(x)


def test_what_nothing_constrains_stays_as_it_is():
    plain, given = Space.of(X, Y, KIND), candidates()
    result, moves = within(given, plain)
    assert result is given and moves is None


def test_all_are_allowed_and_no_two_became_one():
    given = candidates()
    before = given.x.clone()
    result, moves = within(given, SPACE, seed=1)
    assert torch.equal(given.x, before)
    assert bool(SPACE.contains(result.x).all())
    inside = SPACE.contains(given.x)
    assert 5 < int(inside.sum()) < 100 and torch.equal(result.x[inside], given.x[inside])
    for rows in result.x:
        assert len(rows.unique(dim=0)) == len(rows)
    near = SPACE.project(given.x)
    same = (near == result.x).all(-1)
    assert int((~same).sum()) == moves.replaced > 5  # corners draw many
    again, _ = within(given, SPACE, seed=1)
    assert torch.equal(again.x, result.x)


def test_what_was_expected_of_a_moved_candidate_is_not_expected_of_another():
    given = candidates()
    predicted = torch.ones(5, 40, 2).double()
    result, _ = within(Candidates(given.x, predicted), SPACE)
    stayed = (result.x == given.x).all(dim=2)
    assert 5 < int(stayed.sum()) < 195
    assert torch.equal(result.predicted.isfinite().all(dim=2), stayed)
    assert torch.equal(result.predicted.isnan().all(dim=2), ~stayed)


def test_the_first_of_copies_stays():
    x = torch.tensor([[[0.0, 0.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, -2.0, 0.0]]]).double()
    result, moves = within(Candidates(x), SPACE)
    assert torch.equal(result.x[0, 0], x[0, 0]) and moves.replaced == 2
    twice = torch.zeros(1, 3, 3).double()  # the method's own copies are its own
    result, moves = within(Candidates(twice), SPACE)
    assert torch.equal(result.x, twice) and moves.replaced == 0


def test_copies_stay_where_there_are_no_more_designs():
    two = Space.of(COUNT, X, constraints=["n <= 1", "x == 0.5", "n + x <= 2"])
    result, moves = within(Candidates(5 * torch.rand(2, 6, 2).double()), two)
    assert bool(two.contains(result.x).all()) and moves.outside == 0


def test_moves_are_counted_in_ranges():
    x = torch.tensor([[[0.5, 0.5, 0.0], [1.5, 0.5, 0.0], [0.5, 0.25, 1.0], [0.1, 2.0, 0.0]]])
    _, moves = within(Candidates(x.double()), SPACE)
    assert moves.share == 0.75 and moves.most_violated == "x + y <= 1" and moves.violated == 0.5
    ways = sorted([0.5 / 2**0.5, 0.125, (1.0**2 + 0.1**2) ** 0.5 / 2])
    near = SPACE.project(x.double())
    measured = ((near - x) / torch.tensor([2.0, 2.0, 1.0])).norm(dim=-1).flatten().sort().values
    assert measured[1:].tolist() == pytest.approx(ways, abs=1e-9)
    assert (moves.median, moves.largest) == pytest.approx((ways[1], ways[2]))
    assert moves.binding == {"x + y <= 1": 0.75, 'if kind == "Q" then x <= 0.25': 0.25}
    assert "; binding: x + y <= 1 (75%), if kind" in moves.text()


def test_nan_candidates_stay():
    x = candidates(1, 3).x
    x[0, 1] = torch.nan
    result, moves = within(Candidates(x), SPACE)
    assert bool(result.x[0, 1].isnan().all()) and moves.outside == 0


class Far(InverseModel):
    """A model that knows no bounds and no constraints."""

    point_dim = 3

    def state(self):
        return {}

    def propose(self, targets, points, *, simulator=None, env=None):
        return Candidates(4 * points - 1)


def test_every_model_is_held_to_the_constraints():
    problem = Problem("any", SPACE, Space.of(Variable(name="z")))
    said = []
    proposed = propose(
        Far(), problem, installed().registry.load("sampler", "lhs")(),
        Targets(torch.zeros(4, 1).double()), 20, told=said.append,
    )  # fmt: skip
    assert bool(SPACE.contains(proposed.x).all())
    assert said[0].share > 0.5 and said[0].outside == 0
    assert "moved to allowed designs" in said[0].text()


class Ring(Task):
    """Designs that its code keeps outside of a disc, and says how far they are from that."""

    designs = Space.of(X, Y, constraints=["x + y <= 3"])
    responses = Space.of(Variable(name="z"))

    def simulate(self, x, context=None):
        return x.sum(1, keepdim=True)

    def residual(self, x, context=None):
        return 1.0 - (x - 0.8).square().sum(1, keepdim=True)

    def feasible(self, x, context=None):
        return self.designs.contains(x) & (self.residual(x) <= 0)[:, 0]


def test_residuals_of_code_move_candidates():
    task = Ring()
    x = 2 * torch.rand(3, 60, 2, generator=generator(0)).double()
    assert float(task.feasible(x.flatten(0, 1)).double().mean()) < 0.5
    result, _ = within(Candidates(x), task.designs, residual=residual_of(task, None))
    good = task.feasible(result.x.flatten(0, 1))
    assert float(good.double().mean()) > 0.97
    inside = task.feasible(x.flatten(0, 1))
    assert torch.equal(result.x.flatten(0, 1)[inside], x.flatten(0, 1)[inside])


def test_tasks_without_residuals_have_none():
    class Plain(Ring):
        residual = Task.residual

    assert residual_of(Plain(), None) is None


def test_records_without_moves_are_read():
    record = RunRecord(
        id="0" * 12,
        task="t",
        method="m",
        sampler="s",
        candidates=1,
        targets=1,
        seed=0,
        device="cpu",
    )
    plain = record.model_dump(mode="json")
    assert plain.pop("moves") is None
    assert RunRecord.parse(plain) == record
