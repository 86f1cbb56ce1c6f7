"""Aims at intervals: what is violated, with its slopes, and searches that follow it."""

import pytest
import torch

from invcore.contracts.problem import Targets
from invcore.learning import Scaling
from invcore.plugin import Pairs, Requirement, Space, Specification, Uniform, Variable, generator
from invcore.search import Aim, LocalisationConfig, Trust, localise, localised_candidates

INF = torch.inf
RESPONSES = Space.of(*(Variable(name=name) for name in "uvw"))


def line_scaling(features=3, count=400):
    """Of pairs whose responses are the designs, with units of their own."""
    names = (Variable(name=f"x{i}", prior=Uniform(low=-1.0, high=1.0)) for i in range(features))
    space = Space.of(*names)
    x = space.sample(count, generator(0, "pairs"))
    return Scaling.fit(space, Pairs(x, 10.0 ** torch.arange(features) * x))


def targets(*wanted):
    return Targets.of([Specification.of(one) for one in wanted], RESPONSES)


def test_an_aim_is_the_targets_intervals_in_scaled_units():
    scaling = line_scaling()
    wanted = {"u": Requirement(low=-0.2, high=0.2), "v": Requirement(high=5.0)}
    spread = scaling.y.scale
    aim = Aim.of(targets(wanted).measured_in(spread), scaling, None, torch.device("cpu"))
    y = torch.tensor([[0.5, 9.0, 1e4]]).double()
    expected = torch.tensor([[0.3, 4.0, 0.0]]) / spread
    factor = 1.5**0.5  # two of three responses count, and their mean square is one
    torch.testing.assert_close(aim.residual(scaling.y(y).float()), (factor * expected).float())
    safe = Aim.of(targets(wanted), scaling, torch.full((3,), 0.01), torch.device("cpu"))
    torch.testing.assert_close(safe.low[0, :1], aim.low[0, :1] + 0.02)
    torch.testing.assert_close(safe.high[0, :2], aim.high[0, :2] - 0.02)
    narrow = Aim.of(targets(wanted), scaling, torch.full((3,), 1e3), torch.device("cpu"))
    torch.testing.assert_close(narrow.low[0, :1], narrow.high[0, :1])


def test_weights_and_tolerances_say_how_much_a_violation_counts():
    scaling = line_scaling()
    wanted = {
        "u": Requirement(low=0.0, high=0.1, weight=4.0),
        "v": Requirement(low=0.0, high=0.1, tolerance=float(scaling.y.scale[1]) / 10),
    }
    own = targets(wanted).measured_in(scaling.y.scale)
    aim = Aim.of(own, scaling, None, torch.device("cpu"))
    torch.testing.assert_close(aim.factor[0, 1] / aim.factor[0, 0], torch.tensor(5.0))
    assert float(aim.factor[0, 2]) == 0 and float(aim.factor.square().mean()) == pytest.approx(1)


def test_the_slopes_are_those_of_the_residual_and_zero_where_it_is_met():
    low, high = torch.tensor([[0.0, -INF, 1.0]]), torch.tensor([[1.0, 2.0, 1.0]])
    aim = Aim(low, high, torch.tensor([[1.0, 2.0, 0.5]]))
    jacobian = torch.randn(1, 3, 4, generator=generator(0))
    for y in (torch.tensor([[0.5, 3.0, 4.0]]), torch.tensor([[-1.0, 1.0, 1.0]])):
        leaf = torch.zeros(1, 4, requires_grad=True)
        at = y + (jacobian @ leaf[..., None])[..., 0]
        slopes = torch.stack([
            torch.autograd.grad(aim.residual(at)[0, j] ** 2 / 2, leaf, retain_graph=True)[0][0]
            for j in range(3)
        ])  # fmt: skip
        expected = aim.residual(y)[0, :, None] * aim.slopes(y, jacobian)[0]
        torch.testing.assert_close(slopes, expected)
    assert bool((aim.slopes(torch.tensor([[0.5, 1.0, 1.0]]), jacobian)[0, :2] == 0).all())
    # An exact response has slopes where it is met, so that it stays met
    assert bool((aim.slopes(torch.tensor([[0.5, 1.0, 1.0]]), jacobian)[0, 2] != 0).all())


def test_equal_ends_are_the_exact_aim_to_the_last_bit():
    y, aims = torch.randn(2, 50, 3, generator=generator(1))
    exact, equal = Aim.at(aims), Aim(aims, aims.clone())
    assert exact.exact and not equal.exact
    assert torch.equal(exact.residual(y), equal.residual(y))
    assert torch.equal(exact.error(y), (y - aims).square().mean(dim=1))
    jacobian = torch.randn(50, 3, 2, generator=generator(2))
    assert torch.equal(equal.slopes(y, jacobian), jacobian)
    less = exact.less(torch.ones(50, 3))
    assert less.exact and torch.equal(less.low, aims - 1)


