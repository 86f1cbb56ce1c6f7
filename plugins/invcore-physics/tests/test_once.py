"""A second derivative through a simulator that has none says so; it is never silently wrong."""

from __future__ import annotations

import pytest
import torch
from invcore_physics.billiards import Billiards
from invcore_physics.incompressible_flow import IncompressibleFlow
from invcore_physics.kuramoto_sivashinsky import KuramotoSivashinsky

from invcore.plugin import generator

TASKS = pytest.mark.parametrize("kind", [Billiards, KuramotoSivashinsky, IncompressibleFlow])
LOSSES = pytest.mark.parametrize("loss", [torch.sum, lambda y: y.square().sum()])


def slope(task, pairs, loss, **how):
    x = pairs.x.clone().requires_grad_()
    return x, torch.autograd.grad(loss(task.simulate(x, pairs.context)), x, **how)[0]


@TASKS
@LOSSES
def test_a_gradient_of_a_gradient_is_refused(kind, loss):
    task = kind()
    pairs = task.pairs(3, generator(0))
    x, first = slope(task, pairs, loss, create_graph=True)
    _, plain = slope(task, pairs, loss)
    assert torch.equal(first.detach(), plain)
    for penalty in (first.sum(), first.square().sum() + x.square().sum()):
        with pytest.raises(RuntimeError, match="has no gradient itself"):
            torch.autograd.grad(penalty, x, retain_graph=True)
