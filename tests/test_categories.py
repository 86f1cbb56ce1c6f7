"""Every method on designs with described categories, and with so many that they are embedded."""

import pytest
import torch

from invcore import Categorical, Integers, Space, Uniform, Variable
from invcore.plugin import (
    FitEnvironment,
    Needs,
    Pairs,
    Problem,
    Simulator,
    Targets,
    Task,
    generator,
    installed,
)

NAMES = tuple(f"metal {i}" for i in range(15))
INDICES = torch.rand(15, 2, generator=generator(5), dtype=torch.float64)
REGISTRY = installed().registry
EVERY = sorted({e.component.name for e in REGISTRY.entries("method")})
# One search by gradients speaks for all: they leave categories as they are
METHODS = [
    name for name in EVERY
    if name == "adam" or Needs.GRADIENT not in REGISTRY.load("method", name).needs
]  # fmt: skip


class Layers(Task):
    """A stack whose layers are of a metal each."""

    free_calls = True
    responses = Space.of(Variable(name="y1"), Variable(name="y2"))

    def __init__(self, described):
        super().__init__()
        rows = tuple(map(tuple, INDICES.tolist())) if described else None
        metal = Categorical(categories=NAMES, descriptors=rows)
        self.designs = Space.of(
            Variable(name="metal", prior=metal),
            Variable(name="layers", prior=Integers(low=1, high=5)),
            Variable(name="gap", prior=Uniform(low=0.0, high=1.0)),
        )

    def simulate(self, x, context=None):
        own = INDICES.to(x)[x[:, 0].long()]
        return torch.stack([own[:, 0] * x[:, 1] + x[:, 2], own[:, 1] + x[:, 2] ** 2], dim=1)


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("name", METHODS)
def test_candidates_are_of_categories_and_models_come_back(name, described):
    task, method = Layers(described), REGISTRY.load("method", name)
    problem = Problem("layers", task.designs, task.responses, True)
    x = task.designs.sample(200, generator(0))
    train = Pairs(x, task.simulate(x))
    config = method.Config.resolve({}, preset="quick")
    fitted = method(_short(config)).fit(problem, train, train[:40], FitEnvironment(0))
    points = torch.rand(2, 5, fitted.point_dim, generator=generator(1), dtype=torch.float64)
    simulator = Simulator(task) if method.needs else None
    found = fitted.propose(Targets(train.y[:2]), points, simulator=simulator).x
    assert bool(task.designs.contains(found).all())
    if method.trains:
        again = method(_short(config)).restore(problem, fitted.state(), fitted.files())
        assert torch.equal(
            again.propose(Targets(train.y[:2]), points, simulator=simulator).x, found
        )


def _short(config):
    """The settings with three epochs, wherever there are such."""
    changes = {}
    for name, value in config:
        if name == "epochs":
            changes[name] = 3
        elif hasattr(value, "model_copy"):
            changes[name] = _short(value)
    return config.model_copy(update=changes)
