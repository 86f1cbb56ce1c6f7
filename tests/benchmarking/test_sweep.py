"""Sweeps: every cell once, failures are records, nothing is repeated; what the manifest says."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from itertools import product

import pytest
import torch

from invcore import Store
from invcore.base.errors import DivergedError, StoreError
from invcore.benchmarking.cell import Cell, State, time_left
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.manifest import Bench, BenchCell, read_bench, write_bench
from invcore.benchmarking.sweep import Sweep, Watcher
from invcore.configs.run_config import RunConfig
from invcore.plugin import (
    Candidates,
    Config,
    Estimate,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Metric,
    Needs,
    Sampler,
    installed,
)
from invcore.runs.job import do_run
from invcore.runs.plan import Plan
from invcore.storage.seal import sealed, unsealed

FITS: Counter[str] = Counter()


class Settings(Config):
    key: str = "a"
    fail: str = ""
    seeds: tuple[int, ...] = (0, 1, 2)


class Model(InverseModel):
    point_dim, ranked = 1, False

    def propose(self, targets, points, *, simulator=None, env=None):
        half = targets.y[..., None, :] / 2
        return Candidates((half + 0.1 * points).expand(-1, -1, 2))

    def state(self):
        return {"nothing": torch.zeros(1)}


class Toy(InverseMethod):
    Config = Settings

    def fit(self, problem, train, val, env):
        FITS[self.config.key] += 1
        failures = {
            "memory": MemoryError(), "exit": SystemExit(3), "pretence": KeyboardInterrupt(),
            "diverge": DivergedError("toy\ndiverged"), "bug": ZeroDivisionError(),
        }  # fmt: skip
        seeds = {FitEnvironment(seed).derive() for seed in self.config.seeds}
        if self.config.fail == "interrupt" and env.derive() in seeds:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
        elif self.config.fail and env.derive() in seeds:
            raise failures[self.config.fail]
        return Model()

    def restore(self, problem, state, files=None):
        return Model()


class Gradient(Toy):
    needs = Needs.GRADIENT


class Plain(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)


class Best(Metric):
    def measure(self, evaluation):
        return [Estimate("r_T", float(evaluation.errors[:, 0].mean()), T=1)]


@pytest.fixture
def plan(make_plugins, line, tmp_path):
    """Plan the bench of these lines of TOML."""
    FITS.clear()

    class Closed(line):
        differentiable = False

    plugins = make_plugins(
        installed=False, task={"line": line, "closed": Closed}, metric={"best": Best},
        method={"toy": Toy, "gradient": Gradient}, sampler={"plain": Plain},
    )  # fmt: skip

    def work(methods, tasks='["line"]', seeds="[0, 1]", more="", retry=False):
        (tmp_path / "b.toml").write_text(
            f'name = "b"\nseeds = {seeds}\nsamplers = ["plain"]\ntasks = {tasks}\n'
            f'methods = {methods}\ntargets = 4\ncandidates = 3\npairs = 20\ndevice = "cpu"\n{more}'
        )
        file = BenchFile.read(tmp_path / "b.toml")
        return Sweep(file, Store(tmp_path / "runs"), plugins=plugins, retry=retry)

    return work


def statuses(sweep):
    return {(c.task, c.method, c.seed): sweep.states[c.id].status for c in sweep.cells}


def created(store):
    return {run: (store.path(run) / "run.json").stat().st_mtime_ns for run in store.ids()}


def test_every_cell_is_run_once(plan):
    sweep = plan('["toy", { name = "toy", label = "other", key = "b" }]', '["line", "closed"]')
    order = [(c.seed, c.task, c.method) for c in sweep.cells]
    assert order == list(product((0, 1), ("line", "closed"), ("toy", "other")))
    made = sweep.go()
    assert FITS == {"a": 4, "b": 4}
    assert made.count("ok") == 8 and set(sweep.store.ids()) == {c.id for c in made.cells}
    for cell in made.cells:
        record = sweep.store.read(cell.id)
        assert (record.task, record.method, record.seed) == (cell.task, "toy", cell.seed)
        assert sweep.states[cell.id].values["r_T", 1] == record.metric("r_T", 1).value
        assert cell.seconds > 0
    assert made == read_bench(sweep.store, "b")
    assert made.components.methods == {"toy": "toy", "other": "toy"}
    assert made.file == sweep.file.source.text


def test_what_is_done_is_not_repeated(plan):
    first = plan('["toy"]')
    made = first.go()
    before = created(first.store)
    second = plan('["toy"]')
    assert second.waiting() == []
    assert second.go() == made  # the seconds and the date are those of the first
    assert created(second.store) == before and FITS == {"a": 2}
    assert second.states == first.states


def test_a_changed_method_is_run_alone(plan):
    two = '["toy", {{ name = "toy", label = "b", key = "{}" }}]'
    plan(two.format("b")).go()
    assert FITS == {"a": 2, "b": 2}
    sweep = plan(two.format("c"))
    assert [c.method for c in sweep.waiting()] == ["b", "b"]
    before = created(sweep.store)
    sweep.go()
    assert FITS == {"a": 2, "b": 2, "c": 2}
    assert before.items() < created(sweep.store).items()


FAILURES = {
    "memory": ("error", "MemoryError: out of memory; try fewer candidates, targets or runs"),
    "exit": ("error", "SystemExit: 3: raised by the code of a plugin"),
    "pretence": ("error", "KeyboardInterrupt: no message: raised by the code of a plugin"),
    "diverge": ("diverged", "toy diverged"),
    "bug": ("error", "ZeroDivisionError: no message"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_a_record_and_the_rest_go_on(plan, name):
    status, reason = FAILURES[name]
    methods = f'[{{ name = "toy", label = "bad", key = "b", fail = "{name}", seeds = [0] }}, "toy"]'
    sweep = plan(methods)
    made = sweep.go()
    expected = {("line", "bad", 0): status} | {
        ("line", m, s): "ok" for m, s in (("toy", 0), ("bad", 1), ("toy", 1))
    }
    assert statuses(sweep) == expected
    failed = made.cells[0]
    record = sweep.store.read(failed.id)
    assert (record.status, record.reason) == (status, failed.reason)
    assert reason in failed.reason and failed.reason.isprintable()
    again = plan(methods)
    assert again.waiting() == [] and statuses(again) == expected
    before, fits = created(sweep.store), FITS.total()
    retried = plan(methods, retry=True)
    assert [c.id for c in retried.waiting()] == [failed.id]
    retried.go()
    after = created(sweep.store)
    assert {run for run in after if after[run] != before[run]} == {failed.id}
    assert FITS.total() == fits + 1


def test_what_a_method_cannot_do_is_skipped_for_good(plan):
    sweep = plan('["gradient"]', '["line", "closed"]', "[0]")
    assert sweep.go().count("skipped") == 1
    assert statuses(sweep) == {("line", "gradient", 0): "ok", ("closed", "gradient", 0): "skipped"}
    assert plan('["gradient"]', '["line", "closed"]', "[0]", retry=True).waiting() == []


def test_two_labels_of_one_run(plan):
    sweep = plan('["toy", { name = "toy", label = "same", key = "a" }]', seeds="[0]")
    made = sweep.go()
    assert FITS == {"a": 1} and made.count("ok") == 2
    assert len({cell.id for cell in made.cells}) == 1


def test_a_damaged_run_is_done_again(plan):
    sweep = plan('["toy"]')
    sweep.go()
    path = sweep.store.path(sweep.cells[0].id) / "candidates.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    again = plan('["toy"]')
    assert [c.id for c in again.waiting()] == [sweep.cells[0].id]
    assert again.go().count("ok") == 2 and FITS == {"a": 3}


def test_the_manifest_follows(plan):
    seen = []

    class Looking(Watcher):
        def look(self):
            seen.append([cell.status for cell in read_bench(sweep.store, "b").cells])

        def started(self, cell):
            self.look()

        def ended(self, cell, state):
            assert state.status == sweep.states[cell.id].status == "ok"

    sweep = plan('["toy"]')
    sweep.go(watcher=Looking())
    assert seen == [["running", "waiting"], ["ok", "running"]]
    assert [cell.status for cell in read_bench(sweep.store, "b").cells] == ["ok", "ok"]
    assert [p.name for p in (sweep.store.root / "benches").iterdir()] == ["b.json"]


def test_an_interruption_keeps_what_is_done(plan):
    sweep = plan('[{ name = "toy", fail = "interrupt", seeds = [1] }]')
    with pytest.raises(KeyboardInterrupt):
        sweep.go()
    assert [cell.status for cell in read_bench(sweep.store, "b").cells] == ["ok", "waiting"]
    assert sweep.store.ids() == [sweep.cells[0].id]
    assert not [p for p in sweep.store.root.iterdir() if p.name.startswith(".writing")]


class Odd:
    """An executor that loses the first job in some way."""

    def __init__(self, how):
        self.how, self.closed = how, False

    def map(self, work, jobs):
        try:
            for number, job in enumerate(jobs):
                json.dumps(job)  # plain data
                if number == 0 and self.how == "stored":
                    self.do(job)
                if number == 0 and self.how != "silent":
                    yield {**job, "status": "error", "reason": "the worker died:\nsignal 9"}
                elif number:
                    yield self.do(job)
        finally:
            self.closed = True


@pytest.mark.parametrize("how", ["lost", "silent", "stored"])
def test_executors_that_lose_a_job(plan, how):
    sweep = plan('["toy"]')
    executor = Odd(how)
    executor.do = lambda job: do_run(job, sweep.plugins)
    made = sweep.go(executor)
    lost, kept = made.cells
    assert executor.closed and kept.status == "ok"
    record = sweep.store.read(lost.id)
    if how == "stored":  # the worker died after it had stored the run
        assert (lost.status, record.status) == ("ok", "ok")
        assert sweep.states[lost.id].values
    else:
        said = {"lost": "the worker died: signal 9", "silent": "the executor gave no record of it"}
        assert (lost.status, lost.reason) == ("error", said[how])
        assert (record.status, record.reason) == ("error", said[how])
        assert record.config == sweep.store.read(kept.id).config | {"seed": 0}
    assert plan('["toy"]').waiting() == []


def test_do_run_does_not_raise(tmp_path):
    bad = do_run({"id": "0123456789ab", "config": {"targets": "many"}, "store": str(tmp_path)})
    assert (bad["status"], bad["stored"]) == ("error", False) and "targets" in bad["reason"]
    (tmp_path / "file").write_text("x")
    config = RunConfig.resolve({"targets": 2})
    job = {"config": config.model_dump(mode="json"), "store": str(tmp_path / "file")}
    full = do_run({"id": Plan.of(config, installed()).id, **job})
    assert "cannot be written" in full["reason"]
    other = do_run({"id": "0123456789ab", **job})
    assert "changed since the bench began" in other["reason"], "its result has another identity"


def test_a_store_that_cannot_be_written(plan, tmp_path, complaint):
    sweep = plan('["toy"]')
    (tmp_path / "runs").write_text("x")
    complaint(StoreError, sweep.go)
    assert not FITS


# The manifest


def test_manifests_that_cannot_be_read(tmp_path, complaint):
    store = Store(tmp_path)
    cell = BenchCell(id="0123456789ab", task="t", method="m", sampler="s", seed=0)
    bench = Bench(name="mine", created="now", cells=(cell,))
    write_bench(store, bench)
    assert read_bench(store, "mine") == bench
    path = tmp_path / "benches" / "mine.json"
    text = path.read_text()
    said = complaint(StoreError, read_bench, store, "mein")
    assert "Did you mean 'mine'" in said and "run the bench in this store" in said
    assert "no bench's name" in complaint(StoreError, read_bench, store, "../mine")
    for broken in (text[:-5], text.replace('"waiting"', '"done"'), "[]"):
        path.write_text(broken)
        said = complaint(StoreError, read_bench, store, "mine")
        assert "damaged" in said and "the manifest is replaced" in said
    bare = unsealed(text.encode())[0]
    path.write_bytes(sealed(bare.replace(b'"schema_version": 1', b'"schema_version": 2')))
    assert "has schema 2" in complaint(StoreError, read_bench, store, "mine")


def test_a_damaged_manifest_is_replaced(plan):
    sweep = plan('["toy"]')
    sweep.go()
    path = sweep.store.root / "benches" / "b.json"
    path.write_text("{")
    again = plan('["toy"]')
    assert len(again.remarks) == 1 and "b.json: damaged" in again.remarks[0]
    made = again.go()
    assert made.count("ok") == 2 and all(cell.seconds is not None for cell in made.cells)
    assert read_bench(sweep.store, "b") == made and FITS == {"a": 2}


def test_published_figures_and_ablations_are_kept(plan):
    more = (
        '[[published]]\nsource = "x"\ntask = "line"\nmethod = "toy"\nmetric = "r_T"\nT = 1\n'
        'value = 0.5\n[[ablations]]\ntitle = "y"\nmethods = ["toy"]\n'
    )
    sweep = plan('["toy"]', more=more)
    sweep.go()
    found = json.loads((sweep.store.root / "benches" / "b.json").read_text())
    assert found["published"] == [
        {"source": "x", "task": "line", "method": "toy", "metric": "r_T", "T": 1, "value": 0.5}
    ]
    assert found["ablations"] == [{"title": "y", "methods": ["toy"]}]


# Time


def test_time_left(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    config = RunConfig()

    def cell(run, task, method):
        return Cell(run, task, method, "s", 0, config)

    cells = [
        cell("1", "a", "slow"), cell("2", "a", "slow"), cell("3", "b", "slow"),
        cell("4", "a", "quick"), cell("5", "b", "quick"),
        cell("6", "a", "new"), cell("6", "a", "other"),
    ]  # fmt: skip
    states = {run: State() for run in "123456"}
    assert time_left(cells, states, 2) is None
    states["1"] = State("ok", seconds=40.0)
    states["4"] = State("ok", seconds=2.0)
    # 40 for "slow" on a, as there; 40 on b, 2, and the mean of all, 21, for the one of two labels.
    assert time_left(cells, states, 2) == (40 + 40 + 2 + 21) / 2
    states["2"] = State("running", since=90.0)  # for 10 s
    states["5"] = State("running", since=10.0)  # for longer than it should
    assert time_left(cells, states, 1) == 30 + 40 + 0 + 21
    states["3"] = State("error", seconds=1.0)  # quick to fail: says nothing of the others
    assert time_left(cells, states, 1) == 30 + 0 + 21
