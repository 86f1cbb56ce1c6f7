"""The neural adjoint on forwards whose inverse is known."""

from __future__ import annotations

import pytest
import torch
from invcore_na.config import NeuralAdjointConfig
from invcore_na.method import NeuralAdjoint

from invcore import ConfigError, Normal, Space, Uniform, Variable
from invcore.learning import SurrogateConfig, TrainingConfig
from invcore.numerics import scattered
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator, installed

SMALL = SurrogateConfig(
    width=32, depth=2, training=TrainingConfig(epochs=60, batch_size=64, lr=0.01, average=0.9)
)
SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
RESPONSES = Space.of(Variable(name="y"))


def square(x):
    """y = a² + b: for each y, a curve of designs."""
    return x[:, :1] ** 2 + x[:, 1:]


def fitted(truth=square, space=SPACE, **config):
    problem = Problem("toy", space, RESPONSES, True)
    x, held = space.sample(800, generator(0)), space.sample(100, generator(1))
    method = NeuralAdjoint(NeuralAdjointConfig(surrogate=SMALL, **config))
    model = method.fit(problem, Pairs(x, truth(x)), Pairs(held, truth(held)), FitEnvironment())
    return method, problem, model


@pytest.fixture(scope="module")
def example():
    return fitted()


def variant(example, **config):
    """The same network, other settings."""
    method, problem, model = example
    other = NeuralAdjoint(NeuralAdjointConfig(surrogate=method.config.surrogate, **config))
    return other.restore(problem, model.state())


def points(batch, count, dim=2, seed=0):
    return torch.rand(batch, count, dim, generator=generator(seed), dtype=torch.float64)


Y = torch.tensor([[-0.4], [0.2], [0.9]])


@pytest.mark.parametrize("solver", ["lm", "adam"])
def test_proposals_give_what_was_wanted(example, solver):
    model = variant(example, localisation={"solver": solver})
    found = model.propose(Targets(Y), points(3, 30))
    again = square(found.x.flatten(0, 1)).view(3, 30, 1)
    off = (again - Y[:, None].double()).abs()[..., 0].sort(1).values
    spread = float(square(SPACE.sample(1000, generator(3))).std())
    assert float(off[:, :20].max()) < 0.15 * spread and float(off[:, 0].max()) < 0.1 * spread
    torch.testing.assert_close(found.predicted, again, atol=0.15 * spread, rtol=0)
    assert bool(SPACE.contains(found.x).all()) and found.x.dtype == torch.float64
    assert float(found.x[..., 0].std(1).min()) > 0.1, "many designs, not one"


def test_solvers_agree(example):
    start = points(3, 20)
    for solver in ("lm", "adam"):
        model = variant(example, localisation={"solver": solver, "trust": False})
        found = model.propose(Targets(Y), start).predicted[:, :15]
        wanted = Y[:, None].double().expand_as(found)
        torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)


def test_candidates_are_ranked_by_the_networks_own_error(example):
    model = variant(example, localisation={"steps": 1, "max_step": 0.3, "trust": False})
    found = model.propose(Targets(Y), points(3, 30))
    error = (found.predicted - Y[:, None]).square()[..., 0]
    assert model.ranked and bool((error.diff(dim=1) > -1e-6).all())
    assert float(error[:, -1].min()) > 1e-3, "not all have converged"
    trusted = variant(example, localisation={"steps": 1, "max_step": 0.3})
    again = trusted.propose(Targets(Y), points(3, 30))
    torch.testing.assert_close(again.x.sort(1).values, found.x.sort(1).values)


def test_trust_puts_first_what_the_network_knows():
    # noise for a > 0: there the network is off at its own pairs, and so will be again
    def noisy(x):
        noise = torch.randn(len(x), 1, generator=generator(9, len(x)), dtype=torch.float64)
        return square(x) + torch.where(x[:, :1] > 0, noise, 0.0)

    example, start = fitted(noisy), points(3, 60)
    share = {}
    for trust in (True, False):
        model = variant(example, localisation={"trust": trust})
        found = model.propose(Targets(Y), start)
        share[trust] = float((found.x[:, :20, 0] > 0).double().mean())
    assert share[True] < 0.1 < 0.3 < share[False]


def line(x):
    return 2 * x[:, :1] + x[:, 1:]


def test_boundary_keeps_designs_in_the_box():
    # y is 3 at most in the box: for y* = 6 the network's optimum lies outside
    example = fitted(line)
    far = Targets(torch.tensor([[6.0]]))
    for solver in ("lm", "adam"):
        held = variant(example, localisation={"solver": solver}, boundary=True)
        free = variant(example, localisation={"solver": solver}, boundary=False)
        inside, outside = (m.propose(far, points(1, 20)) for m in (held, free))
        assert bool(SPACE.contains(inside.x).all())
        assert float(inside.x[0, 0].sum()) > 1.9, "in the corner"
        assert float(SPACE.contains(outside.x).double().mean()) < 0.3
        before, after = (float((f.predicted - 6).abs().mean()) for f in (inside, outside))
        assert after < 0.7 * before


