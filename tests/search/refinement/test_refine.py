"""Refinement against what is known of linear and quadratic systems."""

import pytest
import torch
from torch import Tensor

from invcore.base.errors import ConfigError
from invcore.base.types import Context
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.search import refine
from invcore.spaces.priors import Categorical, Integers, LogUniform, Uniform
from invcore.spaces.space import Space, Variable
from invcore.spaces.specification import Requirement, Specification
from tests.search.refinement.formulas import Formula, refined, unit

MATRIX = torch.tensor([[1.0, 0.5], [-0.3, 0.8]]).double()


def linear(x: Tensor) -> Tensor:
    return x @ MATRIX.T + 0.2


def test_linear_system_is_solved_in_two_calls_with_a_surrogate_wrong_by_a_constant() -> None:
    task = Formula(unit("a", "b"), 2, linear)
    truth = torch.tensor([[0.45, 0.55]]).double()
    found = refined(task, linear(truth), [[[0.5, 0.5]]], MATRIX, 5)
    assert found.calls.tolist() == [2]
    torch.testing.assert_close(found.designs[:, 0], truth)
    assert torch.equal(found.responses[:, 0], linear(found.designs[:, 0]))


def test_wrong_slopes_are_mended_in_twice_as_many_steps_as_there_are_variables() -> None:
    # Gay, SIAM Journal on Numerical Analysis 16, 1979: Broyden's method ends after 2 D steps
    task = Formula(unit("a", "b"), 2, linear)
    truth = torch.tensor([[0.45, 0.48]]).double()
    slopes = torch.tensor([[1.2, 0.2], [0.1, 0.9]])
    found = refined(task, linear(truth), [[[0.5, 0.5]]], slopes, 20)
    assert 2 < int(found.calls) <= 2 * 2 + 2
    torch.testing.assert_close(found.designs[:, 0], truth, atol=1e-7, rtol=0)


def test_quadratic_is_solved_faster_than_by_halving() -> None:
    task = Formula(unit("a"), 1, torch.square)
    found = refined(task, [[0.5]], [[[0.6]]], lambda x, _: 2 * x[:, None], 10)
    assert found.responses[0, 0, 0].sub(0.5).square() <= 1e-14
    assert int(found.calls) <= 6


def test_what_is_at_a_bound_is_held_and_the_others_make_up_for_it() -> None:
    task = Formula(unit("a", "b"), 1, lambda x: x.sum(dim=1, keepdim=True))
    found = refined(task, [[1.6]], [[[0.95, 0.5]]], [[1.0, 1.0]], 6)
    torch.testing.assert_close(found.designs[0, 0], torch.tensor([1.0, 0.6]).double())
    assert bool(task.designs.contains(task.rows).all())


def test_sum_of_parts_is_kept() -> None:
    task = Formula(
        unit("a", "b", "c", constraints=["a + b + c = 1"]), 1, lambda x: x[:, :1] - x[:, 1:2]
    )
    found = refined(task, [[0.15]], [[[0.4, 0.3, 0.3]]], [[1.0, -1.0, 0.0]], 6)
    assert found.calls.tolist() == [2]
    torch.testing.assert_close(found.responses[0, 0, 0], torch.tensor(0.15).double())
    assert bool(task.designs.contains(task.rows).all())


def test_inequality_that_leaves_no_room_is_followed() -> None:
    task = Formula(unit("a", "b", constraints=["a + b <= 1"]), 1, lambda x: 2 * x[:, :1] + x[:, 1:])
    found = refined(task, [[1.7]], [[[0.5, 0.5]]], [[2.0, 1.0]], 12)
    torch.testing.assert_close(found.designs[0, 0], torch.tensor([0.7, 0.3]).double())
    assert bool(task.designs.contains(task.rows).all())


def test_categories_and_whole_numbers_stay() -> None:
    designs = Space.of(
        Variable(name="kind", prior=Categorical(categories=("p", "q", "r"))),
        Variable(name="number", prior=Integers(low=1, high=5)),
        Variable(name="size", prior=Uniform(low=0.0, high=1.0)),
    )
    task = Formula(designs, 1, lambda x: x.sum(dim=1, keepdim=True))
    found = refined(task, [[5.45]], [[[2.0, 3.0, 0.5]]], [[1.0, 1.0, 1.0]], 5)
    torch.testing.assert_close(found.designs[0, 0], torch.tensor([2.0, 3.0, 0.45]).double())
    assert bool((task.rows[:, :2] == torch.tensor([2.0, 3.0])).all())


