"""The training loop: what it converges to, which weights it keeps, and how the rate goes."""

from __future__ import annotations

import copy
import math
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from invcore.base.errors import ConfigError, DivergedError
from invcore.learning import LossBatch, TrainingConfig, train
from invcore.plugin import FitEnvironment, Pairs, generator, isolated

X = torch.randn(256, 3, generator=generator(0, "x"))
Y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3 + torch.randn(256, 1, generator=generator(0, "y"))
PAIRS, VAL = Pairs(X, Y), Pairs(X[:64], Y[:64])


def linear():
    with isolated(0):
        return nn.Linear(3, 1)


def fit(network, *, loss=None, val_loss=None, pairs=PAIRS, val=VAL, seed=0, **config):
    """Train by least squares unless told otherwise; the report, and the log."""

    def square(part):
        return (network(part.x) - part.y).square().mean()

    log = []
    report = train(
        network, loss or square, val_loss or square, pairs, val,
        TrainingConfig(**{"epochs": 30, "batch_size": 64, "lr": 0.03, "min_steps": 1} | config),
        FitEnvironment(seed=seed, log=log.append),
    )  # fmt: skip
    return report, log


SCHEDULES = ["one-cycle", "cosine", "plateau", "constant"]


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_least_squares_ends_at_the_closed_form(schedule, average):
    network = linear()
    report, log = fit(
        network, val=PAIRS, schedule=schedule, average=average, epochs=220, batch_size=256, lr=0.2
    )
    design = np.c_[X.numpy(), np.ones(256)]
    exact, residual, *_ = np.linalg.lstsq(design, Y.numpy(), rcond=None)
    found = torch.cat([network.weight[0], network.bias]).detach()
    np.testing.assert_allclose(found, exact[:, 0], atol=0.01)
    assert report.val_loss == pytest.approx(residual[0] / 256, rel=1e-3)
    assert len(log) == report.epochs == 220 and log[-1]["stage"] == "training"


def test_kept_weights_are_those_of_the_best_epoch():
    # The validation loss is the distance of the bias from 0.5, which the training passes by.
    network = linear()
    nn.init.zeros_(network.bias)
    seen = []

    def off(part):
        seen.append((abs(float(network.bias) - 0.5), network.state_dict()["bias"].clone()))
        return (network.bias - 0.5).abs().sum()

    report, log = fit(network, val_loss=off, schedule="constant")
    best = min(range(len(seen)), key=lambda i: seen[i][0])
    assert 0 < best < len(seen) - 1, "the best is neither the first nor the last"
    assert report.best_epoch == best + 1 and torch.equal(network.bias.detach(), seen[best][1])
    assert report.val_loss == pytest.approx(seen[best][0])
    assert min(line["val_loss"] for line in log) == report.val_loss


def test_kept_weights_are_averaged_ones():
    network, steps = linear(), []

    def loss(batch):
        steps.append(network.weight.detach().clone())
        return (network(batch.x) - batch.y).square().mean()

    fit(network, loss=loss, epochs=1, batch_size=64, average=0.5, schedule="constant")
    with isolated(0):
        other = nn.Linear(3, 1)
    fit(other, epochs=1, batch_size=64, average=0.0, schedule="constant")
    mean = steps[0]
    for number, weight in enumerate([*steps[1:], other.weight.detach()], 1):
        keep = min(0.5, (1 + number) / (10 + number))
        mean = keep * mean + (1 - keep) * weight
    assert not torch.allclose(network.weight, other.weight)
    np.testing.assert_allclose(network.weight.detach(), mean, rtol=1e-5)


def test_early_stop_counts_epochs_without_a_gain():
    values = iter([5.0, 4.0, 4.5, 3.0, 3.0, 3.5, 3.1, 1.0, 0.5])
    report, log = fit(linear(), val_loss=lambda part: torch.tensor(next(values)), patience=3)
    assert (report.best_epoch, report.epochs, report.val_loss) == (4, 7, 3.0)
    assert len(log) == 7


