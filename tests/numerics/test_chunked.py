"""Functions of rows in bounded memory, and gradients that are no longer differentiable."""

from __future__ import annotations

import pytest
import torch

from invcore.numerics import differentiable_once, in_chunks


def test_chunks_are_as_small_as_asked_and_computed_again_for_gradients():
    seen = []

    def square(x):
        seen.append(len(x))
        return x**2

    x = torch.arange(5.0)[:, None].requires_grad_()
    y = in_chunks(square, 2, x)
    assert seen == [2, 2, 1]
    y.sum().backward()
    assert sorted(seen) == sorted([2, 2, 1] * 2)
    assert torch.equal(x.grad, 2 * x.detach())
    with torch.no_grad():
        seen.clear()
        in_chunks(square, 3, x)
    assert seen == [3, 2]


def test_a_gradient_of_several_chunks_is_not_differentiated():
    def slope(rows):
        x = torch.arange(1.0, 5.0)[:, None].requires_grad_()
        (first,) = torch.autograd.grad(in_chunks(torch.square, rows, x).sum(), x, create_graph=True)
        return x, first

    x, first = slope(4)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert torch.equal(second, torch.full((4, 1), 2.0))
    x, first = slope(2)
    for penalty in (first.sum(), first.square().sum() + x.sum()):
        with pytest.raises(RuntimeError, match="has no gradient itself"):
            torch.autograd.grad(penalty, x, retain_graph=True)


def test_what_needs_no_gradient_is_left_alone():
    x = torch.ones(2)
    assert differentiable_once(x) is x
    with torch.no_grad():
        assert differentiable_once(x.clone().requires_grad_()).grad_fn is None
