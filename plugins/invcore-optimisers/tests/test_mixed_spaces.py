"""Searches on the simulator in spaces of categories, whole numbers and levels."""

import pytest
import torch

from invcore import Categorical, Integers, Space, Uniform, Variable
from invcore.plugin import (
    FitEnvironment,
    Levels,
    Pairs,
    Problem,
    Simulator,
    Targets,
    Task,
    generator,
    installed,
)

METHODS = ("adam", "bfgs", "cma-es", "gradient-descent", "lbfgs", "random-search")


class Layers(Task):
    """A metal, a number of layers, a thickness that comes in levels, and a gap."""

    designs = Space.of(
        Variable(name="metal", prior=Categorical(categories=("air", "gold", "iron"))),
        Variable(name="layers", prior=Integers(low=1, high=6)),
        Variable(name="thickness", prior=Uniform(low=0.0, high=9.0)),
        Variable(name="gap", prior=Uniform(low=0.0, high=1.0)),
        constraints=[Levels(variable="thickness", values=(1.0, 2.0, 5.0, 7.5))],
    )
    responses = Space.of(Variable(name="y1"), Variable(name="y2"))

    def __init__(self):
        super().__init__()
        self.seen = []

    def simulate(self, x, context=None):
        self.seen.append(x.detach())
        metal, layers, thickness, gap = x.unbind(dim=1)
        return torch.stack([metal + 0.3 * layers + gap, thickness * gap + 0.1 * layers], dim=1)


@pytest.mark.parametrize("name", METHODS)
def test_all_that_is_simulated_and_proposed_is_allowed(name):
    task, method = Layers(), installed().registry.load("method", name)
    x = task.designs.sample(100, generator(0))
    pairs = Pairs(x, task.simulate(x))
    task.seen.clear()
    problem = Problem("layers", task.designs, task.responses, True)
    config = method.Config.resolve({}, preset="quick")
    model = method(config).fit(problem, pairs, pairs, FitEnvironment(0))
    points = torch.rand(2, 6, model.point_dim, generator=generator(1), dtype=torch.float64)
    found = model.propose(Targets(pairs.y[:2]), points, simulator=Simulator(task))
    assert bool(task.designs.contains(torch.cat(task.seen)).all())
    assert bool(task.designs.contains(found.x).all())