def test_starts_are_from_the_prior_or_uniform_in_the_box():
    space = Space.of(
        Variable(name="a", prior=Normal(mean=5.0, std=0.5)),
        Variable(name="b", prior=Uniform(low=0.0, high=1.0)),
    )
    example = fitted(lambda x: x[:, :1] + x[:, 1:], space)
    stay = {"localisation": {"steps": 0}, "tries": 1}
    start = points(1, 400)
    target = Targets(torch.tensor([[5.5]]))
    prior = variant(example, **stay).propose(target, start).x[0]
    flat = variant(example, start="box", **stay).propose(target, start).x[0]
    low, high = (example[2].state()[f"surrogate.scaling.{end}"] for end in ("low", "high"))
    expected = space.from_unit(start[0]).clamp(low, high)
    torch.testing.assert_close(prior.sort(0).values, expected.sort(0).values, atol=1e-5, rtol=0)
    expected = low + start[0] * (high - low)
    torch.testing.assert_close(flat.sort(0).values, expected.sort(0).values, atol=1e-5, rtol=0)
    assert float(flat[:, 0].std()) > 1.5 * float(prior[:, 0].std())


def test_starts_may_be_training_designs(example):
    stay = {"steps": 0, "nearest": 0.25}
    model = variant(example, start="known", localisation=stay)
    assert model.point_dim == 1
    spread = (torch.arange(200, dtype=torch.float64)[None, :, None] + 0.5) / 200
    found = model.propose(Targets(torch.tensor([[0.5]])), spread)
    known = SPACE.sample(800, generator(0))
    apart = (square(known) - 0.5).abs()[:, 0]
    near = known[apart.argsort()[:200]]
    torch.testing.assert_close(found.x[0], near, atol=1e-6, rtol=0)
    # the network is corrected by what it lacks there: it knows their responses
    torch.testing.assert_close(found.predicted[0], square(near), atol=1e-5, rtol=0)


def test_tries_keep_the_most_promising_start(example):
    stay, start = {"localisation": {"steps": 0}}, points(1, 50)
    target = Targets(torch.tensor([[0.5]]))
    found = variant(example, tries=3, **stay).propose(target, start).x[0]
    designs = SPACE.from_unit(scattered(start[0], 0, 3)).movedim(0, 1)  # (50, 3, 2)
    model = example[2]
    predicted = model._surrogate.predict(designs.flatten(0, 1)).unflatten(0, (50, 3))
    best = (predicted - 0.5).abs()[..., 0].argmin(1)
    expected = designs[torch.arange(50), best]
    torch.testing.assert_close(found.sort(0).values, expected.sort(0).values, atol=1e-4, rtol=0)


def test_tries_bring_candidates_nearer_to_the_posterior(example):
    # Given a² + b = 0.5, a is uniform on (-1, 1): the prior is flat, and b has room for each a
    target, start = Targets(torch.tensor([[0.5]])), points(1, 8000)
    distance = {}
    for tries in (1, 16):
        a = variant(example, tries=tries).propose(target, start).x[0, :, 0].sort().values
        ranks = torch.arange(1, len(a) + 1) / len(a)
        distance[tries] = float((ranks - (a + 1) / 2).abs().max())
    assert distance[16] < 0.5 * distance[1]


def test_restored_model_proposes_the_same(example):
    method, problem, model = example
    state = {k: v.clone() for k, v in model.state().items()}
    again = method.restore(problem, state)
    first, second = (m.propose(Targets(Y), points(3, 10)) for m in (model, again))
    assert torch.equal(first.x, second.x) and torch.equal(first.predicted, second.predicted)
    assert again.point_dim == 2


TASKS = ["", "sine-wave", "robotic-arm", "ballistics", "meta-material"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("preset", ["quick", "default", "paper"])
def test_presets_resolve_for_each_task(preset, task):
    config = NeuralAdjointConfig.resolve({}, preset=preset, task=task)
    surrogate, training = config.surrogate, config.surrogate.training
    if preset == "paper":
        depth = {"ballistics": 3}.get(task, 4)
        rate = {"robotic-arm": 1e-3, "ballistics": 1e-2}.get(task, 5e-4)
        width = 1000 if task == "meta-material" else 500
        assert (surrogate.width, surrogate.depth, surrogate.batch_norm) == (width, depth, True)
        assert (training.epochs, training.batch_size, training.lr) == (500, 1024, rate)
        assert training.schedule == "plateau" and config.localisation.solver == "adam"
    else:
        assert training.epochs == (60 if preset == "quick" else 500)
        assert config == NeuralAdjointConfig.resolve({}, preset=preset)


def test_presets_are_for_tasks_that_exist():
    tasks = {entry.component.name for entry in installed().registry.entries("task")}
    assert {key.partition("/")[2] for key in NeuralAdjointConfig.presets} - {""} <= tasks


def test_known_designs_are_no_starts_where_problems_differ():
    x = SPACE.sample(40, generator(0))
    pairs = Pairs(x, square(x), {"begin": torch.zeros(40)})
    method = NeuralAdjoint(NeuralAdjointConfig(start="known"))
    with pytest.raises(ConfigError, match="answers to other problems"):
        method.fit(Problem("toy", SPACE, RESPONSES, True), pairs, pairs, FitEnvironment())
