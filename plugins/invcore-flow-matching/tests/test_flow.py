"""The flow of normal designs, whose velocities and densities have a closed form."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_flow_matching.config import DensityConfig, NetworkConfig
from invcore_flow_matching.coordinates import Coordinates
from invcore_flow_matching.flow import designs_of, hidden_in_part, log_density, matching_loss
from invcore_flow_matching.network import VelocityNetwork, spread, waves_of
from torch.distributions import MultivariateNormal

from invcore import Categorical, Integers, LogUniform, Normal, Space, Uniform, Variable
from invcore.learning import Scaling
from invcore.plugin import Pairs, generator, isolated


class Exact(torch.nn.Module):
    """Velocities of normal designs with a mean and a covariance, as a network says them."""

    def __init__(self, mean, covariance):
        super().__init__()
        self.mean, self.covariance = mean, covariance

    def velocity(self, x, s, embedded):
        """E[x - z | x_s] of (1 - s) x + s z."""
        t, one = 1 - float(s), torch.eye(len(self.mean)).to(x)
        both = t**2 * self.covariance + float(s) ** 2 * one
        gain = torch.linalg.solve(both, t * self.covariance - float(s) * one)
        return self.mean + (x - t * self.mean) @ gain

    def forward(self, x, s, embedded):
        q = spread(s)
        return (self.velocity(x, s, embedded) - (1 - 2 * s) / q * x) * q.sqrt()


def normal(features):
    root = torch.randn(features, features, generator=generator(1, features)).double()
    covariance = 0.3 * root @ root.T / features + 0.2 * torch.eye(features).double()
    mean = torch.linspace(-1, 1, features).double()
    return mean, covariance


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_noise_flows_to_a_normal_distribution(power):
    mean, covariance = normal(3)
    unit = torch.quasirandom.SobolEngine(3, scramble=True, seed=0).draw(2**13).double()
    z = torch.special.ndtri(unit.clamp(1e-9, 1 - 1e-9))
    x = designs_of(Exact(mean, covariance), z, z, 64, power)
    torch.testing.assert_close(x.mean(0), mean, atol=5e-3, rtol=0)
    torch.testing.assert_close(x.T.cov(), covariance, atol=5e-3, rtol=0)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_steps_are_of_the_second_order(power):
    mean, covariance = normal(3)
    values, vectors = torch.linalg.eigh(covariance)
    z = torch.randn(200, 3, generator=generator(14)).double()
    exact = mean + z @ (vectors * values.sqrt()) @ vectors.T
    network = Exact(mean, covariance)
    gaps = [float((designs_of(network, z, z, n, power) - exact).abs().mean()) for n in (16, 64)]
    assert gaps[0] < 0.01 and gaps[1] < 0.2 * gaps[0]  # of the first order it would be a quarter
    one = designs_of(network, z, z, 1, power)
    torch.testing.assert_close(one, mean.expand_as(z), msg="one step gives the mean")


@pytest.mark.parametrize("features", [1, 3])
def test_density_is_that_of_a_normal_distribution(features):
    mean, covariance = normal(features)
    x = mean + torch.randn(50, features, generator=generator(2)).double() @ covariance
    network = Exact(mean, covariance)
    exact = MultivariateNormal(mean, covariance).log_prob(x)
    gaps = [
        (log_density(network, x, x, DensityConfig(steps=steps), 2.0) - exact).abs().max()
        for steps in (32, 64)
    ]
    assert float(gaps[0]) < 0.02 and float(gaps[1]) < 0.3 * float(gaps[0])  # of the second order


def test_probes_estimate_the_divergence():
    mean, covariance = normal(20)
    x = mean + torch.randn(20, 20, generator=generator(2)).double() @ covariance
    network, exact = Exact(mean, covariance), MultivariateNormal(mean, covariance).log_prob(x)
    whole = log_density(network, x, x, DensityConfig(exact=20), 2.0)
    torch.testing.assert_close(whole, exact, atol=0.2, rtol=0)
    several = DensityConfig(exact=19, probes=100)
    found = log_density(network, x, x, several, 2.0)
    assert 0 < float((found - whole).abs().max()) < 2.0
    assert torch.equal(found[3:4], log_density(network, x[3:4], x[3:4], several, 2.0))


def test_the_best_loss_is_that_of_the_expected_velocity():
    mean, covariance = torch.zeros(2).double(), torch.eye(2).double()
    x = torch.randn(20000, 2, generator=generator(3)).double()

    class Standard(Exact):
        def embedded(self, conditions):
            return conditions

        def forward(self, x, s, embedded):
            return 0 * x + self.offset

    network = Standard(mean, covariance)
    losses = []
    for network.offset in (0.0, 0.3):
        losses.append(float(matching_loss(network, x, x, 2.0, generator(4))))
    # Of standard normal designs nothing is left to learn, and the rest has a variance of one
    assert losses[0] == pytest.approx(1.0, abs=0.02)
    assert losses[1] - losses[0] == pytest.approx(0.09, abs=0.02)


def test_velocities_are_the_linear_ones_at_first():
    with isolated(0):
        network = VelocityNetwork(NetworkConfig(width=16, blocks=1), 2, 3, 2)
    x, s = torch.randn(5, 2, generator=generator(5)), torch.full((1, 1), 0.25)
    embedded = network.embedded(torch.randn(5, 5, generator=generator(6)))
    torch.testing.assert_close(network.velocity(x, s, embedded), 0.5 / 0.625 * x)


def test_hidden_responses_are_not_seen():
    with isolated(0):
        network = VelocityNetwork(NetworkConfig(width=16, blocks=1), 2, 3, 2)
    network.requires_grad_(False)
    rows = torch.tensor([[1.0, 2.0, 3.0], [1.0, -5.0, 3.0]])
    some, every = torch.tensor([[1.0, 0.0]] * 2), torch.ones(2, 2)
    hidden, seen = (network.embedded(torch.cat([rows, k], dim=1)) for k in (some, every))
    torch.testing.assert_close(hidden[0], hidden[1])
    assert float((seen[0] - seen[1]).abs().max()) > 0.1
    assert float((seen[0] - hidden[0]).abs().max()) > 0.1


@pytest.mark.parametrize("responses", [1, 2, 5])
def test_rows_lose_some_responses_and_never_all(responses):
    known = torch.ones(4000, responses)
    known[:1000, 0] = 0.0
    known[:1000, -1] = 1.0
    rows = torch.cat([torch.randn(4000, responses + 1, generator=generator(7)), known], dim=1)
    found = hidden_in_part(rows, responses, 0.4, generator(8))
    assert torch.equal(found[:, :-responses], rows[:, :-responses])
    left = found[:, -responses:]
    assert bool((left <= known).all()) and bool((left.sum(dim=1) >= 1).all())
    share = float((left[1000:].sum(dim=1) < responses).float().mean())
    assert share == pytest.approx(0.4 if responses > 1 else 0.0, abs=0.03)
    if responses > 1:
        numbers = left[1000:].sum(dim=1)
        for count in range(1, responses):
            part = float((numbers == count).float().mean())
            assert part == pytest.approx(0.4 / (responses - 1), abs=0.03)


def test_waves_double_their_frequency():
    values = torch.tensor([[0.5, -1.0]]).double()
    found = waves_of(values, 2)[0].tolist()
    quarter = [math.pi / 8, -math.pi / 4]
    sines = [math.sin(a) for a in quarter] + [math.sin(2 * a) for a in quarter]
    cosines = [math.cos(a) for a in quarter] + [math.cos(2 * a) for a in quarter]
    assert found == pytest.approx([0.5, -1.0, *sines, *cosines])


SPACE = Space.of(
    Variable(name="even", prior=Uniform(low=-3.0, high=7.0)),
    Variable(name="decades", prior=LogUniform(low=0.01, high=10.0)),
    Variable(name="layers", prior=Integers(low=1, high=4)),
    Variable(name="bell", prior=Normal(mean=0.0, std=2.0)),
    Variable(name="kind", prior=Categorical(categories=("p", "q"))),
)


def scaled(x):
    return Scaling.fit(SPACE, Pairs(x, x[:, :1]))


def test_uniform_variables_become_normal():
    x = SPACE.sample(20000, generator(9))
    scaling = scaled(x)
    coordinates = Coordinates.of("auto", SPACE, scaling)
    assert coordinates.normal.tolist() == [True, True, True, False, False, False]
    features = scaling.dequantise(scaling.encode(x), generator(10))
    flow = coordinates.forward(features)
    for column in flow.T[:3]:
        assert float(column.mean()) == pytest.approx(0.0, abs=0.03)
        assert float(column.std()) == pytest.approx(1.0, abs=0.03)
    assert torch.equal(flow[:, 3:], features[:, 3:])
    back = coordinates.inverse(flow)
    torch.testing.assert_close(back, features.double(), atol=1e-4, rtol=0)
    assert torch.equal(scaling.decode(back)[:, 2], x[:, 2]), "whole numbers come back"


def test_slopes_are_those_of_the_coordinates():
    x = SPACE.sample(200, generator(11))
    scaling = scaled(x)
    coordinates = Coordinates.of("normal", SPACE, scaling)
    features = scaling.encode(x).double()
    step = 1e-6
    slopes = torch.zeros(len(x)).double()
    for column in range(features.shape[1]):
        moved = features.clone()
        moved[:, column] += step
        change = coordinates.forward(moved) - coordinates.forward(features)
        slopes += (change[:, column] / step).log()
    torch.testing.assert_close(coordinates.log_slopes(features), slopes, atol=1e-3, rtol=0)
    far = features.clone()
    far[:, 0] = 50.0
    assert bool(coordinates.log_slopes(far).isneginf().all())


def test_settings_say_which_variables_become_normal():
    x = SPACE.sample(500, generator(12))
    x[:, 0] = x[:, 0] / 10  # a part of its range
    made = {
        kind: Coordinates.of(kind, SPACE, scaled(x)).normal[:3].tolist()
        for kind in ("auto", "normal", "linear")
    }
    assert made == {
        "auto": [False, True, True], "normal": [True, True, True], "linear": [False] * 3,
    }  # fmt: skip
    x[:, 0] = 2.0
    assert not Coordinates.of("normal", SPACE, scaled(x)).normal[0], "a constant has no range"
    tied = Space.of(*SPACE.variables[:2], constraints=["even + decades <= 10"])
    some = tied.sample(100, generator(13))
    scaling = Scaling.fit(tied, Pairs(some, some[:, :1]))
    assert not bool(Coordinates.of("normal", tied, scaling).normal.any())
