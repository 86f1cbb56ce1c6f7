"""A second derivative through a simulator that has none says so; it is never silently wrong."""

from __future__ import annotations

import pytest
import torch
from invcore_physics import chunks
from invcore_physics.billiards import Billiards
from invcore_physics.incompressible_flow import IncompressibleFlow
from invcore_physics.kuramoto_sivashinsky import KuramotoSivashinsky
from invcore_physics.once import differentiable_once
from invcore_physics.wave_packet import WavePacket

from invcore import generator

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


def test_many_rows_of_what_has_second_derivatives(monkeypatch):
    task = WavePacket()
    pairs = task.pairs(5, generator(0))
    x, first = slope(task, pairs, torch.sum, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    moved = [slope(task, type(pairs)(pairs.x + s, pairs.y), torch.sum)[1] for s in (1e-5, -1e-5)]
    torch.testing.assert_close(second, (moved[0] - moved[1]) / 2e-5, rtol=1e-5, atol=1e-6)
    x = pairs.x.clone().requires_grad_()
    y = chunks.in_chunks(task._signals, 2, x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="has no gradient itself"):
        torch.autograd.grad(first.sum() + x.sum(), x)


def test_what_needs_no_gradient_is_left_alone():
    x = torch.ones(2)
    assert differentiable_once(x) is x
    with torch.no_grad():
        assert differentiable_once(x.clone().requires_grad_()).grad_fn is None