@pytest.mark.parametrize("solver", ["lm", "adam"])
def test_searches_come_inside_and_leave_what_is_inside_where_it_is(solver):
    scaling = line_scaling()
    config = LocalisationConfig(solver=solver, lr=0.05)
    low, high = torch.tensor([[0.3, -INF, -0.1]]), torch.tensor([[0.4, -0.5, 0.1]])
    aim = Aim(low, high).repeated(20)
    start = torch.rand(20, 3, generator=generator(3)) - 0.5
    start[0] = torch.tensor([0.35, -0.7, 0.05])
    found = localise(lambda x: x, start, aim, scaling, config)
    assert float(found.error.max()) < 1e-6
    torch.testing.assert_close(found.x[0], start[0])
    away = (found.x[:, 2] - start[:, 2])[start[:, 2].abs() < 0.1]
    torch.testing.assert_close(away, torch.zeros_like(away), atol=1e-6, rtol=0.0)


def test_trust_ranks_by_the_violation_to_expect():
    """Where the model was off by .3 to one side, a design inside by .1 does not meet."""
    known = torch.linspace(-1, 1, 200)[:, None]
    off = torch.where(known < 0, 0.3, 0.0)
    trust = Trust(known, known + off, off)
    aim = Aim(torch.full((2, 1), -INF), torch.tensor([[0.1], [0.1]]))
    x = torch.tensor([[-0.05], [0.05]])
    expected = trust.violation(x, torch.zeros(2, 1), aim)
    assert float(expected[0]) > 0.01 and float(expected[1]) < float(expected[0])
    # By hand: the ten nearest of each
    near = (known[:, 0] + 0.05).abs().argsort()[:10]
    by_hand = (off[near, 0] - 0.1).clamp(min=0).square().mean()
    assert float(expected[0]) == pytest.approx(float(by_hand), rel=1e-5)
    places = trust.nearest(Aim(torch.tensor([[0.5]]), torch.tensor([[0.6]])), 5)[1]
    assert bool(((trust.y[places] >= 0.5) & (trust.y[places] <= 0.6)).all())


def test_candidates_of_intervals_are_ranked_and_the_error_of_held_pairs_keeps_them_inside():
    scaling = line_scaling()
    pairs = Pairs(torch.randn(100, 3, generator=generator(4)), torch.zeros(100, 3))
    held = Pairs(pairs.x, pairs.x + torch.linspace(-0.1, 0.1, 100)[:, None])
    trust = Trust.fit(lambda x: x, Pairs(pairs.x, pairs.x), generator(0), held)
    assert trust.error.tolist() == pytest.approx([0.068] * 3, abs=0.003)
    assert Trust.restore(trust.state()).error.equal(trust.error)
    old = Trust.restore({k: v for k, v in trust.state().items() if k != "error"})
    assert old.error is None
    wanted = targets({"u": Requirement(low=0.0)})
    starts = scaling.encode(torch.full((1, 4, 3), -0.5).double())
    found = [
        localised_candidates(
            lambda x: x, starts, Aim.of(wanted, scaling, one.error, torch.device("cpu")), scaling,
            LocalisationConfig(), one,
        )
        for one in (trust, old)
    ]  # fmt: skip
    inside, border = (float(one.x[0, 0, 0]) for one in found)
    assert border == pytest.approx(0.0, abs=1e-4)
    assert inside == pytest.approx(2 * 0.068 * float(scaling.x.scale[0]), abs=0.01)


def test_where_no_known_pair_meets_an_aim_starts_are_next_to_the_nearest_known_designs():
    """The model is off by .3, which is known at each pair: from there it is off no more."""
    scaling = line_scaling(features=1)
    known = scaling.encode(torch.linspace(-1, 0.5, 400, dtype=torch.float64)[:, None])
    trust = Trust(known, known + 0.3, torch.full_like(known, 0.3), torch.zeros(1))
    end = known.max() + 0.4
    unmet, met = Aim(end[None, None], torch.full((1, 1), INF)), Aim(known[:1], known[:1] + 1)
    starts = torch.rand(1, 60, 1, generator=generator(0)) - 0.5
    points = torch.rand(1, 60, 1, generator=generator(1)).double()
    found = trust.anchors_of_unmet(unmet, starts, points, 0.1)
    assert bool(found.known.all()) and len(found.features[0].unique()) == 60
    assert float(found.features.mean()) > float(known.quantile(0.95))
    assert bool((found.lacking == 0.3).all())
    stay = trust.anchors_of_unmet(met, starts, points, 0.1)
    assert torch.equal(stay.features, starts) and not bool(stay.known.any())
    assert bool((stay.lacking == 0).all())
    config = LocalisationConfig()
    best = localised_candidates(
        lambda x: x, found.features, unmet, scaling, config, trust, anchors=found
    )  # fmt: skip
    x = scaling.encode(best.x)[0, :, 0]
    torch.testing.assert_close(x + 0.3, (end * torch.ones(60)).clamp(min=0), atol=1e-3, rtol=0.0)
    said = scaling.y(best.predicted)[0, :, 0].float()
    torch.testing.assert_close(said, x + 0.3, atol=1e-4, rtol=0.0)
