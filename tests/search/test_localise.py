"""Localisation against SciPy's bounded least squares, on forwards whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares, lsq_linear

from invcore.base.errors import ConfigError
from invcore.learning import Normaliser, Scaling
from invcore.plugin import Pairs, generator
from invcore.search import LocalisationConfig, localise
from invcore.spaces.priors import Normal, Uniform
from invcore.spaces.space import Space, Variable

LM, ADAM = LocalisationConfig(solver="lm"), LocalisationConfig(solver="adam", adam_steps=600)


def scaling_of(features, span=1.0):
    """A scaling that changes nothing, and the box [-span, span] in each feature."""
    names = (Variable(name=f"x{i}", prior=Uniform(low=-span, high=span)) for i in range(features))
    nothing = Normaliser(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    return Scaling(Space.of(*names), nothing, nothing)


class Linear:
    """y = A x + b, with a count of the rows that were asked for."""

    def __init__(self, features, responses, seed=0):
        draw = generator(seed)
        self.matrix = torch.randn(responses, features, generator=draw)
        self.shift = torch.randn(responses, generator=draw)
        self.rows = 0

    def __call__(self, x):
        self.rows += len(x)
        return x @ self.matrix.T + self.shift

    def optimum(self, target):
        """The least mean squared error in the box [-1, 1], and where it is."""
        matrix, right = self.matrix.double().numpy(), (target - self.shift).double().numpy()
        found = lsq_linear(matrix, right, (-1, 1), method="bvls", tol=1e-14)
        return 2 * found.cost / len(target), found.x


# features, responses: under- and overdetermined, square, one response (a path of its own)
SIZES = [(3, 1), (6, 3), (3, 3), (8, 8), (2, 4), (1, 3), (1, 1), (4, 20)]


@pytest.mark.parametrize(("features", "responses"), SIZES)
@pytest.mark.parametrize("reach", [0.3, 3.0])
def test_lm_ends_at_the_bounded_least_squares(features, responses, reach):
    forward, scaling = Linear(features, responses), scaling_of(features)
    inside = torch.rand(40, features, generator=generator(1)) * 2 - 1
    target = forward(inside * reach)  # at 3.0, many lie where only the box's faces are best
    start = torch.rand(40, features, generator=generator(2)) * 2 - 1
    found = localise(forward, start, target, scaling, LM)
    best = np.array([forward.optimum(t)[0] for t in target])
    np.testing.assert_allclose(found.error, best, rtol=2e-3, atol=2e-6)
    assert float(found.x.abs().max()) <= 1 + 1e-6
    torch.testing.assert_close(found.y, forward(found.x))
    torch.testing.assert_close(found.error, (found.y - target).square().mean(1))
    if responses >= features:  # then the optimum is one point
        where = np.array([forward.optimum(t)[1] for t in target])
        np.testing.assert_allclose(found.x, where, atol=0.03)


@pytest.mark.parametrize(("features", "responses"), SIZES)
def test_adam_gets_there_too(features, responses):
    forward, scaling = Linear(features, responses), scaling_of(features)
    target = forward(torch.rand(20, features, generator=generator(1)) * 1.6 - 0.8)
    start = torch.rand(20, features, generator=generator(2)) * 4 - 2  # some outside
    found = localise(forward, start, target, scaling, ADAM)
    before = (forward(start) - target).square().mean(1)
    assert float(found.error.mean()) < 5e-3 * float(before.mean())
    assert float(found.x.abs().max()) <= 1 + 1e-6


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_adam_is_torchs(steps):
    forward, rate = Linear(3, 2), 0.02
    start = torch.rand(5, 3, generator=generator(1)) * 0.2 - 0.1
    target = torch.rand(5, 2, generator=generator(2)) * 4
    x = start.clone().requires_grad_()
    theirs = torch.optim.Adam([x], lr=rate)
    for step in range(steps):  # the rate falls in a line to a hundredth
        theirs.param_groups[0]["lr"] = rate * (1 - 0.99 * step / steps)
        theirs.zero_grad()
        (forward(x) - target).square().mean(dim=1).sum().backward()
        theirs.step()
    config = LocalisationConfig(solver="adam", adam_steps=steps, lr=rate, boundary=0.0)
    found = localise(forward, start, target, scaling_of(3), config)
    torch.testing.assert_close(found.x, x.detach(), rtol=1e-4, atol=1e-6)
    if steps == 1:  # by the rate, whatever the gradient's size
        torch.testing.assert_close((found.x - start).abs(), torch.full((5, 3), rate))


@pytest.mark.parametrize(("start", "looks"), [(0.0, 3), (0.0095, 3), (0.0105, 4), (0.3, 4)])
def test_lm_looks_again_where_more_than_a_ten_thousandth_may_be_won(start, looks):
    # (1 + x)² and (1 - x)²: the mean is 1 + x², of which a step to 0 wins x² / (1 + x²). After it,
    # nothing is to be won; the first look and the last are no steps.
    asked = []

    def both(x):
        asked.append(len(x))
        return torch.cat([x, -x], dim=1)

    found = localise(both, torch.tensor([[start]]), -torch.ones(1, 2), scaling_of(1), LM)
    assert float(found.x) == pytest.approx(0.0, abs=1e-3) and len(asked) == looks


@pytest.mark.parametrize("curvature", [-0.8, -0.5, 0.3, 0.5])
def test_lm_ends_within_its_flatness_where_steps_win_little(curvature):
    """(x + 1)² + (c x² + x - 1)² is least at 0, where it is 2; Gauss-Newton's steps leave c x of x,
    and the linear model says that one wins x² (Dennis, Schnabel, 1983, example 10.2.4).
    """

    def forward(x):
        return torch.cat([x + 1, curvature * x.square() + x - 1], dim=1)

    start = torch.linspace(-0.3, 0.3, 20)[:, None]
    found = localise(forward, start, torch.zeros(20, 2), scaling_of(1), LM)
    assert bool((found.error >= 1 - 1e-6).all()) and float(found.error.max()) <= 1 + 3e-4


@pytest.mark.parametrize("responses", [1, 2, 3])
def test_lm_takes_the_shortest_way(responses):
    forward, scaling = Linear(4, responses), scaling_of(4, span=100.0)
    start = torch.randn(6, 4, generator=generator(3))
    target = torch.randn(6, responses, generator=generator(4))
    config = LocalisationConfig(solver="lm", max_step=100.0)
    found = localise(forward, start, target, scaling, config)
    way = (target - forward(start)) @ torch.linalg.pinv(forward.matrix).T
    np.testing.assert_allclose(found.x, start + way, atol=2e-3)


def curved(x):
    return torch.stack([torch.exp(0.5 * x[:, 0]) + x[:, 1] ** 2, torch.sin(x[:, 0]) + x[:, 1]], 1)


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_curved_forward_ends_where_scipys_solver_does(config):
    start = torch.rand(10, 2, generator=generator(0)) * 1.8 - 0.9
    target = curved(start + 0.2 * torch.randn(10, 2, generator=generator(1)))
    found = localise(curved, start, target, scaling_of(2), config)

    def residual(x, t):
        return (curved(torch.tensor(x)[None])[0] - t).numpy()

    for x, t, error in zip(start, target, found.error, strict=True):
        best = least_squares(residual, x.double().numpy(), bounds=(-1, 1), args=(t.double(),))
        assert float(error) == pytest.approx(best.cost, rel=0.02, abs=1e-5)


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
@pytest.mark.parametrize("rows", [1, 7, 65536])
def test_a_start_goes_where_it_would_go_alone(config, rows):
    start = torch.rand(20, 2, generator=generator(0)) * 2 - 1
    target = curved(torch.rand(20, 2, generator=generator(1)) * 2 - 1)
    config = config.model_copy(update={"rows": rows, "adam_steps": 100})
    together = localise(curved, start, target, scaling_of(2), config)
    for i in (0, 9, 19):
        alone = localise(curved, start[i : i + 1], target[i : i + 1], scaling_of(2), config)
        torch.testing.assert_close(alone.x[0], together.x[i], atol=1e-4, rtol=0)


def test_converged_starts_leave():
    forward, scaling = Linear(3, 1), scaling_of(3)
    start = torch.rand(100, 3, generator=generator(0)) * 0.4
    target = forward(start)
    target[:5] += 0.5  # five must move, the others are there
    forward.rows = 0
    localise(forward, start, target, scaling, LM)
    moved = forward.rows - 3 * 100  # the first look, one step of all, the last look
    assert 0 <= moved <= 5 * 10
    forward.rows = 0
    localise(forward, start, target, scaling, LocalisationConfig(solver="adam", adam_steps=50))
    assert forward.rows <= 10 * 100 + 40 * 5 + 100


def test_starts_are_not_written_into():
    start = torch.rand(5, 2, generator=generator(0)) * 4 - 2
    target = curved(start)
    copies = start.clone(), target.clone()
    for config in (LM, ADAM.model_copy(update={"adam_steps": 5})):
        localise(curved, start, target, scaling_of(2), config)
        assert torch.equal(start, copies[0]) and torch.equal(target, copies[1])


@pytest.mark.parametrize("config", [LM, ADAM], ids=["lm", "adam"])
def test_without_the_box_starts_leave_it(config):
    forward, scaling = Linear(1, 1), scaling_of(1)
    target = forward(torch.tensor([[2.0]]))
    start = torch.tensor([[0.5]])
    held = localise(forward, start, target, scaling, config)
    free = localise(forward, start, target, scaling, config, boxed=False)
    assert float(held.x) == pytest.approx(1.0, abs=1e-3)
    assert float(free.x) == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("config", [ADAM, LM])
def test_a_column_that_is_constant_in_the_training_pairs_is_not_moved(config, boxed):
    # Whatever the network makes of the second column, it has never seen it move: the ends of its
    # prior, which are infinite, are no leave to use it.
    space = Space.of(
        Variable(name="a", prior=Uniform(low=-9.0, high=9.0)),
        Variable(name="b", prior=Normal(mean=0.0, std=1.0)),
    )
    x = torch.tensor([[-1.0, 0.5], [1.0, 0.5]], dtype=torch.float64)
    scaling = Scaling.fit(space, Pairs(x, x[:, :1]))
    start = scaling.encode(torch.tensor([[0.5, 7.0]]))
    found = localise(
        lambda x: x[:, :1] + x[:, 1:], start, torch.tensor([[4.0]]), scaling, config, boxed=boxed
    )
    assert float(found.x[0, 1]) == 0
    assert float(found.x[0, 0]) == pytest.approx(1.0 if boxed else 4.0, abs=0.2)
    assert float(scaling.decode(found.x, inside=False)[0, 1]) == 0.5


def test_lm_refuses_large_jacobians(complaint):
    forward, scaling = Linear(17, 17), scaling_of(17)
    start, target = torch.zeros(2, 17), torch.ones(2, 17)
    message = complaint(ConfigError, localise, forward, start, target, scaling, LM)
    assert "17" in message and "adam" in message
    auto = localise(forward, start, target, scaling, LocalisationConfig())
    before = (forward(start) - target).square().mean(1)
    assert bool((auto.error < before).all())


def test_no_starts():
    found = localise(curved, torch.zeros(0, 2), torch.zeros(0, 2), scaling_of(2), LM)
    assert found.x.shape == (0, 2) and found.error.shape == (0,)
    with pytest.raises(ValueError, match="solver"):
        LocalisationConfig(solver="newton")


def test_no_steps_leave_the_starts():
    start = torch.rand(5, 2, generator=generator(0)) * 1.8 - 0.9
    for solver in ("lm", "adam"):
        config = LocalisationConfig(solver=solver, steps=0, adam_steps=0)
        found = localise(curved, start, torch.zeros(5, 2), scaling_of(2), config)
        assert torch.equal(found.x, start)