def test_plateau_halves_the_rate_when_stuck():
    report, log = fit(
        linear(), val_loss=lambda part: torch.tensor(1.0), schedule="plateau", lr=0.08, epochs=12,
        plateau_factor=0.5, plateau_patience=3,
    )  # fmt: skip
    rates = [line["lr"] for line in log]
    changes = [i for i in range(1, 12) if rates[i] != rates[i - 1]]
    assert rates[0] == 0.08 and len(changes) >= 2 and report.best_epoch == 1
    assert all(rates[i] == rates[i - 1] / 2 for i in changes)
    assert all(b - a >= 3 for a, b in pairwise(changes))


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_rate_ends_where_it_should(schedule):
    _, log = fit(linear(), schedule=schedule, lr=0.1, final_lr=0.02, epochs=40)
    rates = [line["lr"] for line in log]
    assert rates[-1] == pytest.approx(0.002, rel=1e-9)
    top = rates.index(max(rates))
    assert rates[top] == pytest.approx(0.1, rel=0.02)
    assert top == (9 if schedule == "one-cycle" else 0)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_constant_rate():
    _, log = fit(linear(), schedule="constant", lr=0.01, epochs=5)
    assert {line["lr"] for line in log} == {0.01}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_loss_that_is_not_finite_has_diverged(bad, complaint):
    def loss(batch: LossBatch):
        return network(batch.x).mean() * (bad if batch.done > 0.5 else 1.0)

    network = linear()
    message = complaint(DivergedError, fit, network, loss=loss, schedule="constant")
    assert "training diverged in epoch 16" in message and "lower lr" in message


def test_validation_that_is_not_a_number_has_diverged(complaint):
    network = linear()
    work = {"val_loss": lambda part: torch.tensor(math.nan)}
    assert "epoch 1" in complaint(DivergedError, fit, network, **work)


def test_validation_that_is_never_finite_has_diverged(complaint):
    network = linear()
    work = {"val_loss": lambda part: torch.tensor(math.inf)}
    assert "was never finite" in complaint(DivergedError, fit, network, **work)


def test_clip_bounds_the_step():
    sizes = []
    for clip in (0.0, 1e-4):
        network = linear()
        fit(network, clip=clip, epochs=1, schedule="constant", batch_size=256)
        sizes.append(float(network.weight.grad.norm()))
    assert sizes[0] > 1e-2 and sizes[1] == pytest.approx(1e-4, rel=0.5)


def test_done_rises_from_0_to_below_1_and_all_rows_are_seen_once():
    shares, rows = [], []

    def loss(batch):
        shares.append(batch.done)
        rows.append(batch.y)
        return (network(batch.x) - batch.y).square().mean()

    network = linear()
    fit(network, loss=loss, epochs=2)
    np.testing.assert_allclose(shares, np.arange(8) / 8)
    for epoch in (rows[:4], rows[4:]):
        assert torch.equal(torch.cat(epoch).sort(dim=0).values, Y.sort(dim=0).values)
    assert not torch.equal(rows[0], rows[4])


@pytest.mark.parametrize("rows", [1, 5, 63, 65])
def test_any_number_of_rows_will_do(rows):
    report, _ = fit(linear(), pairs=PAIRS[:rows], epochs=3)
    assert math.isfinite(report.val_loss)


