"""Which rows a training sees: batches that can be normalised, and validation rows that say much."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from invcore.learning import LossBatch, TrainingConfig, train
from invcore.learning.batches import batches, near
from invcore.plugin import FitEnvironment, Pairs, generator
from invcore.spaces.space import Grid


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 8, 512])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 9, 15, 17, 33])
def test_any_number_of_rows_can_be_normalised_over_the_batch(rows, batch_size, restarts):
    def build():
        return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))

    def loss(part):
        return (network(part.x) - part.y).square().mean()

    network, x = build(), torch.rand(rows, 2, generator=generator(rows))
    config = TrainingConfig(epochs=2, batch_size=batch_size, restarts=restarts)
    report = train(
        network, loss, loss, Pairs(x, x[:, :1]), Pairs(x, x[:, :1]), config, FitEnvironment(),
        again=build,
    )  # fmt: skip
    assert report.epochs == 2
    assert all(bool(value.isfinite().all()) for value in network.state_dict().values())


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 15, 16, 17, 1000])
def test_batches_are_as_they_were_where_they_can_be(rows):
    config, plain, normed = TrainingConfig(), nn.Linear(1, 1), nn.BatchNorm1d(1)
    size = max(1, min(512, rows // 8))
    assert batches(rows, config, plain) == (size, rows // size)
    if size > 1:
        assert batches(rows, config, normed) == batches(rows, config, plain)


def rows(*values):
    return torch.tensor(values)


KNOWN = Pairs(
    torch.rand(50, 2, generator=generator(0)) * 3.4 - 1.7,
    rows([0.0, -2.0], [0.0, 2.0]).repeat(25, 1),
)
FAR = {
    "nothing": ([0.0, 1.0], [0.0, 1.0], True),
    "a little outside": ([2.5, -2.5], [0.0, 3.5], True),
    "a width away": ([0.0, 6.0], [0.0, 0.0], False),
    "a response far away": ([0.0, 0.0], [0.0, 1e5], False),
    "another constant": ([0.0, 0.0], [1.0, 0.0], False),
    "infinite in float32": ([0.0, 0.0], [0.0, float("inf")], False),
    "missing": ([0.0, float("nan")], [0.0, 0.0], False),
}  # fmt: skip


@pytest.mark.parametrize(("x", "y", "kept"), FAR.values(), ids=FAR)
def test_validation_rows_far_from_all_training_rows_are_left_out(x, y, kept):
    val = Pairs(rows([0.5, 0.5], x), rows([0.0, 0.5], y))
    assert len(near(KNOWN, val)) == 1 + kept


def test_where_all_validation_rows_are_far_the_columns_that_are_say_nothing():
    val = Pairs(rows([0.5, 1e9], [0.1, 1e9]), rows([7.0, 0.5], [7.0, 0.1]))
    moved = near(KNOWN, val)
    assert len(moved) == 2 and torch.equal(moved.x[:, 0], val.x[:, 0])
    assert float(moved.x.max()) < 10 and float(moved.y.max()) < 3
    assert torch.equal(moved.y[:, 1], val.y[:, 1])


def test_pixels_and_padding_are_never_far():
    known, val = (
        Pairs(torch.zeros(9, 4), torch.rand(9, 1)),
        Pairs(torch.ones(2, 4), torch.rand(2, 1)),
    )
    assert near(known, val, Grid(rows=2, columns=2)) is val
    padded = Pairs(torch.full((2, 6), 0.1).index_fill(1, torch.tensor([5]), 99.0), val.y)
    assert near(known, padded) is padded


def test_an_outlier_in_validation_does_not_choose_the_checkpoint():
    x = torch.rand(200, 1, generator=generator(0))
    y = torch.cat([3 * x, torch.zeros(200, 1)], dim=1)
    val_y = y[:40].clone()
    val_y[3, 1] = 1e6

    def fit(val):
        torch.manual_seed(0)
        network = nn.Linear(1, 2)

        def loss(part: LossBatch | Pairs):
            return (network(part.x) - part.y).square().mean()

        config = TrainingConfig(epochs=60, lr=0.05)
        train(network, loss, loss, Pairs(x, y), val, config, FitEnvironment())
        return float((network(x)[:, 0] - 3 * x[:, 0]).abs().mean().detach())

    assert fit(Pairs(x[:40], val_y)) < 2 * fit(Pairs(x[:40], y[:40])) + 1e-4
