"""Loops as methods: driven on the counted simulator, within budgets."""

from __future__ import annotations

import pytest
import torch

from invcore import RunConfig, run
from invcore.base.errors import BudgetError, ConfigError
from invcore.contracts.loop import no_pairs
from invcore.contracts.simulation.simulator import Simulator
from invcore.plugin import FitEnvironment, Problem, Targets, generator, installed
from invcore.search import drive, mean_variance, method_of

POINTS = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(0)).double()


def built(name, task, **settings):
    loop = installed().registry.load("loop", name)
    problem = Problem("line", task.designs, task.responses)
    return loop(loop.Config.resolve(settings)), problem


@pytest.mark.parametrize("name", ["cma-es", "random-search"])
def test_by_hand_and_as_a_method_it_finds_the_same(name, line):
    task, targets = line(), Targets(torch.tensor([[0.5], [1.0], [2.5]]).double())
    settings = {"generations": 6} if name == "cma-es" else {"tries": 40}
    loop, problem = built(name, task, **settings)
    train = task.pairs(30, generator(0, "train"))
    method = method_of(type(loop))(loop.config)
    model = method.fit(problem, train, train, FitEnvironment())
    simulator = Simulator(task)
    found = model.propose(targets, POINTS, simulator=simulator)

    variance = train.y.var(dim=0, correction=0)
    started = loop.start(
        problem, targets, no_pairs(problem), POINTS, FitEnvironment(), variance=variance
    )
    while len(requests := started.ask(7)):  # in small pieces, each told at once
        from invcore.plugin import Results

        started.tell(Results(requests.id, requests.designs, task.simulate(requests.designs)))
    assert torch.equal(found.x, started.best(2).x)
    assert bool(started.finished().all())


def test_a_loop_has_one_name_for_both(line):
    registry = installed().registry
    loop = registry.load("loop", "cma-es")
    assert method_of(loop) is registry.load("method", "cma-es")
    assert registry.find("method", "cma-es").plugin == "invcore-optimisers"


def test_the_simulator_is_told_whose_row_is_whose(line):
    task, seen = line(), []

    class Watching(Simulator):
        def __call__(self, x, context=None, target=None):
            seen.append(target)
            return super().__call__(x, context, target)

    loop, problem = built("random-search", task, tries=4)
    targets = Targets(torch.zeros(3, 1).double())
    started = loop.start(problem, targets, no_pairs(problem), POINTS, FitEnvironment())
    drive(started, Watching(task), targets)
    assert torch.cat(seen).bincount().tolist() == [8, 8, 8]


def test_without_a_simulator_it_says_so(line, complaint):
    loop, problem = built("random-search", line())
    model = method_of(type(loop))(loop.config).restore(problem, {"variance": torch.ones(1)})
    assert "none was given" in complaint(
        ConfigError, model.propose, Targets(torch.zeros(3, 1)), POINTS
    )


def test_a_budget_ends_it(line):
    loop, problem = built("random-search", line(), tries=50)
    targets = Targets(torch.zeros(3, 1).double())
    started = loop.start(problem, targets, no_pairs(problem), POINTS, FitEnvironment())
    with pytest.raises(BudgetError):
        drive(started, Simulator(line(), budget=20), targets)
    data = {"task": "sine-wave", "method": "random-search", "targets": 3, "candidates": 2}
    record = run(RunConfig.resolve(data | {"calls_per_target": 9}, preset="quick"))
    assert (record.status, record.search_calls) == ("ok", 27)


@pytest.mark.parametrize(
    ("variance", "expected"),
    [(None, 1.0), (torch.tensor([1.0, 3.0]), 2.0), (torch.zeros(2), 1.0),
     (torch.tensor([torch.nan]), 1.0)],
)  # fmt: skip
def test_errors_have_a_unit_whatever_is_known(variance, expected):
    assert mean_variance(variance) == expected
