"""Designs for many targets: in parts, resumed after a stop, the same bytes."""

from __future__ import annotations

import csv

import invcore_solve
import numpy as np
import pytest
import torch
from invcore_solve.designer import Designer
from invcore_solve.many import many_targets as module
from invcore_solve.many.many_targets import write_many

from invcore import Store
from invcore.plugin import DataError


@pytest.fixture(scope="module")
def designer():
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    return invcore_solve.fit(x, x.sum(1), judge_settings={"members": ["linear"]})


@pytest.fixture
def targets(monkeypatch):
    """Eleven of them, some out of reach, in parts of three."""
    monkeypatch.setattr(module, "TOGETHER", 3)
    return torch.linspace(0.2, 3.0, 11, dtype=torch.float64)[:, None]


def bytes_of(designer, targets, path, **how):
    write_many(designer, targets, path, **{"candidates": 4} | how)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_stopped_command_goes_on_with_the_same_bytes(
    designer, targets, tmp_path, monkeypatch, ending
):
    whole = bytes_of(designer, targets, tmp_path / f"whole.{ending}")
    asked, propose = [], Designer.propose

    def stopping(self, some, **how):
        asked.append(some[:, 0].tolist())
        if len(asked) == 3:
            raise KeyboardInterrupt
        return propose(self, some, **how)

    monkeypatch.setattr(Designer, "propose", stopping)
    out = tmp_path / f"out.{ending}"
    with pytest.raises(KeyboardInterrupt):
        write_many(designer, targets, out, candidates=4)
    assert not out.exists()
    (folder,) = tmp_path.glob(".out.*")
    torn = sorted(folder.iterdir())[0]
    torn.write_bytes(torn.read_bytes()[:-9])
    del asked[:]
    asked += [[], [], []]  # so that it is not stopped again
    done = write_many(designer, targets, out, candidates=4)
    assert [len(some) for some in asked[3:]] == [3, 3, 2]  # the torn part, and those that lacked
    assert out.read_bytes() == whole and not folder.exists()
    assert (done.targets, done.found) == (11, 1)


def test_the_file_has_what_each_part_has(designer, targets, tmp_path):
    out = tmp_path / "out.csv"
    done = write_many(designer, targets, out, candidates=4)
    names, *lines = csv.reader(out.read_text().splitlines())
    rows = []
    for start in range(0, 11, 3):
        columns = designer.propose(targets[start : start + 3], candidates=4).columns()
        rows += [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    assert done.rows == len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        text = dict(zip(names, line, strict=True))
        assert {name: text[name] for name in row if name != "reach"} == {
            name: repr(value) if isinstance(value, float) else str(value)
            for name, value in row.items() if name != "reach"
        }  # fmt: skip
        assert (text["reach"] == "ok") == (row.get("reach", "ok") == "ok")
    reached = designer.check_reach(targets, strict=False)
    assert done.out_of_reach == sum(map(bool, reached)) > 0


def test_parts_of_another_question_are_not_taken(designer, targets, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(module.Parts, "join", lambda *args: (0, 0))
        write_many(designer, targets, out, candidates=4)
    expected = bytes_of(designer, targets, tmp_path / "plain.csv", candidates=2)
    done = write_many(designer, targets, out, candidates=2)
    assert done.found == 0 and out.read_bytes() == expected


def test_only_files_that_grow(designer, targets, tmp_path):
    with pytest.raises(DataError, match="written in parts"):
        write_many(designer, targets, tmp_path / "out.xlsx")


def test_the_command(designer, targets, tmp_path, monkeypatch, call):
    monkeypatch.setattr(module, "MANY", 10)
    store = tmp_path / "runs"
    designer.save(Store(store))
    np.savetxt(tmp_path / "t.csv", targets.numpy(), header="y1", comments="")
    words = ["solve", "--model", designer.record.id, "--store", store, "--candidates", 3]
    words += ["--targets", tmp_path / "t.csv", "--out", tmp_path / "d.csv"]
    done = call(*words, "--json")
    assert done.code == 0, done.err
    assert (done.json["targets"], done.json["designs"]) == (11, [])
    assert done.json["rows"] == len((tmp_path / "d.csv").read_text().splitlines()) - 1
    shown = call(*words)
    assert shown.code == 0 and "11 targets" in shown.out and "out of reach" in shown.out
    assert call(*words, "--report", tmp_path / "p.html").code == 2
