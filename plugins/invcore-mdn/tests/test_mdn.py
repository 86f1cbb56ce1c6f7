"""The mixture density network: its density is one, and it finds a mixture that is known."""

from __future__ import annotations

import pytest
import torch
from invcore_mdn.config import MixtureDensityConfig, NetworkConfig
from invcore_mdn.method import MixtureDensity
from invcore_mdn.mixture import Mixture, MixtureNetwork
from torch.distributions import Categorical as Choice
from torch.distributions import MixtureSameFamily, MultivariateNormal

from invcore import Categorical, Integers, Normal, Space, Variable
from invcore.learning import EnlargeConfig, SurrogateConfig, TrainingConfig
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator, isolated


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed, *shape), dtype=torch.float64)


def mixture(count, components, features, full=True):
    pairs = features * (features - 1) // 2 if full else 0
    return Mixture(
        torch.log_softmax(randn(count, components), -1),
        2 * randn(count, features, components, seed=1),
        0.5 * randn(count, features, components, seed=2),
        randn(count, pairs, components, seed=3),
    )


def reference(known):
    """The same mixture, by torch."""
    covariances = known.factors() @ known.factors().mT
    parts = MultivariateNormal(known.means.mT, covariances)
    return MixtureSameFamily(Choice(logits=known.log_weights), parts)


@pytest.mark.parametrize(("features", "full"), [(1, True), (2, True), (5, True), (3, False)])
def test_density_is_that_of_torch(features, full):
    known = mixture(7, 4, features, full)
    x = 2 * randn(7, features, seed=4)
    torch.testing.assert_close(known.log_prob(x), reference(known).log_prob(x))


def test_precision_is_as_said():
    # L Lᵀ with L = (1 + N) D, here by hand for two features
    known = mixture(1, 1, 2)
    d, slope = known.log_scales.exp()[0, :, 0], known.slopes[0, 0, 0]
    factor = torch.stack([torch.stack([d[0], d.new_zeros(())]), torch.stack([slope * d[0], d[1]])])
    covariance = (known.factors() @ known.factors().mT)[0, 0]
    torch.testing.assert_close(covariance @ (factor @ factor.T), torch.eye(2).double())


def test_diagonal_samples_are_those_of_the_factors():
    known = mixture(5, 3, 4, full=False)
    points = torch.rand(5, 20, 5, generator=generator(1), dtype=torch.float64)
    whole = Mixture(known.log_weights, known.means, known.log_scales, randn(5, 6, 3, seed=3) * 0)
    torch.testing.assert_close(known.sample(points), whole.sample(points))


