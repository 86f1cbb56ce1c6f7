"""Targets that are few, none, or cannot be moved towards."""

from __future__ import annotations

import pytest
import torch
from invcore_jpo.config import JointConfig
from invcore_jpo.method import JointOptimisation

from invcore import Categorical, Space, Uniform, Variable
from invcore.plugin import Config, FitEnvironment, Problem, Simulator, Targets, Task


class Faint(Task[Config]):
    """A response in a large unit."""

    designs = Space.of(Variable(name="a", prior=Uniform(low=-2.0, high=2.0)))
    responses = Space.of(Variable(name="u"))

    def simulate(self, x, context=None):
        return 1e-4 * (x[:, :1] + 3) ** 2


class Chosen(Faint):
    designs = Space.of(Variable(name="a", prior=Categorical(categories=("p", "q", "r"))))


def proposed(task, targets, **settings):
    method = JointOptimisation(JointConfig(**{"steps": 5, **settings}))
    problem = Problem("t", task.designs, task.responses, task.differentiable)
    pairs = task.pairs(50, torch.Generator().manual_seed(0))
    simulator = Simulator(task)
    points = torch.zeros(len(targets), 2, 0)
    found = method.fit(problem, pairs, pairs, FitEnvironment(0)).propose(
        Targets(targets), points, simulator=simulator
    )
    return found, simulator.calls


@pytest.mark.parametrize("refine", ["bfgs", "lbfgs"])
def test_a_single_target_is_measured_by_how_the_responses_scale(refine):
    target = torch.tensor([[4e-4]], dtype=torch.float64)
    found, _ = proposed(Faint(), target, refine=refine)
    assert float((found.x - -1.0).abs().max()) < 1e-4


def test_no_targets_have_no_designs():
    found, calls = proposed(Faint(), torch.zeros(0, 1, dtype=torch.float64), refine="bfgs")
    assert found.x.shape == (0, 2, 1) and found.predicted.shape == (0, 2, 1) and calls == 0


def test_where_nothing_can_move_nothing_is_searched():
    found, calls = proposed(Chosen(), torch.full((3, 1), 9e-4, dtype=torch.float64))
    assert found.x.shape == (3, 2, 1) and calls == 3
