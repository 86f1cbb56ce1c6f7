"""Methods that need no training, to find designs with a simulator."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import DivergedError
from invcore.plugin import Candidates, InverseMethod, InverseModel, Needs

SMALL = {"width": 16, "depth": 1, "training": {"epochs": 8, "lr": 0.02, "batch_size": 32}}


class Near(InverseModel):
    """The pairs whose responses are nearest to the target, a few of them."""

    point_dim = 1

    def __init__(self, x, y):
        self.x, self.y = x, y

    def propose(self, targets, points, *, simulator=None, env=None):
        nearest = torch.cdist(targets.y, self.y).argsort(dim=1)[:, :20]  # (B, 20)
        chosen = (points[..., 0] * nearest.shape[1]).long()
        return Candidates(self.x[nearest.gather(1, chosen)])

    def state(self):
        return {"x": self.x, "y": self.y}


class Nearest(InverseMethod):
    def fit(self, problem, train, val, env):
        return Near(train.x, train.y)

    def restore(self, problem, state, files=None):
        return Near(state["x"], state["y"])


class Searched(InverseModel):
    """Newton steps on a, at the b of each point; by differences where there is no gradient."""

    point_dim = 2

    def __init__(self, steps, differentiates):
        self.steps, self.differentiates = steps, differentiates

    def propose(self, targets, points, *, simulator=None, env=None):
        x = torch.stack([points[..., 0], 2 * points[..., 1] - 1], dim=2)
        wanted = targets.y[:, None].expand(*x.shape[:2], 1).flatten(0, 1)
        x = x.flatten(0, 1)
        for _ in range(self.steps):
            if self.differentiates:
                leaf = x.clone().requires_grad_()
                y = simulator(leaf)
                (slope,) = torch.autograd.grad(y.sum(), leaf)
                step = (wanted - y.detach()) / slope[:, :1]
            else:
                step = wanted - simulator(x)
            x = torch.cat([(x[:, :1] + step).clamp(0, 1), x[:, 1:]], dim=1)
        return Candidates(x.unflatten(0, points.shape[:2]))

    def state(self):
        return {}


class Search(InverseMethod):
    needs = Needs.SIMULATOR
    seen: dict[str, object] = {}
    model = Searched

    def fit(self, problem, train, val, env):
        Search.seen = {"problem": problem, "train": len(train)}
        return Searched(3, bool(self.needs & Needs.GRADIENT))

    def restore(self, problem, state, files=None):
        return Searched(3, False)


class Newton(Search):
    needs = Needs.SIMULATOR | Needs.GRADIENT


class Lost(Search):
    def fit(self, problem, train, val, env):
        raise DivergedError("all is lost")


@pytest.fixture(autouse=True)
def small_judge(monkeypatch):
    monkeypatch.setattr(
        "invcore_solve.judging.ensemble.JudgeConfig.presets",
        {"quick": {"members": 2, "surrogate": SMALL}},
    )


@pytest.fixture(autouse=True)
def plugins(make_plugins, monkeypatch):
    """Methods that need no training beside the installed ones."""
    made = make_plugins(
        method={"nearest": Nearest, "search": Search, "newton": Newton, "lost": Lost}
    )
    monkeypatch.setattr("invcore_solve.from_simulator.installed", lambda: made)
    monkeypatch.setattr("invcore_solve.designer.installed", lambda: made)


@pytest.fixture
def search() -> type[Search]:
    """The method that searches; what it was given is in ``seen``, its model in ``model``."""
    return Search
