"""Tandem on forwards whose inverse is known."""

from __future__ import annotations

import pytest
import torch
from invcore_tandem.config import NetworkConfig, TandemConfig
from invcore_tandem.method import Tandem
from invcore_tandem.network import InverseNetwork, outside

from invcore import Categorical, Integers, Periodic, Space, Uniform, Variable
from invcore.learning import Scaling, SurrogateConfig, TrainingConfig
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator, isolated

QUICK = TrainingConfig(epochs=60, batch_size=64, lr=0.01, average=0.9)
SMALL = {
    "surrogate": SurrogateConfig(width=32, depth=2, training=QUICK),
    "network": NetworkConfig(width=32, depth=2),
    "training": QUICK,
}
SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))


def square(x):
    """y = a² + b: two designs for a response average to a wrong one."""
    return x[:, :1] ** 2 + x[:, 1:2]


def fitted(truth=square, space=SPACE, **config):
    x, held = space.sample(800, generator(0)), space.sample(100, generator(1))
    responses = Space.of(*(Variable(name=f"y{i}") for i in range(truth(x).shape[1])))
    problem, method = Problem("toy", space, responses), Tandem(TandemConfig(**SMALL | config))
    model = method.fit(problem, Pairs(x, truth(x)), Pairs(held, truth(held)), FitEnvironment())
    return method, problem, model


@pytest.fixture(scope="module")
def example():
    return fitted()


def points(batch, count):
    return torch.empty(batch, count, 0, dtype=torch.float64)


Y = torch.linspace(-0.8, 1.6, 25)[:, None]


def test_proposals_give_what_was_wanted(example):
    found = example[2].propose(Targets(Y), points(25, 1))
    again = square(found.x[:, 0])
    assert float((again - Y).abs().max()) < 0.1 and float((again - Y).square().mean()) < 1e-3
    torch.testing.assert_close(found.predicted[:, 0], again, atol=0.05, rtol=0)
    assert bool(SPACE.contains(found.x).all()) and found.x.dtype == torch.float64


def test_the_mean_of_all_designs_would_not_do(example):
    # what a network trained on x itself learns: the average of a is 0 everywhere
    x = SPACE.sample(4000, generator(5))
    y = square(x)
    near = (y - Y.T).abs() < 0.05
    mean = (near.double().T @ x) / near.sum(0)[:, None]
    naive = (square(mean) - Y).square().mean()
    found = example[2].propose(Targets(Y), points(25, 1)).x[:, 0]
    assert float((square(found) - Y).square().mean()) < 0.1 * float(naive)


def test_candidates_of_a_target_are_copies(example):
    _, _, model = example
    several = model.propose(Targets(Y), points(25, 7))
    one = model.propose(Targets(Y), points(25, 1))
    assert several.x.shape == (25, 7, 2) and several.predicted.shape == (25, 7, 1)
    assert torch.equal(several.x, one.x.expand(25, 7, 2))
    assert model.point_dim == 0 and not model.ranked


def line(x):
    return 2 * x[:, :1] + x[:, 1:]


@pytest.fixture(scope="module")
def held_and_free():
    """With the loss and without it. y is 3 at most in the box, but some pairs have 5, too."""

    def shifted(x):
        return torch.where(x[:, :1] > 0.9, 5.0, line(x))

    return [fitted(shifted, boundary=boundary)[2] for boundary in (True, False)]


def test_boundary_keeps_designs_in_the_box(held_and_free):
    wanted = Targets(torch.linspace(-2.5, 5.0, 40)[:, None])
    inside, beyond = (m.propose(wanted, points(40, 1)).x[:, 0] for m in held_and_free)
    assert bool(SPACE.contains(inside).all())
    assert not bool(SPACE.contains(beyond).all()), "without the loss, designs leave the box"


def test_boundary_loss_acts_before_designs_are_moved_inside(held_and_free):
    scaling = held_and_free[0]._surrogate.scaling
    box = scaling.box(torch.device("cpu"))
    y = scaling.y(torch.linspace(-2.9, 5.0, 60)[:, None]).float()
    with torch.no_grad():
        held, free = (float(outside(m._inverse.network(y), box).mean()) for m in held_and_free)
    assert held < 0.2 * free and free > 0.05, (held, free)


def test_distance_outside_is_a_sum_over_features():
    box = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 2.0])
    x = torch.tensor([[0.0, 1.0], [1.5, 2.25], [-3.0, -1.0]])
    assert outside(x, box).tolist() == [0.0, 0.75, 3.0]


