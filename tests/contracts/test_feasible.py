"""Designs that cannot be made: neither drawn nor simulated. Responses that are unknown in part."""

import pytest
import torch

from invcore import LinearEquality, Space, Uniform, Variable
from invcore.base.errors import DataError
from invcore.contracts.simulation.simulator import Budget, Simulator
from invcore.contracts.task import Task
from invcore.plugin import generator

SQUARE = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))


class Corner(Task):
    """Only designs whose sum is below a share can be made; others must never be simulated."""

    designs = SQUARE
    responses = Space.of(Variable(name="u"), Variable(name="v"))
    share = 0.05

    def __init__(self):
        super().__init__()
        self.seen = 0

    def feasible(self, x, context=None):
        return x.sum(dim=1) < self.share

    def simulate(self, x, context=None):
        assert bool(self.feasible(x).all())
        self.seen += len(x)
        return x * 2


class Known(Corner):
    context_shapes = {"shift": ()}

    def contexts(self, count, generator):
        return {"shift": torch.rand(count, generator=generator, dtype=torch.float64)}

    def feasible(self, x, context=None):
        return x.sum(dim=1) < 0.1 * context["shift"]

    def simulate(self, x, context=None):
        assert bool(self.feasible(x, context).all())
        return x + context["shift"][:, None]


class Partly(Task):
    designs, responses = SQUARE, Space.of(Variable(name="u"), Variable(name="v"))

    def simulate(self, x, context=None):
        y = x.clone()
        y[:, 1] = torch.where(x[:, 0] < 0.5, torch.nan, y[:, 1])
        return torch.where(x[:, 1:] < 0.1, torch.nan, y)


def test_a_constrained_prior_is_drawn_until_there_are_enough():
    task = Corner()  # one in 800 designs of the prior can be made
    pairs = task.pairs(500, generator(0, "x"))
    assert len(pairs) == 500 and task.seen == 500
    assert bool(task.feasible(pairs.x).all())
    # Uniform on the triangle: each part of the sum is a third of it on average
    torch.testing.assert_close(
        pairs.x.mean(dim=0), torch.full((2,), 0.05 / 3).double(), rtol=0.1, atol=0
    )
    again = Corner().pairs(500, generator(0, "x"))
    assert torch.equal(pairs.x, again.x)


def test_contexts_stay_with_their_designs():
    pairs = Known().pairs(50, generator(0, "x"))
    assert pairs.context["shift"].shape == (50,)
    assert bool(Known().feasible(pairs.x, pairs.context).all())
    torch.testing.assert_close(pairs.y, pairs.x + pairs.context["shift"][:, None])


def test_a_prior_that_fits_nothing_is_told(complaint, monkeypatch):
    monkeypatch.setattr(Corner, "share", 0.0)
    monkeypatch.setattr("invcore.contracts.task._DRAWS", 1 << 17)
    assert "can be made" in complaint(DataError, Corner().pairs, 5, generator(0, "x"))


def test_what_cannot_be_made_is_not_simulated_and_costs_nothing():
    task, x = Corner(), torch.tensor([[0.01, 0.01], [0.5, 0.5], [0.02, 0.0]]).double()
    simulator = Simulator(task, targets=torch.zeros(2, 2), each=Budget(calls=1), scale=1.0, keep=1)
    y = simulator(x, None, torch.tensor([0, 0, 1]))
    assert y.isnan().all(dim=1).tolist() == [False, True, False]
    assert simulator.calls == task.seen == 2
    assert simulator.record.served.tolist() == [1, 1]


def test_nothing_that_can_be_made_is_no_call():
    simulator = Simulator(Corner())
    assert bool(simulator(torch.ones(3, 2).double()).isnan().all())
    assert simulator.calls == 0


def test_bounds_alone_are_not_looked_at_again():
    assert not Partly().constrained and Corner().constrained
    assert Partly().feasible(torch.tensor([[0.5, 0.5], [2.0, 0.0]])).tolist() == [True, False]


def test_pairs_may_be_unknown_in_part_and_targets_are_whole():
    task = Partly()
    pairs = task.pairs(200, generator(0, "x"))
    assert bool(pairs.y.isnan().any()) and not bool(pairs.y.isnan().all(dim=1).any())
    assert len(pairs.whole()) == int((~pairs.y.isnan().any(dim=1)).sum()) < 200
    splits = task.dataset(100, 30, seed=0)
    assert len(splits.test) == 30 and bool(splits.test.y.isfinite().all())


def test_a_task_whose_responses_are_never_whole_has_no_targets(complaint):
    class Never(Partly):
        def simulate(self, x, context=None):
            return torch.where(torch.tensor([True, False]), x, torch.nan)

    assert "no 5 targets" in complaint(DataError, Never().dataset, 20, 5, 0)


@pytest.mark.parametrize("name", ["na", "mdn"])
def test_methods_learn_though_some_responses_are_unknown(name, make_plugins):
    from invcore import RunConfig, run

    plugins = make_plugins(task={"partly": Partly})
    config = RunConfig.resolve(
        {"task": "partly", "method": name, "targets": 10, "candidates": 8, "pairs": 400},
        preset="quick",
    )
    record = run(config, plugins=plugins)
    assert record.status == "ok", record.reason
    assert record.metric("r_T", 1).value < 0.05


class Blend(Task):
    """Shares of a whole: the space says it, and no ``feasible`` is needed."""

    designs = Space.of(
        *SQUARE.variables, constraints=[LinearEquality(coefficients={"a": 1, "b": 1}, value=1)]
    )
    responses = Space.of(Variable(name="u"), Variable(name="v"))

    def simulate(self, x, context=None):
        assert bool(self.designs.contains(x).all())
        return 2 * x


def test_constraints_of_the_space_are_the_tasks():
    task = Blend()
    assert task.constrained
    pairs = task.pairs(300, generator(0))
    assert len(pairs) == 300 and bool(task.designs.contains(pairs.x).all())
    simulator = Simulator(task)
    x = torch.tensor([[0.25, 0.75], [0.5, 0.6]], dtype=torch.float64)
    y = simulator(x)
    assert y[0].tolist() == [0.5, 1.5] and bool(y[1].isnan().all()) and simulator.calls == 1
