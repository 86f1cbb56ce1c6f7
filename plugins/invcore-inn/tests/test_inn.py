"""The invertible network: both objectives do what they say, and the density is one."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_inn.config import INNConfig
from invcore_inn.losses import log_likelihood, padded
from invcore_inn.method import INN
from invcore_invertible import mmd

from invcore import Normal, Space, Uniform, Variable
from invcore.learning import Scaling
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator

SPACE = Space.of(*(Variable(name=n, prior=Normal(mean=1.0, std=2.0)) for n in "ab"))
SQUARE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
PROBLEM = Problem("made", SPACE, Space.of(Variable(name="y")))
SMALL = {
    "network": {"blocks": 4, "width": 32, "total": 4},
    "training": {"epochs": 25, "batch_size": 128, "lr": 5e-3, "average": 0.95},
}


def data(count=2400):
    """y = a + b / 2."""
    x = SPACE.sample(count, generator(0, "x"))
    return Pairs(x, x[:, :1] + 0.5 * x[:, 1:])


def fitted(pairs=None, problem=PROBLEM, log=None, **settings):
    pairs = pairs or data()
    training = SMALL["training"] | settings.pop("training", {})
    method = INN(INNConfig.resolve({**SMALL, "training": training, **settings}))
    env = FitEnvironment(seed=1, **({} if log is None else {"log": log.append}))
    return method.fit(problem, pairs[:2000], pairs[2000:], env)


@pytest.fixture(scope="module", params=["likelihood", "discrepancy"])
def both(request):
    log = []
    return request.param, fitted(objective=request.param, log=log), log


def test_objective_falls(both):
    _, _, log = both
    values = [line["val_loss"] for line in log]
    assert min(values[-3:]) < values[0] - 0.3 * abs(values[0])


def test_discrepancy_of_latents_falls_and_that_of_designs_stays_small(both):
    """MMDs of what a short and a whole training make of held-out pairs and of drawn latents."""
    objective, model, _ = both
    begun = fitted(objective=objective, training={"epochs": 1, "min_steps": 1, "batch_size": 2000})
    held = data()[2000:]
    scaling = Scaling.fit(SPACE, data()[:2000])
    seen = scaling.pairs(held)

    def discrepancies(network):
        with torch.no_grad():
            whole = padded(network, seen.x, 0.05, generator(2))
            y, z, _ = network.split(network(whole))
            drawn = torch.randn(len(z), network.latent, generator=generator(3))
            latent = mmd(torch.cat([y, z], 1), torch.cat([seen.y, drawn], 1))
            return float(latent), float(mmd(network.starts(seen.y, drawn), seen.x))

    before, after = discrepancies(begun._scaled.network), discrepancies(model._scaled.network)
    assert after[0] < 0.5 * before[0], (before, after)
    assert after[1] < 0.05, "designs hardly changed by the network have the right spread already"


def test_candidates_resimulate(both):
    _, model, _ = both
    wanted = torch.tensor([[-2.0], [1.0], [4.0]], dtype=torch.float64)
    x = model.propose(Targets(wanted), torch.rand(3, 500, model.point_dim).double()).x
    y = x[..., 0] + 0.5 * x[..., 1]
    assert float((y - wanted).square().mean()) < 0.05 * float(data().y.var())
    assert float(x.std(1).min()) > 0.3, "and are not all one"


def test_density_integrates_to_one():
    x = SQUARE.sample(2400, generator(3))
    y = x.square().sum(1, keepdim=True)
    problem = Problem("ring", SQUARE, PROBLEM.responses)
    wide = {"response": 0.5, "padding": 0.5}  # nothing is thinner than the grid is fine
    model = fitted(Pairs(x, y), problem, noise=0.5, likelihood=wide, training={"epochs": 12})
    side = torch.linspace(-2.5, 2.5, 51, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    density = model.log_density(Targets(torch.full((len(grid), 1), 0.5)), grid).exp()
    assert float(density.sum()) * 0.1**2 == pytest.approx(1.0, abs=0.04)


def test_likelihood_is_that_of_the_change_of_variables():
    """Against the Jacobian of autograd, and normals written out."""
    model = fitted(training={"epochs": 1})
    network, config = model._scaled.network, INNConfig().likelihood
    whole = torch.randn(5, network.total, generator=generator(4))
    y = torch.randn(5, 1, generator=generator(5))
    found = log_likelihood(network, whole, y, config)
    for row, wanted, value in zip(whole, y, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: network(r[None])[0], row)
        out = network(row[None])[0]
        mean = torch.cat([wanted, torch.zeros(network.total - 1)])
        std = torch.ones(network.total)
        std[0], std[1 + network.latent :] = config.response, config.padding
        log_normal = -0.5 * ((out - mean) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)
        exact = log_normal.sum() + torch.linalg.slogdet(jacobian).logabsdet
        assert float(value) == pytest.approx(float(exact), abs=1e-3)


def test_only_likelihood_gives_a_density(both):
    objective, model, _ = both
    density = model.log_density(Targets(data().y[:3]), data().x[:3])
    assert (density is None) == (objective == "discrepancy")


@pytest.mark.parametrize("objective", ["likelihood", "discrepancy"])
def test_restarts_train_together(objective):
    model = fitted(objective=objective, training={"epochs": 2, "restarts": 3})
    assert all(bool(value.isfinite().all()) for value in model.state().values())


@pytest.mark.parametrize(
    ("task", "blocks", "latent", "total", "width"),
    [("sine-wave", 4, 1, 4, 160), ("robotic-arm", 7, 2, 4, 256), ("ballistics", 6, 3, 4, 160),
     ("meta-material", 7, 3, 330, 160)],
)  # fmt: skip
def test_published_sizes_of_each_task(task, blocks, latent, total, width):
    network = INNConfig.resolve({}, preset="paper", task=task).network
    sizes = (network.blocks, network.latent, network.total, network.width)
    assert sizes == (blocks, latent, total, width)
