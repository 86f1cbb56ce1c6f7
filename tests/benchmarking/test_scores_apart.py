"""Metrics come, go and change; finished runs of a bench stay finished."""

from __future__ import annotations

import pytest

from conftest import Best, Exact, Line, Plain
from invcore import Store
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.sweep import Sweep
from invcore.plugin import Estimate, Metric
from invcore.results import old_metrics, rescore

BENCH = """
name = "eighteen"
seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8]
tasks = ["line", { name = "line", label = "again" }]
samplers = ["plain"]
targets = 5
candidates = 3
pairs = 20
device = "cpu"
methods = ["exact"]
"""


class Counted(Line):
    rows = 0

    def simulate(self, x, context=None):
        Counted.rows += len(x)
        return super().simulate(x)


class Other(Counted):
    """The same under another name, so that there are two tasks."""


class Worst(Metric):
    def measure(self, evaluation):
        return [Estimate("worst", float(evaluation.counted.max()))]


@pytest.fixture
def sweep(make_plugins, tmp_path):
    """The bench as it is with these metrics."""
    path = tmp_path / "bench.toml"
    path.write_text(BENCH.replace('{ name = "line", label', '{ name = "other", label'))

    def work(**metrics):
        plugins = make_plugins(
            installed=False, task={"line": Counted, "other": Other}, sampler={"plain": Plain},
            method={"exact": Exact}, metric=metrics,
        )  # fmt: skip
        return Sweep(BenchFile.read(path), Store(tmp_path / "runs"), plugins=plugins)

    return work


def test_eighteen_finished_runs_stay_finished(sweep, monkeypatch):
    first = sweep(best=Best)
    assert first.go().count("ok") == 18 == len(first.store.ids())
    without = sweep()
    assert without.waiting() == [] and len(without.stored) == 18
    assert without.bench().count("ok") == 18 and without.old_scores == set()
    monkeypatch.setattr(
        "invcore.registry.metric_code.scoring_code_of", lambda entry: {"upgraded": "1"}
    )
    upgraded = sweep(best=Best)
    assert upgraded.waiting() == [] and len(upgraded.old_scores) == 18


def test_a_new_metric_comes_to_all_of_them_and_nothing_else_happens(sweep, monkeypatch):
    first = sweep(best=Best)
    first.go()
    files = {run: first.store.read(run).files for run in first.store.ids()}
    simulated, fits = Counted.rows, []
    monkeypatch.setattr(Exact, "fit", lambda *args: fits.append(1))
    later = sweep(best=Best, worst=Worst)
    assert later.waiting() == []
    for run in later.store.ids():
        outcome = rescore(later.store, run, plugins=later.plugins)
        assert outcome.metrics == ("worst",)
        assert outcome.record.metric("worst").value >= outcome.record.metric("best", 1).value
        assert later.store.read(run).files == files[run], "the record alone is written anew"
        assert old_metrics(outcome.record, later.plugins) == set()
    assert Counted.rows == simulated and fits == []
    assert sweep(best=Best, worst=Worst).waiting() == []
