"""The task: its symmetries, its data, its picture; and runs on it."""

import matplotlib
import pytest
import torch
from invcore_crystal.hits import Hits
from invcore_crystal.lattice import UNSTRAINED, equivalents
from invcore_crystal.task import SHIPPED, CrystalMoS2
from invcore_crystal.train import held_out, parts
from invcore_proxy import read_bundle

from invcore import DataError, RunConfig, ShapeError, Store, run
from invcore.plugin import generator, installed

matplotlib.use("Agg")
from matplotlib import pyplot


def from_table():
    return CrystalMoS2(CrystalMoS2.Config(source="table"))


@pytest.fixture
def table(rows, monkeypatch):
    """The published table in the task's hands, without a file or a network."""
    monkeypatch.setattr("invcore_crystal.task.table", lambda: rows)
    return rows


def test_equivalent_designs_have_one_gap():
    task = CrystalMoS2()
    x = task.designs.sample(200, generator(0, "task"))
    x = torch.cat([x, 0.9 * torch.tensor([[*UNSTRAINED, 0.0]]).double() + 0.1 * x])
    gaps = torch.stack([task.simulate(image) for image in equivalents(x)])
    assert float(gaps.max()) > 1.0
    torch.testing.assert_close(gaps, gaps[:1].expand_as(gaps), rtol=0, atol=1e-9)


def test_gaps_are_zero_or_positive():
    task = CrystalMoS2()
    gaps = task.simulate(task.designs.sample(5000, generator(0, "gaps")))
    assert float(gaps.min()) == 0.0 and 1.0 < float(gaps.max()) < 3.0
    assert 0.8 < float((gaps == 0).double().mean()) < 0.95  # the table's rows to 20%: 0.87


def test_other_columns_are_refused():
    with pytest.raises(ShapeError):
        CrystalMoS2().simulate(torch.zeros(2, 6))


def test_shipped_proxy_is_as_good_as_its_record_says(rows):
    bundle = read_bundle(SHIPPED)
    _, unseen = held_out(rows, bundle.record.provenance.seed)
    task = CrystalMoS2()
    for name, part in parts(unseen).items():
        said = bundle.report.tests[name].ensemble
        found = task.simulate(part.x)
        assert float((found - part.y).abs().mean()) == pytest.approx(said.mae, rel=1e-3)
        right = float(((found == 0) == (part.y == 0)).double().mean())
        assert right == pytest.approx(said.zero_right, abs=2e-3)


def test_shipped_proxy_says_where_it_comes_from():
    record = read_bundle(SHIPPED).record
    assert "Jiaxin Zhang" in record.licence and "MIT" in record.licence
    assert {source.name for source in record.provenance.tables} == {"data_x.csv", "data_y.csv"}
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 2_000_000


def test_rows_of_the_table_are_in_one_part(table):
    splits = from_table().dataset(8000, 1000, 0)
    sizes = [len(part) for part in (splits.train, splits.val, splits.test)]
    assert sizes == [6400, 1600, 1000]
    known = dict(zip(map(tuple, table.x.tolist()), table.y[:, 0].tolist(), strict=True))
    seen = {}
    for part in (splits.train, splits.val, splits.test):
        for x, y in zip(map(tuple, part.x.tolist()), part.y[:, 0].tolist(), strict=True):
            assert x not in seen and known[x] == y
            seen[x] = y


def test_seed_decides_the_rows(table):
    one, again, other = (from_table().dataset(100, 20, seed) for seed in (0, 0, 1))
    assert torch.equal(one.train.x, again.train.x) and torch.equal(one.test.y, again.test.y)
    assert not torch.equal(one.test.x, other.test.x)


def test_all_rows_can_be_used_but_no_more(table):
    splits = from_table().dataset(9430, 1000, 0)
    assert len(splits.train) + len(splits.val) == 9430
    with pytest.raises(DataError, match=r"10430 different rows.*pairs=9430 or fewer") as error:
        from_table().dataset(10_000, 1000, 0)
    assert "\n" not in str(error.value)


def test_fingerprints_tell_sources_apart():
    assert CrystalMoS2().fingerprint != from_table().fingerprint


def test_metric_is_for_this_task_alone():
    assert Hits().applies(CrystalMoS2())
    assert not Hits().applies(installed().registry.load("task", "sine-wave")())


def test_draws_all_variables():
    task = CrystalMoS2()
    x = task.designs.sample(4, generator(0, "draw"))
    figure, axes = pyplot.subplots()
    assert task.draw(axes, torch.tensor([1.5]), x, task.simulate(x))
    *_, last, mark = axes.lines
    low, high = task.designs.low, task.designs.high
    torch.testing.assert_close(torch.tensor(last.get_ydata()[:7]), (x[0] - low) / (high - low))
    assert mark.get_ydata()[0] == pytest.approx(0.5)  # of 3 eV
    names = [label.get_text().split("\n")[0].split(",")[0] for label in axes.get_xticklabels()]
    assert names == [*task.designs.names, "gap"]
    pyplot.close(figure)


@pytest.mark.parametrize("source", ["proxy", "table"])
def test_run_records_hits(source, table, tmp_path):
    method = {
        "name": "na",
        "surrogate": {"width": 32, "training": {"epochs": 5}},
        "localisation": {"steps": 5},
    }
    config = {
        "task": {"name": "crystal-mos2", "source": source},
        "method": method, "pairs": 400, "targets": 10, "candidates": 4, "device": "cpu",
    }  # fmt: skip
    record = run(RunConfig.resolve(config), store=Store(tmp_path))
    assert record.status == "ok"
    assert 0.0 <= record.metric("hits").value <= 1.0
    assert record.metric("out-of-bounds").value == 0.0
