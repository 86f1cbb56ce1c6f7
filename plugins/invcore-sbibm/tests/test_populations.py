"""The epidemic and the hunters: what is conserved, and other solutions of the same equations."""

import math

import numpy as np
import torch
from invcore_sbibm.populations import population_paths
from invcore_sbibm.tasks.lotka_volterra import LotkaVolterra, prey_and_predators
from invcore_sbibm.tasks.sir import Sir, susceptible_and_infected
from scipy.integrate import solve_ivp

from invcore.plugin import generator


def test_an_epidemic_keeps_its_people_and_its_invariant():
    x = Sir().designs.sample(200, generator(1))
    s, i = susceptible_and_infected(x).unbind(dim=1)
    assert bool(((s > 0) & (i > 0) & (s + i <= 1)).all())
    assert bool((s.diff(dim=1) <= 0).all() and (s + i).diff(dim=1).max() <= 1e-9)
    kept = s + i - (x[:, 1] / x[:, 0])[:, None] * s.log()  # dI/dS = -1 + γ / (β S)
    assert float((kept - kept[:, :1]).abs().max()) < 1e-6


def test_an_epidemic_is_scipys():
    x = Sir().designs.sample(8, generator(2))
    ours = susceptible_and_infected(x).numpy()
    for (contact, recovery), path in zip(x.tolist(), ours, strict=True):
        known = solve_ivp(
            lambda _, u, b=contact, g=recovery: [-b * u[0] * u[1], b * u[0] * u[1] - g * u[1]],
            (0, 160), [1 - 1e-6, 1e-6], method="DOP853", t_eval=17.0 * np.arange(10), rtol=1e-10,
            atol=1e-14,
        )  # fmt: skip
        np.testing.assert_allclose(path, known.y, atol=1e-6)


def test_hunters_and_prey_keep_their_invariant():
    x = LotkaVolterra().designs.sample(200, generator(3))
    prey, hunters = prey_and_predators(x).unbind(dim=1)
    a, b, c, d = (column[:, None] for column in x.unbind(dim=1))
    kept = d * prey - c * prey.log() + b * hunters - a * hunters.log()
    assert float((kept / kept[:, :1] - 1).abs().max()) < 1e-3


def test_hunters_and_prey_are_scipys():
    def slopes(_, u, a, b, c, d):
        return [a * u[0] - b * u[0] * u[1], -c * u[1] + d * u[0] * u[1]]

    x = LotkaVolterra().designs.sample(8, generator(4))
    for rates, path in zip(x.tolist(), prey_and_predators(x).numpy(), strict=True):
        known = solve_ivp(
            slopes, (0, 20), [30.0, 1.0], method="DOP853", t_eval=2.1 * np.arange(10), rtol=1e-11,
            atol=1e-13, args=rates,
        )  # fmt: skip
        np.testing.assert_allclose(path, known.y, rtol=1e-4)


def test_the_method_is_of_the_fourth_order():
    rates = torch.tensor([[0.9, 0.05, 0.9, 0.05]], dtype=torch.float64)
    coarse, fine, exact = (
        population_paths(rates, (30.0, 1.0), 2.1, 10, steps).log() for steps in (50, 100, 1600)
    )
    order = torch.log2((coarse - exact).abs().max() / (fine - exact).abs().max())
    assert 3.5 < float(order) < 4.5


def test_what_grows_out_of_bounds_has_no_response():
    rates = torch.tensor([[60.0, 0.0, 0.0, 0.0], [1.0, 0.1, 1.0, 0.1]], dtype=torch.float64)
    lost, kept = population_paths(rates, (30.0, 1.0), 2.1, 10, 50)
    assert bool(lost.isnan().all()) and bool(kept.isfinite().all())
    y = LotkaVolterra().simulate(torch.tensor([[60.0, 1e-9, 1.0, 1e-9]], dtype=torch.float64))
    assert not bool(y.isinf().any())


def test_counts_of_the_infected_are_binomial():
    rates = torch.tensor([[0.4, 0.125]], dtype=torch.float64)
    x = rates + 1e-10 * torch.arange(2000.0, dtype=torch.float64)[:, None]
    share = susceptible_and_infected(rates)[0, 1]
    y = Sir().simulate(x)
    assert bool((y == y.round()).all() and (y >= 0).all() and (y <= 1000).all())
    error = (y.mean(dim=0) - 1000 * share) / (1000 * share * (1 - share) / 2000).sqrt()
    assert float(error.abs().max()) < 4
    many = share > 0.01
    ratio = y.var(dim=0)[many] / (1000 * share * (1 - share))[many]
    assert int(many.sum()) >= 3 and float((ratio - 1).abs().max()) < 0.15


def test_counts_of_animals_have_log_normal_errors():
    rates = torch.tensor([[0.8, 0.05, 0.9, 0.05]], dtype=torch.float64)
    x = rates + 1e-10 * torch.arange(2000.0, dtype=torch.float64)[:, None]
    noise = LotkaVolterra().simulate(x).log() - prey_and_predators(rates).flatten(1).log()
    assert float(noise.mean(dim=0).abs().max()) < 0.01
    torch.testing.assert_close(
        torch.cov(noise.T), 0.01 * torch.eye(20, dtype=torch.float64), atol=0.0014, rtol=0
    )


def test_priors_are_log_normal():
    for task, means, spreads in (
        (Sir(), (math.log(0.4), math.log(0.125)), (0.5, 0.2)),
        (LotkaVolterra(), (-0.125, -3.0, -0.125, -3.0), (0.5,) * 4),
    ):
        x = task.designs.sample(20_000, generator(5)).log()
        wide = torch.tensor(spreads, dtype=torch.float64)
        error = (x.mean(dim=0) - torch.tensor(means, dtype=torch.float64)) / wide
        assert float(error.abs().max()) < 0.03
        torch.testing.assert_close(x.std(dim=0), wide, atol=0, rtol=0.02)