def test_logarithms_are_what_steps_are_even_in() -> None:
    designs = Space.of(Variable(name="rate", prior=LogUniform(low=1e-3, high=1e3)))
    task = Formula(designs, 1, torch.log10)
    slopes = lambda x, _: (1 / (x * torch.log(torch.tensor(10.0))))[:, None]  # noqa: E731
    found = refined(task, [[1.4]], [[[10.0]]], slopes, 5)
    assert found.calls.tolist() == [2]
    torch.testing.assert_close(found.designs[0, 0, 0].log10(), torch.tensor(1.4).double())


def test_each_target_of_a_batch_gets_what_it_gets_alone_and_again() -> None:
    def curved(x: Tensor) -> Tensor:
        return torch.stack([x[:, 0].square() + x[:, 1], (3 * x[:, 1]).sin()], dim=1)

    draws = torch.rand(6, 7, 2, generator=torch.Generator().manual_seed(3)).double()
    truth = torch.rand(6, 2, generator=torch.Generator().manual_seed(4)).double()
    slopes = torch.tensor([[1.0, 1.0], [0.0, 1.5]])
    whole = refined(Formula(unit("a", "b"), 2, curved), curved(truth), draws, slopes, 9)
    again = refined(Formula(unit("a", "b"), 2, curved), curved(truth), draws, slopes, 9)
    assert torch.equal(whole.designs, again.designs)
    for b in range(len(truth)):
        rows = slice(b, b + 1)
        task = Formula(unit("a", "b"), 2, curved)
        alone = refined(task, curved(truth[rows]), draws[rows], slopes, 9)
        torch.testing.assert_close(alone.designs, whole.designs[rows], equal_nan=True)
        assert alone.calls.tolist() == whole.calls[rows].tolist()
        assert len(task.rows) == int(alone.calls) <= 9


def test_every_call_is_counted_for_its_target() -> None:
    task = Formula(unit("a", "b"), 1, lambda x: (9 * x).sin().sum(dim=1, keepdim=True))
    targets = Targets(torch.tensor([[0.3], [5.0], [1.2]]).double())  # the second has no solution
    simulator = Simulator(task, targets=targets)
    draws = torch.rand(3, 30, 2, generator=torch.Generator().manual_seed(0)).double()
    problem = Problem("formula", task.designs, task.responses)

    def slopes(x: Tensor, context: Context | None) -> Tensor:
        return 9 * (9 * x).cos()[:, None]

    found = refine(problem, targets, draws, slopes, simulator, 12, variance=1.0)
    assert simulator.record is not None
    assert found.calls.tolist() == simulator.record.own.tolist()
    assert simulator.calls == int(found.calls.sum())
    assert int(found.calls.max()) == int(found.calls[1]) == 12
    assert int(found.calls[0]) < 12


def test_steps_are_halved_where_there_is_no_response() -> None:
    def broken(x: Tensor) -> Tensor:
        return torch.where(x > 0.58, torch.nan, x.square())

    task = Formula(unit("a"), 1, broken)
    # A surrogate that is too flat steps too far
    found = refined(task, torch.tensor([[0.57**2]]), [[[0.5]]], [[0.5]], 12)
    assert bool(task.rows.gt(0.58).any())
    torch.testing.assert_close(found.designs[0, 0, 0], torch.tensor(0.57).double())


def test_candidates_without_a_response_are_left_for_the_next() -> None:
    task = Formula(unit("a"), 1, lambda x: torch.where(x < 0.4, torch.nan, x))
    found = refined(task, [[0.55]], [[[0.1], [0.5]]], [[1.0]], 5)
    assert found.calls.tolist() == [3]
    assert found.begun.tolist() == [[True, True]]
    assert bool(found.responses[0, 0].isnan()) and found.designs[0, 0, 0] == 0.1
    torch.testing.assert_close(found.designs[0, 1, 0], torch.tensor(0.55).double())


