"""A column that is constant in one part of the split, or nearly so, leaves other predictions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_solve.judging.ensemble import Judge, JudgeConfig
from invcore_solve.tables.table_data import TableData

from invcore.learning import SurrogateConfig, TrainingConfig
from invcore.plugin import FitEnvironment, Pairs, Splits, generator

ROWS, PARTS = 300, ("train", "val", "test")
DRAWS = np.random.default_rng(0)
X = DRAWS.random((ROWS, 2))
Y = np.stack([np.sin(3 * X[:, 0]) + X[:, 1], X[:, 0] * X[:, 1]], axis=1)
NOISE = DRAWS.random(ROWS)
CONFIG = JudgeConfig(
    members=2,
    surrogate=SurrogateConfig(width=64, training=TrainingConfig(epochs=60, average=0.99)),
)
COLUMNS = {
    "a flag": (0 * NOISE, 1.0),
    "another size": (5 + 0 * NOISE, 1e5),
    "small numbers": (1e-9 + 0 * NOISE, 2e-9),
    "an offset and rounding": (1 + 1e-13 * NOISE, 2.0),
    "a large offset": (1e6 + 1e-4 * NOISE, 1e6 + 1.0),
    "an outlier": (X[:, 0] ** 2, 1e9),
}


def split(x, y):
    """The table's parts by row, whatever its columns: 240, 30 and 30."""
    order = torch.randperm(ROWS, generator=generator(0))
    parts = (
        Pairs(torch.tensor(x)[rows], torch.tensor(y)[rows]) for rows in order.split([240, 30, 30])
    )
    return Splits(*parts)


def row_of(part):
    order = torch.randperm(ROWS, generator=generator(0))
    return int(order[{"train": 7, "val": 247, "test": 277}[part]])


def errors(x, y):
    """The judge's typical error on the test rows, of the two first responses; and the verdict."""
    data, parts = TableData.read(x, y), split(x, y)
    judge = Judge.fit(CONFIG, data.designs, parts, FitEnvironment(seed=1))
    verdict = judge(parts.test.x)
    assert bool(verdict.response.isfinite().all() & verdict.error.isfinite().all())
    return (verdict.response - parts.test.y)[:, :2].abs().median(dim=0).values.tolist(), verdict


@pytest.fixture(scope="module")
def noise():
    """The errors beside a response of noise, which takes its share of the networks as well."""
    return errors(X, np.c_[Y, NOISE])[0]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_response_that_one_row_has_alone_leaves_the_others(column, part, noise):
    values = column[0].copy()
    values[row_of(part)] = column[1]
    found, verdict = errors(X, np.c_[Y, values])
    assert np.all(np.array(found) < 2.5 * np.array(noise)), (found, noise)
    if part != "train" and np.ptp(column[0]) == 0:
        assert verdict.response[:, 2].unique().tolist() == [column[0][0]]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_design_that_one_row_has_alone_leaves_the_predictions(column, part, noise):
    values = column[0].copy()
    values[row_of(part)] = column[1]
    found, _ = errors(np.c_[X, values], Y)
    assert np.all(np.array(found) < 2.5 * np.array(noise)), (found, noise)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_error_covers_a_constant_that_is_another_one_elsewhere(share):
    y = np.c_[Y, np.full(ROWS, 1e-9)]
    parts = split(X, y)
    for part in (parts.val, parts.test):
        part.y[: int(share * 30), 2] = 3e-9
    designs = TableData.read(X, Y).designs
    verdict = Judge.fit(CONFIG, designs, parts, FitEnvironment())(parts.test.x)
    covered = ((verdict.response - parts.test.y).abs() <= verdict.error * (1 + 1e-9))[:, 2]
    assert float(covered.double().mean()) >= 0.9
    if not share:
        assert float(verdict.error[:, 2].max()) == 0