def test_deterministic_and_global_generators_untouched():
    def state():
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()

    before, found = state(), []
    for seed in (0, 0, 1):
        network = linear()
        fit(network, seed=seed, epochs=3)
        found.append(network.weight.detach().clone())
    assert state() == before
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_few_pairs_get_smaller_batches():
    sizes = []
    network = linear()

    def loss(batch):
        sizes.append(len(batch.x))
        return (network(batch.x) - batch.y).square().mean()

    for rows, steps in ((256, 1), (256, 8), (5, 8)):
        sizes.clear()
        train(
            network, loss, lambda val: torch.zeros(()), Pairs(X[:rows], Y[:rows]), PAIRS,
            TrainingConfig(epochs=1, batch_size=100, min_steps=steps), FitEnvironment(),
        )  # fmt: skip
        expected = max(1, min(100, rows // steps))
        assert sizes == [expected] * (rows // expected)


def plain(inputs=3):
    return nn.Sequential(nn.Linear(inputs, 8), nn.SiLU(), nn.Linear(8, 1))


@pytest.mark.parametrize("clip", [0.0, 0.5])
@pytest.mark.parametrize("schedule", ["one-cycle", "plateau"])
def test_restarts_together_are_the_same_as_one_after_another(schedule, clip):
    settings = dict(epochs=12, batch_size=64, min_steps=1, lr=0.05, average=0.9, clip=clip)
    settings |= dict(schedule=schedule, plateau_patience=1, weight_decay=0.1)

    def trained(network, env, label, restarts=1):
        def loss(part):
            return (network(part.x) - part.y).square().mean()

        config = TrainingConfig(**settings, restarts=restarts)
        return train(network, loss, loss, PAIRS, VAL, config, env, label=label, again=plain)

    class Same(FitEnvironment):
        """One after another with the seeds that restarts have together."""

        def generator(self, *names):
            return super().generator("t", *([self.restart] if self.restart else []))

    env = FitEnvironment(seed=5)
    with isolated(1):
        network = plain()
    together = trained(network, env, "t", restarts=4)
    alone, weights = [], []
    for restart in range(4):
        with isolated(env.derive("t", "weights", restart) if restart else 1):
            one = plain()
        same = Same(seed=5)
        object.__setattr__(same, "restart", restart)
        alone.append(trained(one, same, "t").val_loss)
        weights.append(one[0].weight)
    assert together.restarts == pytest.approx(alone, rel=1e-4)
    assert len(set(alone)) == 4, "restarts differ"
    best = alone.index(min(alone))
    assert together.val_loss == min(together.restarts)
    torch.testing.assert_close(network[0].weight, weights[best], rtol=1e-3, atol=1e-4)


def test_a_restart_that_diverges_does_not_cost_the_others():
    with isolated(0):
        network = nn.Linear(3, 1)

    def lost():
        other = nn.Linear(3, 1)
        other.weight.data.fill_(math.nan)
        return other

    def loss(part):
        return (network(part.x) - part.y).square().mean()

    report = train(
        network, loss, loss, PAIRS, VAL, TrainingConfig(epochs=3, restarts=2), FitEnvironment(),
        again=lost,
    )  # fmt: skip
    assert math.isfinite(report.restarts[0]) and math.isinf(report.restarts[1])
    assert bool(network.weight.isfinite().all())


def test_restarts_need_to_know_how_to_build_the_network():
    with pytest.raises(ConfigError, match="restarts"):
        fit(linear(), restarts=2)


def test_siblings_are_all_kept_each_with_what_it_would_have_learnt_as_a_restart():
    settings = dict(epochs=8, batch_size=64, lr=0.05)
    env = FitEnvironment(seed=5)
    with isolated(1):
        networks = [plain() for _ in range(3)]
    others = iter([copy.deepcopy(network) for network in networks[1:]])
    lone = copy.deepcopy(networks[0])

    def loss_of(network):
        return lambda part: (network(part.x) - part.y).square().mean()

    report = train(
        networks[0], loss_of(networks[0]), loss_of(networks[0]), PAIRS, VAL,
        TrainingConfig(**settings), env, siblings=networks[1:],
    )  # fmt: skip
    best = train(
        lone, loss_of(lone), loss_of(lone), PAIRS, VAL,
        TrainingConfig(**settings, restarts=3), env, again=lambda: next(others),
    )  # fmt: skip
    assert report.restarts == pytest.approx(best.restarts)
    for network, value in zip(networks, report.restarts, strict=True):
        assert loss_of(network)(VAL).item() == pytest.approx(value, rel=1e-4)
    leader = report.restarts.index(min(report.restarts))
    torch.testing.assert_close(networks[leader][0].weight, lone[0].weight)


def test_siblings_and_restarts_exclude_each_other():
    with isolated(0):
        networks = [nn.Linear(3, 1), nn.Linear(3, 1)]

    def loss(part):
        return (networks[0](part.x) - part.y).square().mean()

    config = TrainingConfig(epochs=1, restarts=2)
    with pytest.raises(ConfigError, match="keeps all"):
        train(networks[0], loss, loss, PAIRS, VAL, config, FitEnvironment(), siblings=networks[1:])
