"""Symmetries: closed to a group, used without leaks, exact when averaged over."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy.fitting import split
from invcore_proxy.symmetry import enlarged, group, images, representatives

from invcore import Categorical, ConfigError, Space, Uniform, Variable
from invcore.plugin import Pairs, generator

from .conftest import box, fitted

SWAP, TURN = ["b", "a", "c", "d"], ["b", "c", "d", "a"]


@pytest.mark.parametrize(
    ("symmetries", "size"), [([], 1), ([SWAP], 2), ([TURN], 4), ([SWAP, TURN], 24)]
)
def test_permutations_are_closed_to_their_group(symmetries, size):
    elements = group(symmetries, box("abcd"))
    known = {tuple(e) for e in elements.tolist()}
    assert len(known) == len(elements) == size
    assert elements[0].tolist() == [0, 1, 2, 3]
    for a in elements:
        for b in elements:
            assert tuple(a[b].tolist()) in known


@pytest.mark.parametrize(
    ("names", "said"), [("a b", "each design variable once"), ("a a b", "once"), ("a b x", "once")]
)
def test_what_is_no_permutation_is_refused(names, said):
    with pytest.raises(ConfigError, match=said):
        group([names.split()], box("abc"))


def test_variables_that_are_not_alike_are_refused():
    prior = Uniform(low=-1.0, high=1.0)
    others = [
        Variable(name="b", prior=Uniform(low=-1.0, high=2.0)),
        Variable(name="b", prior=Categorical(categories=("x", "y"))),
        Variable(name="b", prior=prior, low=0.0),
    ]
    for other in others:
        space = Space.of(Variable(name="a", prior=prior), other)
        with pytest.raises(ConfigError, match="'b' in the place of 'a'"):
            group([["b", "a"]], space)


def test_a_group_too_large_is_refused():
    names = "abcdefgh"
    with pytest.raises(ConfigError, match="more than 1000"):
        group([["b", "a", *names[2:]], [*names[1:], "a"]], box(names))


def test_equivalent_designs_have_one_representative():
    elements = group([TURN, SWAP], box("abcd"))
    x = torch.randint(0, 3, (200, 4), generator=generator(0, "t")).double()
    found = representatives(x, elements)
    torch.testing.assert_close(found, x.sort(dim=1).values)  # of the whole symmetric group
    for image in images(x, elements):
        assert torch.equal(representatives(image, elements), found)


def test_equivalent_rows_stay_in_one_part():
    elements = group([TURN], box("abcd"))
    once = box("abcd").sample(60, generator(1, "t"))
    pairs = enlarged(Pairs(once, once.sum(1, keepdim=True)), elements)
    assert len(pairs) == 240
    parts = split(pairs, elements, generator(2, "t"))
    held = [
        {tuple(r) for r in representatives(p.x, elements).tolist()} for p in vars(parts).values()
    ]
    assert sum(len(h) for h in held) == 60
    assert sum(len(p) for p in vars(parts).values()) == 240
    assert all(len(p) == 4 * len(h) for p, h in zip(vars(parts).values(), held, strict=True))


def symmetric(x):
    """The same in any order of its three variables."""
    return torch.sin(2 * x).prod(dim=1, keepdim=True)


def test_a_declared_symmetry_helps_and_holds_exactly():
    known = [["b", "a", "c"], ["b", "c", "a"]]
    without = fitted(symmetric, "abc")[1].held_out
    proxy, report, pairs = fitted(symmetric, "abc", symmetries=known)
    assert report.symmetries == 6
    assert report.held_out.ensemble.mse < 0.5 * without.ensemble.mse
    assert report.held_out.symmetric_deviation < 1e-12
    turned = pairs.x[:, [2, 0, 1]]
    torch.testing.assert_close(proxy(turned), proxy(pairs.x), rtol=1e-10, atol=1e-12)


def test_without_averaging_the_symmetry_is_learnt_alone():
    known = [["b", "a", "c"], ["b", "c", "a"]]
    report = fitted(symmetric, "abc", symmetries=known, symmetrise=False)[1]
    assert report.held_out.symmetric_deviation > 1e-6
