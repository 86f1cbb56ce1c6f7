"""Candidates of models: which are begun first, whose slopes are followed, and their order after."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.contracts.candidates import Candidates
from invcore.contracts.method import InverseModel
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs
from invcore.search import RefinedCandidates, refined_candidates
from tests.search.refinement.formulas import Formula, float64, unit


class WithSlopes(InverseModel):
    """A model whose forward model is known."""

    point_dim = 0

    def __init__(self, slope: float | None) -> None:
        self.slope, self.asked = slope, 0

    def propose(self, targets: Any, points: Any, **more: Any) -> Candidates:
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        return {}

    def gradient(self, designs: Tensor, context: Any = None) -> Tensor | None:
        self.asked += 1
        return None if self.slope is None else torch.full((len(designs), 1, 1), self.slope).double()


def squares(x: Tensor) -> Tensor:
    return torch.where(x < 0.05, torch.nan, x.square())


def after(
    candidates: Candidates, calls: int, model: InverseModel | None = None, ranked: bool = False
) -> RefinedCandidates:
    task = Formula(unit("a"), 1, squares)
    x = torch.linspace(0.05, 1, 40).double()[:, None]
    return refined_candidates(
        model, Problem("squares", task.designs, task.responses), Targets(float64([[0.36]])),
        candidates, Simulator(task), calls, pairs=Pairs(x, squares(x)), variance=0.1,
        generator=torch.Generator(), ranked=ranked,
    )  # fmt: skip


X = float64([[[0.9], [0.3], [0.5], [0.02]]])


def test_the_first_is_the_one_that_the_process_expects_to_be_the_best() -> None:
    found = after(Candidates(X), 1)
    assert found.order[0, 0] == 2 and found.calls.tolist() == [1]
    assert found.candidates.x[0, :, 0].tolist() == [0.5, 0.3, 0.02, 0.9]  # others as expected
    assert found.candidates.predicted is not None
    assert found.candidates.predicted[0, 0, 0] == 0.25
    assert bool(found.candidates.predicted[0, 1:].isnan().all())


def test_what_a_method_predicts_or_its_own_order_comes_before() -> None:
    predicted = (X - 0.3) * 0 + float64([[[0.1], [0.36], [0.2], [0.3]]])
    assert after(Candidates(X, predicted), 1).order[0].tolist() == [1, 3, 2, 0]
    assert after(Candidates(X, predicted), 1, ranked=True).order[0].tolist() == [0, 1, 2, 3]


def test_what_has_no_response_comes_last_and_the_best_first() -> None:
    order = X[:, [3, 0, 1, 2]]
    found = after(Candidates(order), 12, ranked=True)
    torch.testing.assert_close(found.candidates.x[0, 0], float64([0.6]))
    assert found.candidates.x[0, -1, 0] == 0.02
    assert sorted(found.order[0].tolist()) == [0, 1, 2, 3]


def test_slopes_are_the_models_own_where_it_has_some() -> None:
    own, without = WithSlopes(1.2), WithSlopes(None)
    assert after(Candidates(X[:, 2:3]), 8, own).responses[0, 0, 0].sub(0.36).abs() < 1e-6
    assert own.asked > 1
    assert after(Candidates(X[:, 2:3]), 8, without).responses[0, 0, 0].sub(0.36).abs() < 1e-6
    assert without.asked == 1
