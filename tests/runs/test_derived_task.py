"""A task with derived responses: its data, its simulator, and what is counted."""

import pytest
import torch

from invcore.base.errors import DataError
from invcore.base.seeding import generator
from invcore.contracts.simulation.simulator import Simulator, counted_task
from invcore.data.pairs import Pairs, Splits
from invcore.plugin import Config, Space, Task, Uniform, Variable
from invcore.runs.derived_task import with_responses
from invcore.testing.cases.problems import Bowl, Known


class Holes(Task[Config]):
    """No response where x is below zero."""

    designs = Space.of(Variable(name="x", prior=Uniform(low=-1.0, high=1.0)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return torch.where(x < 0, torch.nan, x)


class Rows(Bowl):
    """A table of its own, measured with an error that no simulator knows."""

    def dataset(self, pairs, targets, seed):
        x = self.designs.sample(pairs + targets, generator(seed, "rows"))
        every = Pairs(x, self.simulate(x) + 0.5)
        ends = round(0.8 * pairs), pairs
        return Splits(every[: ends[0]], every[ends[0] : ends[1]], every[ends[1] :])


def test_without_texts_it_is_the_task_itself():
    task = Bowl()
    assert with_responses(task, []) is task


@pytest.mark.parametrize("stochastic", [False, True])
def test_what_is_derived_of_draws_is_a_draw(stochastic):
    task = Bowl()
    task.stochastic = stochastic
    assert with_responses(task, ["s = x1 + y"]).stochastic is stochastic


def test_data_are_those_of_the_task_with_further_columns():
    plain, task = Bowl().dataset(20, 5, 1), with_responses(Bowl(), ["s = x1 + y"])
    splits = task.dataset(20, 5, 1)
    for name in ("train", "val", "test"):
        before, after = getattr(plain, name), getattr(splits, name)
        assert torch.equal(before.x, after.x) and torch.equal(before.y, after.y[:, :1])
        torch.testing.assert_close(after.y[:, 1], before.x[:, 0] + before.y[:, 0])
    assert task.responses.names == ("y", "s") and task.config == Bowl().config


def test_a_table_of_the_tasks_own_gets_them_of_what_was_measured():
    splits = with_responses(Rows(), ["s = 2*y"]).dataset(20, 5, 0)
    assert torch.equal(splits.test.y[:, 1], 2 * splits.test.y[:, 0])


def test_gradients_and_contexts_pass():
    x = torch.tensor([[0.5, 0.25]], dtype=torch.float64, requires_grad=True)
    task = with_responses(Known(), ["s = 3*x1 + y"])
    context = task.contexts(1, torch.Generator())
    y = task.simulate(x, context)
    assert torch.equal(y[:, :1], Known().simulate(x, context))
    (gradient,) = torch.autograd.grad(y[:, 1].sum(), x)
    (own,) = torch.autograd.grad(Known().simulate(x, context).sum(), x)
    torch.testing.assert_close(gradient, own + torch.tensor([[3.0, 0.0]]))


def test_rows_without_a_response_have_no_derived_one():
    task = with_responses(Holes(), ["s = 2*x"])
    assert bool(task.simulate(torch.tensor([[-0.5]])).isnan().all())
    assert bool(task.dataset(20, 5, 0).train.y.isfinite().all())


def test_targets_have_all_derived_responses():
    splits = with_responses(Bowl(), ["s = log(x1)"]).dataset(50, 30, 0)
    assert bool(splits.test.y.isfinite().all()) and len(splits.test) == 30
    assert bool(splits.train.y[:, 1].isnan().any())
    with pytest.raises(DataError, match="derived"):
        with_responses(Rows(), ["s = log(x1)"]).dataset(50, 30, 0)
    with pytest.raises(DataError, match="no targets"):
        with_responses(Bowl(), ["s = log(-1 - x1^2)"]).dataset(50, 30, 0)


def test_what_the_task_computes_by_its_simulator_is_counted():
    plain, task = Simulator(Bowl()), with_responses(Bowl(), ["s = 2*y"])
    counted_task(Bowl(), plain).dataset(20, 5, 0)
    simulator = Simulator(task)
    counted_task(task, simulator).dataset(20, 5, 0)
    assert simulator.calls == plain.calls == 25
