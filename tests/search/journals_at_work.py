"""What the tests of journals share: a small problem, and journals of it by name of the loop."""

from __future__ import annotations

import torch

from invcore import Space, Uniform, Variable
from invcore.plugin import Problem, Results, Targets, installed
from invcore.search import LoopJournal

DESIGNS = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=2.0)) for n in ("width", "oven")))
RESPONSES = Space.of(Variable(name="gap"), Variable(name="mass"))
PROBLEM = Problem("bowl", DESIGNS, RESPONSES)
TARGETS = Targets(torch.tensor([[0.5, 1.0], [1.5, 2.0], [2.5, 0.3]], dtype=torch.float64))
POINTS = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SETTINGS = {"cma-es": {"generations": 30}, "random-search": {"tries": 200}}
LOOPS = {name: installed().registry.load("loop", name) for name in SETTINGS}


def simulate(x):
    return torch.stack([x.square().sum(1), x[:, 0] + x[:, 1] / 2], dim=1)


def build(name, config):
    return LOOPS[name](LOOPS[name].Config.parse(config))


def begin(folder, name="cma-es", **more):
    given = {"problem": PROBLEM, "targets": TARGETS, "points": POINTS, "name": name} | more
    loop = build(name, LOOPS[name].Config.resolve(SETTINGS[name]).model_dump(mode="json"))
    return LoopJournal.create(folder, loop, **given)


def again(folder):
    return LoopJournal.open(folder, build)


def results(requests, y=None):
    return Results(requests.id, requests.designs, simulate(requests.designs) if y is None else y)


def work(journal, steps, count=4):
    """Ask and tell; the last row of each batch comes a batch later, and rows in reverse."""
    for _ in range(steps):
        journal.ask(count)
        left = journal.pending()
        told = torch.arange(len(left)).flip(0)[: max(1, len(left) - 1)]
        journal.tell(results(left[told]))


def same(a, b):
    """Whether two tensors have the same bits where they are known, and NaN in the same places."""
    return torch.equal(a.isnan(), b.isnan()) and torch.equal(a.nan_to_num(), b.nan_to_num())


def same_rows(a, b):
    return all(same(getattr(a, name), getattr(b, name)) for name in vars(a))
