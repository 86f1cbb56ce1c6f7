"""Rows that are known before a simulator is asked: a table, another loop's folder, a stored run."""

from __future__ import annotations

import json

import invcore_solve
import pandas as pd
import pytest
import torch
from invcore_solve.measured.sources import content_of
from invcore_solve.simulators.task import SimulatorTask
from invcore_solve.tables.read import read

from invcore import Store
from invcore.base.errors import ConfigError, DataError
from invcore.search import LoopJournal

BOUNDS = {"a": (0.0, 1.0), "b": (-1.0, 1.0)}


class Simulation:
    """A function that counts the rows that it was asked about one by one, and may stop."""

    def __init__(self, stop=None):
        self.asked, self.stop = [], stop

    def __call__(self, x):
        if len(x) == 1:
            if len(self.asked) == self.stop:
                raise KeyboardInterrupt
            self.asked.append(x[0].clone())
        return x[:, :1] + x[:, 1:] ** 2


def task(simulate, **options):
    given = {"version": "1", "kind": "torch", "name": "sum", "responses": ["y"]} | options
    return SimulatorTask(simulate, BOUNDS, **given)


def solve(simulate, known, **options):
    given = {"targets": [[0.8]], "method": "closed-loop", "budget": 12, "device": "cpu",
             "candidates": 8}  # fmt: skip
    return invcore_solve.solve_with(task(simulate), known=known, **given | options)