MIXED = Space.of(
    Variable(name="length", prior=Uniform(low=0.5, high=2.0)),
    Variable(name="layers", prior=Integers(low=1, high=4)),
    Variable(name="material", prior=Categorical(categories=("air", "glass", "gold"))),
)


def test_network_gives_whole_numbers_and_categories_with_gradients():
    x = MIXED.sample(200, generator(0))
    scaling = Scaling.fit(MIXED, Pairs(x, x[:, :1]))
    with isolated(0):
        network = InverseNetwork(NetworkConfig(width=16, depth=1), scaling)
    features = network(torch.randn(50, 1, generator=generator(1)))
    torch.testing.assert_close(features, scaling.snap(features.detach(), inside=False))
    features.sum().backward()
    last = network.network[-1].weight.grad
    assert bool((last.abs().sum(1) > 0).all()), "to every feature"


def test_angles_are_no_categories():
    """Cosine and sine stay as the network says, of whole hours too."""
    space = Space.of(
        *MIXED.variables,
        Variable(name="hour", prior=Integers(low=0, high=23)),
        constraints=[Periodic(variable="hour", low=0.0, high=24.0)],
    )
    x = space.sample(200, generator(0))
    scaling = Scaling.fit(space, Pairs(x, x[:, :1]))
    with isolated(0):
        network = InverseNetwork(NetworkConfig(width=16, depth=1), scaling)
    y = torch.randn(50, 1, generator=generator(1))
    features, plain = network(y), network.network(y)
    torch.testing.assert_close(features[:, [0, 5, 6]], plain[:, [0, 5, 6]])
    assert features.shape == (50, 7)


def test_whole_numbers_are_made_up_for():
    def stack(x):
        return x[:, :1] * x[:, 1:2]

    layered = Space.of(*MIXED.variables[:2])
    model = fitted(stack, layered)[2]
    wanted = torch.linspace(1.0, 6.0, 50)[:, None]
    x = model.propose(Targets(wanted), points(50, 1)).x[:, 0]
    assert torch.equal(x[:, 1], x[:, 1].round())
    # rounded after training, a design would be off by up to half a layer: 0.1 to 1 in y
    assert float((stack(x) - wanted).abs().median()) < 0.1


def test_restarts_are_trained_together():
    several = QUICK.model_copy(update={"restarts": 3, "epochs": 10})
    batch_norm = NetworkConfig(width=16, depth=1, batch_norm=True, activation="relu")
    model = fitted(training=several, network=batch_norm)[2]
    found = model.propose(Targets(Y), points(25, 1)).x[:, 0]
    assert float((square(found) - Y).square().mean()) < 0.05


def test_restored_model_proposes_the_same(example):
    method, problem, model = example
    state = {k: v.clone() for k, v in model.state().items()}
    before = torch.get_rng_state()
    again = method.restore(problem, state)
    assert torch.equal(torch.get_rng_state(), before)
    first, second = (m.propose(Targets(Y), points(25, 2)) for m in (model, again))
    assert torch.equal(first.x, second.x) and torch.equal(first.predicted, second.predicted)


@pytest.mark.parametrize(
    ("task", "forward", "inverse"),
    [
        ("", (500, 4), (500, 4)),
        ("sine-wave", (500, 4), (500, 4)),
        ("robotic-arm", (300, 2), (500, 3)),
        ("ballistics", (500, 3), (500, 5)),
    ],
)
def test_presets_resolve_for_each_task(task, forward, inverse):
    quick, default, paper = (
        TandemConfig.resolve({}, preset=preset, task=task)
        for preset in ("quick", "default", "paper")
    )
    assert default == TandemConfig() and quick.training.epochs < default.training.epochs
    assert (paper.surrogate.width, paper.surrogate.depth) == forward
    assert (paper.network.width, paper.network.depth) == inverse
    for training in (paper.training, paper.surrogate.training):
        assert (training.epochs, training.batch_size, training.lr) == (500, 1024, 1e-3)
        assert (training.schedule, training.restarts) == ("plateau", 10)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_designs_beyond_float32_beside_whole_numbers(size):
    space = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=size)),
        Variable(name="n", prior=Integers(low=0, high=4)),
    )
    x = space.sample(64, generator(0))
    scaling = Scaling.fit(space, Pairs(x, x[:, :1] / size))
    network = InverseNetwork(TandemConfig().network, scaling)
    assert bool(network(torch.zeros(3, 1)).isfinite().all())
