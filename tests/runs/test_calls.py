"""Simulator calls of a run: counted, apart by purpose, bounded by budgets."""

from __future__ import annotations

import pytest
import torch

from invcore import RunConfig, Space, Store, Uniform, Variable, run
from invcore.plugin import Config, Task, installed


class Slow(Task[Config]):
    """One that says nothing of its calls, which are not free then; it counts its rows."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=-1.0, high=1.0)),
        Variable(name="b", prior=Uniform(low=0.0, high=2.0)),
    )
    responses = Space.of(Variable(name="y"))
    rows = 0

    def simulate(self, x, context=None):
        Slow.rows += len(x)
        y = x[:, :1] ** 2 + x[:, 1:]
        return torch.where(x[:, :1] < -0.8, torch.nan, y)  # a tenth has no response


@pytest.fixture
def search(make_plugins, tmp_path):
    """A run on the slow task with all installed metrics."""
    plugins = make_plugins(task={"slow": Slow})
    Slow.rows = 0

    def work(method="random-search", settings=None, store=None, **changes):
        data = {
            "task": "slow", "method": {"name": method, **(settings or {})}, "sampler": "lhs",
            "targets": 10, "candidates": 4, "device": "cpu", "preset": "quick",
        } | changes  # fmt: skip
        return run(RunConfig.resolve(data), store=store, plugins=plugins, keep_going=False)

    return work


def test_a_costly_simulator_is_asked_for_what_is_needed_alone(search):
    """Ten targets, ten pairs for the scale, 40 tries, 40 judged, a tenth of these for metrics."""
    record = search(settings={"tries": 1})
    made = record.training_calls + record.simulator_calls
    assert (record.search_calls, record.simulator_calls) == (40, 80)
    assert 10 <= record.training_calls <= 20, "redrawn ones count"
    assert Slow.rows <= made + 10 + 6 + 0.1 * 40, "and the targets, some of them drawn again"
    assert record.metric("r_T", 1).value > 0
    assert "calls that metrics may make are too few" in record.scoring["mmd"].reason


def test_calls_for_training_pairs_are_counted_apart_with_those_that_failed(search):
    record = search("na", {"surrogate": {"training": {"epochs": 1}}}, pairs=100)
    assert record.simulator_calls == 40 and record.search_calls == 0
    assert 100 < record.training_calls < 130
    targets = 10
    assert record.training_calls + 40 + targets <= Slow.rows <= record.training_calls + 40 + 14 + 4
    assert record.metric("training-calls").value == record.training_calls
    assert record.metric("simulator-calls").value == 40


@pytest.mark.parametrize(
    "method, settings",
    [("random-search", {}), ("cma-es", {}), ("bfgs", {}), ("adam", {}), ("gradient-descent", {})],
)
def test_a_budget_of_calls_is_kept_exactly(search, tmp_path, method, settings):
    store = Store(tmp_path)
    record = search(method, settings, store=store, calls_per_target=30, candidates=2)
    assert record.search_calls <= 10 * 30
    if method in ("random-search", "cma-es"):
        assert record.search_calls == 10 * 30, "those that go on to the end spend all"
    held = store.tensors(record.id, "candidates")
    assert held["candidates"].shape == (10, 2, 2) and record.answered == 1.0
    # The answer is the best that was simulated for each target
    best = held["errors"].nan_to_num(torch.inf).amin(dim=1)
    torch.testing.assert_close(best, held["history.error"][-1], rtol=1e-9, atol=1e-15)
    assert search(method, settings, calls_per_target=31).id != record.id


def test_a_budget_of_calls_cuts_what_is_judged_of_others(search, tmp_path):
    store, few = Store(tmp_path), {"surrogate": {"training": {"epochs": 1}}}
    record = search("na", few, store=store, pairs=60, calls_per_target=3)
    assert record.simulator_calls == 30 and record.candidates == 3
    whole = search("na", few, store=store, pairs=60)
    first, every = (store.tensors(r.id, "candidates")["candidates"] for r in (record, whole))
    assert torch.equal(first, every[:, :3]), "the first ones of the same candidates"


def test_a_budget_of_seconds_is_said_not_to_repeat(search):
    record = search(settings={"tries": 10_000}, seconds_per_target=1e-4)
    assert any("cannot be repeated" in note for note in record.notes)
    assert record.search_calls < 10 * 4 * 10_000 and record.status == "ok"
    late = search("na", {"surrogate": {"training": {"epochs": 1}}}, pairs=60,
                  seconds_per_target=1e-12)  # fmt: skip
    assert late.answered == 0.0, "nothing can be proposed within it"


def test_calls_to_a_small_error_are_those_of_the_search(tmp_path):
    """With one try each, the tries until the error is small are the candidates' own errors."""
    store = Store(tmp_path)
    config = RunConfig.resolve(
        {"task": "sine-wave", "method": {"name": "random-search", "tries": 50}, "targets": 20,
         "candidates": 1, "device": "cpu", "metrics": {"calls-to": {"levels": [0.1, 1e-2, 1e-12]}}}
    )  # fmt: skip
    record = run(config, store=store)
    held = store.tensors(record.id, "candidates")
    reached = held["history.reached"]
    assert reached.shape == (65, 20)
    limit = 0.1 * float(held["variance"].mean())
    solved = held["history.error"][-1] <= limit
    assert record.metric("calls-to-1e-01-solved").value == pytest.approx(
        float(solved.double().mean())
    )
    assert bool((reached[4][solved] <= 50).all()) and bool(reached[4][~solved].isinf().all())
    assert record.metric("calls-to-1e-12").value is None, "infinitely many"
    assert record.metric("calls-to-1e-12-solved").value == 0.0
    ten = held["history.best"][held["history.grid"] == 10][0]
    assert record.metric("best-within-10-calls").value == pytest.approx(float(ten.mean()))


def test_free_calls_are_a_tasks_own_word():
    registry = installed().registry
    free = {
        e.component.name for e in registry.entries("task")
        if registry.load("task", e.component.name).free_calls
    }  # fmt: skip
    assert {"sine-wave", "ballistics", "robotic-arm"} <= free
    assert free.isdisjoint({"nanoshell", "thin-film", "meta-material", "architecture"})
    assert not Task.free_calls
