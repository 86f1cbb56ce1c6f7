"""Candidates that were localised: whole numbers stay such, and the best come first."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invcore.learning import Normaliser, Scaling
from invcore.plugin import Levels, LinearEquality, Pairs, generator
from invcore.search import LocalisationConfig, Trust, localise, localised_candidates
from invcore.search.surrogate_trust import Anchors
from invcore.spaces.priors import Categorical, Integers, Uniform
from invcore.spaces.space import Space, Variable

LM, ADAM = LocalisationConfig(solver="lm"), LocalisationConfig(solver="adam", adam_steps=600)
NO_TRUST = Trust(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1))


def scaling_of(features):
    """A scaling that changes nothing, and the box [-1, 1] in each feature."""
    names = (Variable(name=f"x{i}", prior=Uniform(low=-1.0, high=1.0)) for i in range(features))
    nothing = Normaliser(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    return Scaling(Space.of(*names), nothing, nothing)


MIXED = Space.of(
    Variable(name="a", prior=Uniform(low=-5.0, high=5.0)),
    Variable(name="n", prior=Integers(low=0, high=8)),
    Variable(name="k", prior=Categorical(categories=("p", "q", "r"))),
)


def mixed_forward(scaling):
    """y = a + n + 10 k, in scaled features and responses."""
    weight = torch.tensor([1.0, 1.0, 0.0, 10.0, 20.0], dtype=torch.float64)

    def forward(features):
        values = scaling.x.inverse(features.double()) @ weight
        return scaling.y(values[:, None]).float()

    return forward


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_whole_numbers_are_snapped_and_the_rest_makes_up_for_it(config, boxed):
    x = MIXED.sample(300, generator(0))
    train = Pairs(x, (x * torch.tensor([1.0, 1.0, 10.0])).sum(1, keepdim=True))
    scaling = Scaling.fit(MIXED, train)
    forward = mixed_forward(scaling)
    starts = MIXED.sample(40, generator(1))
    moved = starts + torch.tensor([1.3, 1.0, 0.0])  # what is wanted is near, off the grid
    y = (scaling.designs.project(moved) * torch.tensor([1.0, 1.0, 10.0])).sum(1, keepdim=True)
    found = localise(
        forward, scaling.encode(starts), scaling.y(y).float(), scaling, config, boxed=boxed
    )
    designs = scaling.decode(found.x, inside=boxed)
    assert torch.equal(designs[:, 1:], designs[:, 1:].round())
    assert torch.equal(designs[:, 2], starts[:, 2]), "categories keep what the start says"
    assert float((designs[:, 1] - starts[:, 1]).abs().max()) >= 1, "whole numbers do move"
    off = (designs * torch.tensor([1.0, 1.0, 10.0])).sum(1, keepdim=True) - y
    close = off.abs()[:, 0] < 0.02
    assert float(close.double().mean()) > 0.9, off
    if boxed:
        assert bool(scaling.designs.contains(designs).all())


def test_candidates_are_sorted_and_the_converged_keep_their_order():
    scaling = scaling_of(1)
    targets = torch.tensor([[0.5], [4.0]])
    starts = torch.tensor([[[0.9], [0.2], [-0.3]], [[-0.9], [0.0], [0.9]]])
    config = LocalisationConfig(solver="lm", steps=1, max_step=0.5, trust=False)
    found = localised_candidates(lambda x: x, starts, targets, scaling, config, NO_TRUST)
    np.testing.assert_allclose(found.x[0, :, 0], [0.5, 0.5, 0.2], atol=2e-3)
    np.testing.assert_allclose(found.x[1, :, 0], [1.0, 0.5, -0.4], atol=2e-3)
    torch.testing.assert_close(found.predicted, found.x, atol=1e-5, rtol=0)
    assert found.x.dtype == torch.float64

    # all converge: the order is that of the starts, though the last digits of the error differ
    starts = torch.rand(1, 50, 3, generator=generator(0)) * 0.2
    row, target = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([[0.3]])
    sure = LM.model_copy(update={"trust": False})
    found = localised_candidates(lambda x: x @ row.T, starts, target, scaling_of(3), sure, NO_TRUST)
    way = (target - starts[0] @ row.T) @ torch.linalg.pinv(row).T
    np.testing.assert_allclose(found.x[0], starts[0] + way, atol=1e-3)


@pytest.mark.parametrize("trust", [True, False])
def test_start_without_a_response_goes_last(trust):
    def holed(x):
        return torch.where(x < 0, torch.nan, x)

    starts, target = torch.tensor([[[-0.5], [0.5]]]), torch.tensor([[0.7]])
    config = LM.model_copy(update={"trust": trust})
    known = Trust(torch.tensor([[-0.5]]), torch.zeros(1, 1), torch.zeros(1, 1))
    found = localised_candidates(holed, starts, target, scaling_of(1), config, known)
    assert float(found.x[0, 0]) == pytest.approx(0.7, abs=1e-4)
    assert len(found.x[0]) == 2


def test_trust_decides_between_those_that_have_converged():
    starts, target = torch.tensor([[[0.5], [-0.5], [0.9]]]), torch.tensor([[0.49]])
    sides = torch.tensor([[-0.7], [0.7]]).repeat(10, 1)
    known = Trust(sides, sides, torch.where(sides > 0, 0.7, 0.3))
    found = localised_candidates(torch.square, starts, target, scaling_of(1), LM, known)
    np.testing.assert_allclose(found.x[0, :, 0], [-0.7, 0.7, 0.7], atol=1e-3)


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_what_the_model_lacks_at_anchors_is_added_to_what_it_says(config):
    # the model says x where the truth is x + 0.2: with the correction, x = 0.3 gives 0.5
    starts = torch.zeros(1, 2, 1)
    target = torch.tensor([[0.5]])
    rows = torch.zeros(1, 2).long()
    anchors = Anchors(starts, rows, torch.tensor([[[0.0], [0.2]]]), torch.tensor([[2.0, 1.0]]))
    given = (lambda x: x, starts, target, scaling_of(1), config, NO_TRUST)
    found = localised_candidates(*given, anchors=anchors)
    assert found.x.flatten().tolist() == pytest.approx([0.3, 0.5], abs=2e-3), "by doubt"
    torch.testing.assert_close(
        found.predicted, torch.full((1, 2, 1), 0.5, dtype=torch.float64), atol=2e-3, rtol=0
    )


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_searches_stay_on_the_planes_of_sums(config):
    """Across the plane the model leads astray, and steps are made up for along it."""
    space = Space.of(
        *(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"),
        constraints=[
            LinearEquality(coefficients={"a": 1.0, "b": 1.0, "c": 1.0}, value=1.0),
            Levels(variable="d", values=(0.0, 0.5, 1.0)),
        ],
    )
    x = space.sample(300, generator(0))
    scaling = Scaling.fit(space, Pairs(x, x[:, :1] - x[:, 1:2] + x[:, 3:]))

    def forward(features):
        values = scaling.x.inverse(features.double())
        off = values[:, :3].sum(1) - 1
        y = values[:, 0] - values[:, 1] + values[:, 3] + 5 * off
        return scaling.y(y[:, None]).float()

    wanted = torch.full((40, 1), 0.3, dtype=torch.float64)
    found = localise(
        forward, scaling.encode(space.sample(40, generator(1))), scaling.y(wanted).float(),
        scaling, config,
    )  # fmt: skip
    designs = scaling.decode(found.x)
    assert bool(space.contains(designs).all())
    y = designs[:, 0] - designs[:, 1] + designs[:, 3]
    assert float(((y - 0.3).abs() < 0.02).double().mean()) > 0.9
    assert torch.allclose(scaling.y.inverse(found.y.double())[:, 0], y, atol=1e-4)


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_searches_answer_within_inequalities(config):
    """Most answers without the constraints violate them; moved there at the end they are wrong."""
    space = Space.of(
        *(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abc"),
        constraints=["a + b <= 0.6", "b*c <= 0.2", "c <= 0.2 or c >= 0.8"],
    )
    x = space.sample(300, generator(0))
    truth = lambda v: v[:, :1] + 2 * v[:, 1:2] + v[:, 2:]  # noqa: E731
    scaling = Scaling.fit(space, Pairs(x, truth(x)))

    def forward(features):
        return scaling.y(truth(scaling.x.inverse(features.double()))).float()

    wanted = torch.full((60, 1), 1.25, dtype=torch.float64)
    found = localise(
        forward, scaling.encode(space.sample(60, generator(1))), scaling.y(wanted).float(),
        scaling, config,
    )  # fmt: skip
    designs = scaling.decode(found.x)
    assert bool(space.contains(designs).all())
    right = ((truth(designs) - 1.25).abs() < 0.02).double().mean()
    assert float(right) > (0.8 if config is LM else 0.6)