def test_hopeless_basin_is_left_for_a_candidate_elsewhere() -> None:
    # Below 0.5 the response is 1 at least; the target is reached above it alone
    def two(x: Tensor) -> Tensor:
        return torch.where(x < 0.5, 1 + (x - 0.25).square(), 2 * x - 1)

    task = Formula(unit("a"), 1, two)
    candidates = [[[0.31], [0.3], [0.29], [0.9]]]
    slopes = lambda x, _: torch.where(x < 0.5, 2 * (x - 0.25), 2.0)[:, None]  # noqa: E731
    found = refined(task, [[0.7]], candidates, slopes, 20)
    assert found.begun[0].tolist() == [True, False, False, True]
    torch.testing.assert_close(found.responses[0, 3, 0], torch.tensor(0.7).double())
    assert found.responses[0, 0, 0] < 1.001  # and the first came as far as it could


def wishes(task: Formula, **requirements: Requirement) -> Targets:
    return Targets.of([Specification.of(requirements)], task.responses)


def test_intervals_are_entered() -> None:
    task = Formula(unit("a", "b"), 2, linear)
    wanted = wishes(task, y0=Requirement(low=1.0, high=1.1), y1=Requirement(high=0.4))
    found = refined(task, wanted, [[[0.45, 0.7]]], MATRIX, 6)
    assert bool(wanted.met(found.responses).all())
    assert wanted.error(found.responses).item() == 0
    assert int(found.calls) < 6  # and then no more is spent


def test_responses_that_nobody_asks_for_may_be_unknown() -> None:
    def partly(x: Tensor) -> Tensor:
        return torch.cat([x.sum(dim=1, keepdim=True), torch.full_like(x[:, :1], torch.nan)], dim=1)

    task = Formula(unit("a", "b"), 2, partly)
    slopes = [[1.0, 1.0], [1.0, 0.0]]
    found = refined(task, wishes(task, y0=Requirement.exact(1.1)), [[[0.5, 0.5]]], slopes, 5)
    torch.testing.assert_close(found.responses[0, 0, 0], torch.tensor(1.1).double())
    lost = refined(task, wishes(task, y1=Requirement(low=0.0)), [[[0.5, 0.5]]], slopes, 5)
    assert bool(lost.responses.isnan().all())


def test_goals_are_improved_where_all_is_met() -> None:
    task = Formula(unit("a", "b"), 2, lambda x: x)
    wanted = wishes(
        task, y0=Requirement(goal="minimise"), y1=Requirement(low=0.3, high=0.4)
    ).measured_in(torch.tensor([0.3, 0.3]).double())
    found = refined(task, wanted, [[[0.5, 0.6]]], torch.eye(2), 12)
    a, b = found.designs[0, 0].tolist()
    assert 0.3 <= b <= 0.4
    assert a < 0.01


def test_context_of_each_row_is_that_of_its_target() -> None:
    task = Formula(unit("a"), 1, lambda x: x, {"factor": (1,)})
    context = {"factor": torch.tensor([[1.0], [2.0]]).double()}
    targets = Targets(torch.tensor([[0.55], [1.1]]).double(), context)
    found = refined(task, targets, [[[0.5]], [[0.5]]], lambda x, own: own["factor"][..., None], 4)
    assert found.calls.tolist() == [2, 2]
    torch.testing.assert_close(found.designs.flatten(), torch.tensor([0.55, 0.55]).double())


def test_candidates_whose_responses_are_known_cost_no_call() -> None:
    task = Formula(unit("a"), 1, lambda x: x + 0.1)
    candidates = torch.tensor([[[0.5]]]).double()
    found = refined(task, [[0.65]], candidates, [[1.0]], 4, responses=candidates + 0.1)
    assert found.calls.tolist() == [1]
    torch.testing.assert_close(found.designs.flatten(), torch.tensor([0.55]).double())


def test_a_target_that_is_met_spends_no_more() -> None:
    task = Formula(unit("a"), 1, lambda x: x)
    found = refined(task, [[0.5]], [[[0.5], [0.9]]], [[1.0]], 4)
    assert found.calls.tolist() == [1]
    assert found.begun.tolist() == [[True, False]]


def test_no_calls_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        refined(Formula(unit("a"), 1, lambda x: x), torch.zeros(1, 1), [[[0.5]]], [[1.0]], 0)