@pytest.fixture
def rows() -> pd.DataFrame:
    points = torch.rand(14, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    a, b = points[:, 0], 2 * points[:, 1] - 1
    return pd.DataFrame({"a": a, "b": b, "y": a + b**2})


def test_a_known_row_that_is_the_answer_costs_no_call(rows):
    simulate = Simulation()
    rows.loc[3] = [0.8, 0.0, 0.8]
    found = solve(simulate, rows)
    assert not simulate.asked and found.record.simulator_calls == 0
    assert found.ranked.designs[0].tolist() == [0.8, 0.0] and found.ranked.columns()["known"][0]
    assert "known rows: 14 rows are known" in found.notes
    assert "the best design is a known row of known rows, at no call" in found.notes
    assert "converged after 0 simulator calls: 1 of 1 target met" in found.notes


def test_known_rows_are_no_part_of_the_budget_and_the_search_begins_with_them(rows, tmp_path):
    simulate = Simulation()
    found = solve(simulate, rows, targets=[[7.0]], store=Store(tmp_path))
    assert len(simulate.asked) == 12 == found.simulator["calls"] == found.record.simulator_calls
    [folder] = (tmp_path / "loops").iterdir()
    from invcore_solve.measured.sources import open_journal

    from invcore.plugin import installed

    journal = open_journal(folder, installed())
    assert journal.pairs.y[:, 0].tolist() == rows["y"].tolist()
    # Without known rows, the first ones fill the space; with them, a surrogate decides
    solve(bare := Simulation(), None, targets=[[7.0]])
    assert not torch.equal(simulate.asked[0], bare.asked[0])


def test_rows_that_failed_or_are_known_in_part_are_told(rows, tmp_path):
    def two(x):
        return torch.cat([x[:, :1] + x[:, 1:] ** 2, x[:, :1] * 2], dim=1)

    table = rows.assign(z=rows["a"] * 2).astype({"y": object})
    table.loc[0, "y"], table.loc[0, "z"] = "cracked", float("nan")
    table.loc[1, "z"] = float("nan")
    simulator = task(two, responses=["y", "z"])
    found = invcore_solve.solve_with(
        simulator, targets=[[9.0, 9.0]], method="closed-loop", budget=5, known=table,
        store=Store(tmp_path),
    )  # fmt: skip
    assert "known rows: 14 rows are known, of which 1 failed and 1 in part" in found.notes
    assert found.rows.status[:14] == ["known"] * 12 + ["failed", "in part"]
    assert len(found.rows) == 14 + 5 and found.simulator["calls"] == 5
    again = invcore_solve.solve_with(
        simulator, targets=[[9.0, 9.0]], method="closed-loop", budget=6, known=table,
        store=Store(tmp_path),
    )  # fmt: skip
    assert len(again.rows) == 14 + 6  # those that failed were told once


@pytest.mark.parametrize("stop", [0, 3, 7])
def test_the_same_rows_go_on_where_it_was_and_others_are_another_search(stop, rows, tmp_path):
    whole, first, second = Simulation(), Simulation(stop), Simulation()
    solve(whole, rows, targets=[[7.0]])
    with pytest.raises(KeyboardInterrupt):
        solve(first, rows, targets=[[7.0]], store=Store(tmp_path))
    rows.to_csv(tmp_path / "renamed.csv", sep=";", decimal=",", index=False)
    solve(second, tmp_path / "renamed.csv", targets=[[7.0]], store=Store(tmp_path))
    assert len(second.asked) == 12 - stop
    assert torch.equal(torch.stack(first.asked + second.asked), torch.stack(whole.asked))
    rows.loc[2, "y"] += 0.25
    solve(other := Simulation(), rows, targets=[[7.0]], store=Store(tmp_path))
    assert len(other.asked) == 12 and len(list((tmp_path / "loops").iterdir())) == 2


def test_tables_are_told_apart_by_their_numbers(rows, tmp_path):
    rows = rows.round(6)  # a workbook has fifteen digits
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows[["y", "a", "b"]].to_excel(tmp_path / "a.xlsx", index=False)
    same = {content_of(read(each)) for each in (rows, tmp_path / "a.csv", tmp_path / "a.xlsx")}
    assert len(same) == 1
    assert content_of(read(rows.assign(y=rows["y"] * 2))) not in same
    assert content_of(read(rows.rename(columns={"a": "c"}))) not in same


def test_a_method_that_learns_simulates_the_pairs_that_are_lacking(rows):
    def counting(x):
        counts.append(len(x))
        return x[:, :1] + x[:, 1:] ** 2

    counts: list[int] = []
    many = pd.concat([rows, rows - 0.001], ignore_index=True)
    many.loc[0, "a"] = 4.0  # beyond the bounds
    options = {"targets": [[0.8]], "method": "nearest", "pairs": 40, "candidates": 2,
               "preset": "quick"}  # fmt: skip
    found = invcore_solve.solve_with(task(counting), known=many, **options)
    assert found.simulator["calls"] == (40 - 27) + len(found.ranked)
    assert "27 pairs were known, 13 were simulated beside them" in found.notes
    assert any("1 known rows are beyond the bounds" in note for note in found.notes)
    assert "known" in found.ranked.columns()
    with pytest.raises(ConfigError, match="a budget of 13 is too small: 13 pairs"):
        invcore_solve.solve_with(task(counting), known=many, budget=13, **options)


def test_a_search_that_only_needs_the_scale_takes_it_from_known_rows(rows):
    simulate = Simulation()
    found = solve(simulate, rows, method="bfgs", budget=None, pairs=30, candidates=2)
    assert "14 pairs were known, 16 were simulated beside them" in found.notes
    assert float(found.ranked.error[0]) < 1e-6


def test_what_a_table_lacks_is_said(rows, tmp_path):
    with pytest.raises(DataError, match="no column 'b' of the designs, which known rows need"):
        solve(Simulation(), rows.drop(columns="b"))
    with pytest.raises(DataError, match="has none of the responses y; it has 'a', 'b', 'other'"):
        solve(Simulation(), rows.rename(columns={"y": "other"}))
    with pytest.raises(DataError, match="row 2 is 'high'"):
        solve(Simulation(), rows.astype({"y": object}).replace({"y": {rows.y[1]: "high"}}))

    def two(x):
        return torch.cat([x[:, :1], x[:, 1:]], dim=1)

    simulator = task(two, responses=["y", "z"])
    found = invcore_solve.solve_with(
        simulator, targets=[[0.5, 0.5]], method="closed-loop", budget=4, known=rows
    )
    assert any("has no column 'z': its rows are known in part" in note for note in found.notes)
    with pytest.raises(DataError, match="no known row has all responses within the bounds"):
        invcore_solve.solve_with(simulator, targets=[[0.5, 0.5]], method="bfgs", known=rows)


def test_computed_responses_need_not_be_known(rows):
    found = invcore_solve.solve_with(
        task(Simulation()), want=["y<=0.9", "cost=min"], derived=["cost = 3*a + y"],
        method="closed-loop", budget=3, known=rows,
    )  # fmt: skip
    table = found.rows.frame()
    assert torch.allclose(torch.tensor(table["cost"]), torch.tensor(3 * table["a"] + table["y"]))
    assert found.ranked.wanted.spread[0] == pytest.approx(table["y"].std(ddof=0))


def test_an_earlier_search_its_folder_and_its_table_are_known(tmp_path):
    def fails(x):
        return torch.where(x[:, :1] < 0.4, torch.nan, x[:, :1] + x[:, 1:] ** 2)

    store = Store(tmp_path / "runs")
    first = solve(fails, None, targets=[[7.0]], store=store)
    failed = first.rows.failed
    assert failed and first.rows.status.count("simulated") == 12 - failed
    first.rows.save(tmp_path / "rows.csv")
    [folder] = (store.root / "loops").iterdir()
    assert LoopJournal.at(folder)
    run = first.record.id[:8]
    for known in (run, tmp_path / "rows.csv", folder):
        found = solve(fails, known, targets=[[6.0]], budget=2, store=store)
        assert any(f"12 rows are known, of which {failed} failed" in n for n in found.notes)
        assert torch.equal(found.rows.x[12:].isnan().any(), torch.tensor(False))
        assert len(found.rows) == 14
        assert found.record.config["known"]["rows"] == 12


def test_on_the_command_line(call, rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "known_sum.py").write_text(
        "def simulate(x):\n    return x[:, :1] + x[:, 1:] ** 2\n"
    )
    rows.rename(columns={"y": "y1"}).to_csv("known.csv", index=False)
    command = ["solve", "--simulator", "known_sum:simulate", "--bounds", "a=0:1",
               "--bounds", "b=-1:1", "--target", "9", "--budget", "5",
               "--known", "known.csv"]  # fmt: skip
    said = call(*command)
    assert "note: known.csv: 14 rows are known" in said.out
    assert "all 19 rows that are known or were simulated: designs.rows.csv" in said.out
    table = pd.read_csv("designs.rows.csv")
    assert table["status"].value_counts().to_dict() == {"known": 14, "simulated": 5}
    more = call(*command[:-3], "7", *command[-2:])
    assert "note: goes on from 5 rows that are done" in more.err
    document = json.loads(call(*command[:-3], "8", *command[-2:], "--json").out)
    assert document["rows"] == "designs.rows.csv" and document["simulator"]["calls"] == 8
    assert {row["known"] for row in document["designs"]} == {0, 1}
    refused = call("solve", "known.csv", "--known", "known.csv", "--target", "1")
    assert refused.code == 2 and "--known" in refused.err