def test_covariances_of_many_columns_are_diagonal():
    sizes = {}
    for features in (32, 33):
        network = MixtureNetwork(NetworkConfig(components=2, width=4), 1, torch.zeros(2, features))
        sizes[features] = network(torch.zeros(1, 1)).slopes.shape[1]
    assert sizes == {32: 32 * 31 // 2, 33: 0}


def test_samples_have_the_moments_of_their_mixture():
    known = mixture(3, 4, 3)
    unit = torch.quasirandom.SobolEngine(4, scramble=True, seed=0).draw(2**14).double()
    unit = unit.clamp(1e-9, 1 - 1e-9).expand(3, -1, -1)
    x, torchs = known.sample(unit), reference(known)
    torch.testing.assert_close(x.mean(1), torchs.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(x.var(1), torchs.variance, atol=0.05, rtol=0.02)


def test_first_coordinate_chooses_by_cumulative_weights():
    known = mixture(2, 4, 2)
    known = Mixture(
        known.log_weights, 100 * torch.eye(4)[:2].double().expand(2, 2, 4), known.log_scales * 0,
        known.slopes * 0,
    )  # fmt: skip
    edges = torch.rand(2, 500, generator=generator(0), dtype=torch.float64)
    unit = torch.cat([edges[..., None], torch.full((2, 500, 2), 0.5).double()], -1)
    ends = known.log_weights.exp().cumsum(-1)
    expected = (edges[..., None] > ends[:, None]).sum(-1).clamp(max=3)
    found = known.sample(unit)
    wanted = torch.stack([row.mT[i] for row, i in zip(known.means, expected, strict=True)])
    torch.testing.assert_close(found, wanted)
    top = torch.full((2, 1, 3), 1 - 2.0**-33, dtype=torch.float64)
    assert bool(known.sample(top).isfinite().all()), "rounding of the last end does no harm"


def test_far_designs_have_a_finite_density_and_gradient():
    with isolated(0):
        network = MixtureNetwork(
            NetworkConfig(components=5, width=8, depth=1), 1, torch.zeros(5, 2)
        )
    value = network(torch.randn(3, 1, generator=generator(0))).log_prob(torch.full((3, 2), 1e4))
    value.sum().backward()
    assert bool(value.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters())


def test_standard_deviations_are_bounded():
    config = NetworkConfig(components=2, width=8, depth=0, narrowest=0.01, widest=2.0)
    with isolated(0):
        network = MixtureNetwork(config, 1, torch.zeros(2, 1))
    with torch.no_grad():
        begun = network(torch.zeros(1, 1)).log_scales
        torch.testing.assert_close(begun.exp(), torch.full((1, 1, 2), 2.0))
        network.network[-1].weight.mul_(1e6)
        seen = network(torch.linspace(-1, 1, 50)[:, None]).log_scales
    deviation = (-seen).exp()
    assert float(deviation.min()) == pytest.approx(0.01, rel=1e-3)
    assert float(deviation.max()) == pytest.approx(2.0, rel=1e-3)


SPACE = Space.of(
    Variable(name="a", prior=Normal(mean=3.0, std=2.0)),
    Variable(name="b", prior=Normal(mean=0.0, std=0.1)),
)
RESPONSES = Space.of(Variable(name="y"))


def truth(y):
    """A mixture over (a, b) that depends on y: shares, places and correlations."""
    share = torch.sigmoid(2 * y[:, 0])
    ones = torch.ones_like(y[:, 0])
    means = torch.stack([
        torch.stack([5 + y[:, 0], 0.1 * ones], -1), torch.stack([1 - y[:, 0], -0.1 * ones], -1)
    ], 1)  # fmt: skip
    covariances = torch.tensor(
        [[[0.25, 0.015], [0.015, 0.0025]], [[0.09, -0.006], [-0.006, 0.0016]]]
    ).double()
    choice = Choice(torch.stack([share, 1 - share], -1))
    return MixtureSameFamily(
        choice, MultivariateNormal(means, covariances.expand(len(y), -1, -1, -1))
    )


def drawn(count, seed):
    y = 2 * torch.rand(count, 1, generator=generator(seed), dtype=torch.float64) - 1
    with isolated(seed):
        return Pairs(truth(y).sample(), y)


@pytest.fixture(scope="module")
def example():
    problem = Problem("known", SPACE, RESPONSES)
    config = MixtureDensityConfig(
        network=NetworkConfig(components=2, width=32, depth=2, gain=1.0),
        training=TrainingConfig(epochs=25, batch_size=256, lr=0.01, average=0.99),
        enlarge=EnlargeConfig(),
    )
    method = MixtureDensity(config)
    return method, problem, method.fit(problem, drawn(8000, 0), drawn(1000, 1), FitEnvironment())


Y = torch.tensor([[-0.7], [0.0], [0.6]], dtype=torch.float64)


def test_known_mixture_is_recovered(example):
    model = example[2]
    found, scaling = model.mixture(Targets(Y)), model._scaled.scaling
    means = scaling.x.inverse(found.means.mT.double())  # (3, 2, 2): targets, components, features
    factors = scaling.x.scale[:, None] * found.factors().double()
    covariances = factors @ factors.mT
    order = means[..., 0].argsort(dim=1, descending=True)
    rows = torch.arange(3)[:, None]
    known = truth(Y)
    weights = found.log_weights.exp().double()[rows, order]
    torch.testing.assert_close(weights, known.mixture_distribution.probs, atol=0.04, rtol=0)
    parts = known.component_distribution
    unit = torch.tensor([1.0, 0.1]).double()
    close = {"atol": 0.06, "rtol": 0.0}
    torch.testing.assert_close(means[rows, order] / unit, parts.mean / unit, **close)
    both = unit[:, None] * unit
    torch.testing.assert_close(
        covariances[rows, order] / both, parts.covariance_matrix / both, **close
    )


def test_log_density_is_the_truth_nearly(example):
    held = drawn(2000, 2)
    exact = truth(held.y).log_prob(held.x)
    found = example[2].log_density(Targets(held.y), held.x)
    assert found.dtype == torch.float64 and found.shape == (2000,)
    below = float((exact - found).mean())  # the divergence of the model from the truth
    assert -0.01 < below < 0.02


def test_density_integrates_to_one_in_the_designs_own_units(example):
    a, b = torch.linspace(-3, 9, 401).double(), torch.linspace(-0.5, 0.5, 401).double()
    grid = torch.cartesian_prod(a, b)
    cell = float((a[1] - a[0]) * (b[1] - b[0]))
    for y in Y:
        density = example[2].log_density(Targets(y.expand(len(grid), 1)), grid)
        assert float(density.exp().sum() * cell) == pytest.approx(1.0, abs=1e-3)


def test_proposals_follow_the_density(example):
    model = example[2]
    unit = torch.quasirandom.SobolEngine(3, scramble=True, seed=1).draw(2**13).double()
    found = model.propose(Targets(Y), unit.clamp(1e-9, 1 - 1e-9).expand(3, -1, -1)).x
    known = truth(Y)
    spread = known.variance.sqrt()
    assert float(((found.mean(1) - known.mean) / spread).abs().max()) < 0.1
    torch.testing.assert_close(found.std(1) / spread, torch.ones(3, 2).double(), atol=0.1, rtol=0)
    assert model.point_dim == 3 and not model.ranked


@pytest.mark.parametrize("prior", [Integers(low=1, high=4), Categorical(categories=("p", "q"))])
def test_no_density_where_there_is_none(prior):
    space = Space.of(*SPACE.variables, Variable(name="c", prior=prior))
    x = space.sample(60, generator(0))
    pairs = Pairs(x, x[:, :1])
    config = MixtureDensityConfig.resolve({"training": {"epochs": 1}, "enlarge": {"times": 0}})
    model = MixtureDensity(config).fit(
        Problem("toy", space, RESPONSES), pairs, pairs, FitEnvironment()
    )
    assert model.log_density(Targets(pairs.y), x) is None
    unit = torch.rand(60, 4, model.point_dim, generator=generator(0), dtype=torch.float64)
    assert bool(space.contains(model.propose(Targets(pairs.y), unit).x).all())


def test_a_surrogate_adds_pairs_where_it_is_asked_for():
    def fitted(times):
        log, quick = [], TrainingConfig(epochs=2)
        config = MixtureDensityConfig(
            network=NetworkConfig(components=2, width=8, depth=1),
            training=TrainingConfig(epochs=2, batch_size=50),
            enlarge=EnlargeConfig(times=times, surrogate=SurrogateConfig(training=quick)),
        )
        model = MixtureDensity(config).fit(
            Problem("known", SPACE, RESPONSES), drawn(100, 0), drawn(50, 1),
            FitEnvironment(log=log.append),
        )  # fmt: skip
        return {record["stage"] for record in log}, model.state()

    (few, known), (more, added) = fitted(0), fitted(5)
    assert few == {"mdn"} and more == {"enlarge", "mdn"}
    assert not torch.equal(known["network.network.0.weight"], added["network.network.0.weight"])


def test_a_stochastic_system_has_the_spread_of_its_posterior_and_no_surrogate():
    x = Space.of(Variable(name="x", prior=Normal(mean=0.0, std=1.0)))
    pairs = Pairs(x.sample(5000, generator(1)), torch.empty(5000, 1))
    pairs = Pairs(pairs.x, pairs.x + torch.randn(5000, 1, generator=generator(2)).double())
    problem = Problem("noise", x, Space.of(Variable(name="y")), stochastic=True)
    config = MixtureDensityConfig(
        network=NetworkConfig(components=2, width=16, depth=1),
        training=TrainingConfig(epochs=8, batch_size=128, lr=5e-3),
        enlarge=EnlargeConfig(times=3),
    )
    log = []
    env = FitEnvironment(log=log.append)
    model = MixtureDensity(config).fit(problem, pairs[:4000], pairs[4000:], env)
    assert {line["stage"] for line in log if "epoch" in line} == {"mdn"}
    points = torch.rand(1, 2000, model.point_dim, generator=generator(3), dtype=torch.float64)
    drawn = model.propose(Targets(torch.tensor([[1.0]])), points).x[0, :, 0]
    assert abs(float(drawn.mean()) - 0.5) < 0.1 and abs(float(drawn.std()) / 0.5**0.5 - 1) < 0.1


@pytest.mark.parametrize("batch_norm", [False, True])
def test_restarts_are_trained_together(batch_norm):
    config = MixtureDensityConfig(
        network=NetworkConfig(components=3, width=16, depth=1, batch_norm=batch_norm),
        training=TrainingConfig(epochs=3, batch_size=256, restarts=3),
        enlarge=EnlargeConfig(),
    )
    problem, log = Problem("known", SPACE, RESPONSES), []
    model = MixtureDensity(config).fit(
        problem, drawn(1000, 0), drawn(200, 1), FitEnvironment(log=log.append)
    )
    assert log[-1]["val_loss"] < log[0]["val_loss"]
    assert bool(model.log_density(Targets(Y), torch.tensor([[3.0, 0.0]] * 3)).isfinite().all())


def test_restored_model_proposes_the_same(example):
    method, problem, model = example
    state = {k: v.clone() for k, v in model.state().items()}
    before = torch.get_rng_state()
    again = method.restore(problem, state)
    assert torch.equal(torch.get_rng_state(), before)
    unit = torch.rand(3, 10, 3, generator=generator(0), dtype=torch.float64)
    assert torch.equal(*(m.propose(Targets(Y), unit).x for m in (model, again)))
    x = drawn(3, 5).x
    assert torch.equal(*(m.log_density(Targets(Y), x) for m in (model, again)))


@pytest.mark.parametrize(
    ("task", "components", "width", "depth"),
    [("", 13, 1000, 5), ("sine-wave", 13, 1000, 5), ("robotic-arm", 4, 500, 7),
     ("ballistics", 7, 1000, 4), ("meta-material", 4, 1000, 7)],
)  # fmt: skip
def test_presets_resolve_for_each_task(task, components, width, depth):
    quick, default, paper = (
        MixtureDensityConfig.resolve({}, preset=preset, task=task)
        for preset in ("quick", "default", "paper")
    )
    assert default == MixtureDensityConfig() and quick.training.epochs < default.training.epochs
    sizes = (paper.network.components, paper.network.width, paper.network.depth)
    assert sizes == (components, width, depth) and paper.network.covariance == "full"
    training = paper.training
    assert (training.epochs, training.batch_size, training.weight_decay) == (200, 512, 1e-3)
    assert (paper.enlarge.times, training.restarts) == (0, 10)
