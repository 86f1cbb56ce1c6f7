"""Very large tables are drawn from: by the seed, with the extremes, and it is said."""

from __future__ import annotations

import invcore_solve
import numpy as np
import pytest
import torch
from invcore_solve import from_table
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.sampled_rows import sampled_rows


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    cells = [random.normal(size=3000) for _ in range(3)]
    cells[2][:700] = np.nan
    return RawTable(("x", "y", "z"), tuple(cells), "t.csv", np.arange(2, 3002), notes=("one",))


def test_rows_are_drawn_by_the_seed_and_extremes_stay(table):
    some, again = (sampled_rows(table, ["y", "z"], 0, most=400) for _ in range(2))
    assert len(some) == 400 and some.rows.tolist() == again.rows.tolist()
    assert np.all(np.diff(some.rows) > 0)
    assert sampled_rows(table, ["y", "z"], 1, most=400).rows.tolist() != some.rows.tolist()
    for name in ("y", "z"):
        every, kept = (t.column(name).values for t in (table, some))
        order = np.sort(every[~np.isnan(every)])
        assert set(order[:25]) | set(order[-25:]) <= set(kept.tolist())
    assert some.notes[0] == "one" and "Of 3,000 rows 400 are learnt from" in some.notes[1]
    place = {row: i for i, row in enumerate(table.rows)}
    assert [table.cells[0][place[row]] for row in some.rows] == some.cells[0].tolist()
    middle = np.abs(some.cells[0]).mean() / np.abs(table.cells[0]).mean()
    assert 0.8 < middle < 1.25


def test_a_table_that_is_small_enough_is_as_it_was(table):
    assert sampled_rows(table, ["y"], 0, most=3000) is table


def test_a_fit_says_and_records_it(monkeypatch):
    small = sampled_rows
    monkeypatch.setattr(from_table, "sampled_rows", lambda t, r, s: small(t, r, s, most=60))
    x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
    designer = invcore_solve.fit(x, x.sum(1), judge_settings={"members": ["linear"]}, seed=5)
    assert len(designer.data.pairs) == 60
    assert "Of 200 rows 60 are learnt from, drawn by the seed 5" in designer.data.schema.notes[-1]
    assert float(designer.data.pairs.y.max()) == pytest.approx(float(x.double().sum(1).max()))
