"""Pairs that a surrogate adds: where their designs lie, against the law that the steps follow."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from invcore import Space, Uniform, Variable
from invcore.learning import Scaling, SurrogateConfig, TrainingConfig, fit_surrogate
from invcore.learning.augmentation import EnlargeConfig, enlarge, enlarged
from invcore.plugin import FitEnvironment, Pairs, generator
from invcore.spaces.priors import Integers

COUNT = 20000
QUICK = SurrogateConfig(width=8, depth=1, training=TrainingConfig(epochs=1))
SPACE = Space.of(
    Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
    Variable(name="n", prior=Integers(low=0, high=4)),
)


def fitted():
    """A surrogate of designs that are even in a box, and its box's ends."""
    x = SPACE.sample(200, generator(0))
    x[0], x[1] = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 4.0])
    pairs = Pairs(x, x[:, :1])
    scaling = Scaling.fit(SPACE, pairs)
    surrogate, _ = fit_surrogate(QUICK, scaling, pairs, pairs, FitEnvironment())
    return surrogate, *scaling.box(torch.device("cpu"))


@pytest.mark.parametrize("side", [0, 1])
def test_steps_from_an_end_of_the_box_are_mirrored_into_it(side):
    surrogate, low, high = fitted()
    known = Pairs(torch.stack([low, high])[[side]], torch.zeros(1, 1))
    added = enlarge(surrogate, known, COUNT, generator(1), spread=0.1).x[1:]
    inward = ((added - known.x) * (1 if side == 0 else -1))[:, 0].double()
    # half a normal distribution: mean sqrt(2 / pi), mean square 1
    assert float(inward.min()) >= 0 and int((inward == 0).sum()) == 0
    np.testing.assert_allclose(inward.mean(), 0.1 * math.sqrt(2 / math.pi), rtol=0.02)
    np.testing.assert_allclose(inward.square().mean(), 0.01, rtol=0.04)
    assert kstest(inward / 0.1, "halfnorm").pvalue > 0.01
    assert bool((added[:, 1] == known.x[0, 1]).all()), "whole numbers stay"


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_even_designs_stay_even(spread):
    """Mirrored steps are as likely there as back: what is even in the box is so after them."""
    surrogate, low, high = fitted()
    even = low + (high - low) * (torch.arange(1000)[:, None] + 0.5) / 1000
    added = enlarge(surrogate, Pairs(even, even[:, :1]), COUNT, generator(2), spread=spread)
    share = ((added.x[1000:] - low) / (high - low))[:, 0]
    assert kstest(share.double(), "uniform").pvalue > 0.01


def test_known_pairs_come_first_and_the_others_have_the_surrogates_responses():
    surrogate, *_ = fitted()
    x = SPACE.sample(50, generator(3))
    known = surrogate.scaling.pairs(Pairs(x, x[:, :1]))
    more = enlarge(surrogate, known, 70, generator(4))
    assert torch.equal(more.x[:50], known.x) and torch.equal(more.y[:50], known.y)
    torch.testing.assert_close(more.y[50:], surrogate(more.x[50:]).detach())
    still = enlarge(surrogate, known, 70, generator(4), spread=0.0).x[50:]
    assert bool((still[:, None] == known.x).all(-1).any(-1).all())


def test_so_many_for_each():
    x = SPACE.sample(50, generator(3))
    pairs = Pairs(x, x[:, :1])
    scaling = Scaling.fit(SPACE, pairs)
    for times in (0, 3):
        config = EnlargeConfig(times=times, surrogate=QUICK)
        assert len(enlarged(config, scaling, pairs, pairs, FitEnvironment())) == 50 * (1 + times)
