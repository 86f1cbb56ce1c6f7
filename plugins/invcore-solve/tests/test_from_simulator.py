"""Designs found with a simulator: true responses, ranks, budgets, records, and what fails."""

from __future__ import annotations

import json

import invcore_solve
import numpy as np
import pytest
import torch
from invcore_solve import Program, SimulatorTask

import invcore
from invcore import Store
from invcore.base.errors import (
    ConfigError,
    DataError,
    DivergedError,
    SimulatorError,
    UnfitError,
)
from invcore.cli.views.run_record import show
from invcore.data.tables.read import read_table
from invcore.plugin import Candidates

BOUNDS = {"a": (0.0, 1.0), "b": (-1.0, 1.0)}
TARGETS = [[0.8], [1.4]]


def truth(x):
    return x[:, :1] + x[:, 1:] ** 2


def arrays(x):
    return np.asarray(x)[:, :1] + np.asarray(x)[:, 1:] ** 2


def solve(simulate=truth, designs=BOUNDS, targets=TARGETS, **options):
    quick = {"method": "nearest", "sampler": "lhs", "preset": "quick", "pairs": 150}
    return invcore_solve.solve_with(
        simulate, designs, targets=targets, **{**quick, "device": "cpu", "candidates": 8} | options
    )


def check(found, targets=TARGETS, simulate=truth, most=8):
    """What holds for every solution."""
    assert torch.equal(found.ranked.responses, simulate(found.ranked.designs))
    error = (found.ranked.responses - found.ranked.target).square().mean(dim=1)
    assert torch.equal(found.ranked.error, error)
    wanted = torch.tensor(targets, dtype=torch.float64)
    assert torch.equal(found.ranked.target[found.ranked.rank == 1], wanted)
    for target in wanted:
        rows = (found.ranked.target == target).all(dim=1)
        assert found.ranked.rank[rows].tolist() == list(range(1, int(rows.sum()) + 1))
        assert 1 <= int(rows.sum()) <= most
        assert bool((found.ranked.error[rows].diff() >= 0).all())
    low, high = torch.tensor(list(BOUNDS.values()), dtype=torch.float64).T
    assert bool(((found.ranked.designs >= low) & (found.ranked.designs <= high)).all())


def test_true_responses_rank_what_was_learnt(tmp_path, capsys):
    store = Store(tmp_path / "runs")
    found = solve(store=store)
    check(found)
    assert float(found.ranked.error[found.ranked.rank == 1].max()) < 0.01
    assert list(found.ranked.columns()) == [
        "target y1", "rank", "a", "b", "true y1", "predicted y1", "error"
    ]  # fmt: skip
    assert found.simulator["calls"] == 150 + len(found.ranked) and found.simulator["failed"] == 0
    assert found.simulator["differentiable"] and found.simulator["kind"] == "torch"
    # what the judge expected stays with its design
    verdict = found.designer.judge(found.ranked.designs)
    assert torch.allclose(verdict.response, found.ranked.predicted, atol=1e-5)
    record = store.read(found.record.id)
    assert record == found.record and record.status == "ok" and record.kind == "solve"
    assert (record.candidates, record.targets) == (8, 2)
    assert record.simulator_calls == found.simulator["calls"]
    show(record, store)
    assert f"simulator calls: {record.simulator_calls}" in capsys.readouterr().out
    assert record.metric("best-error").value == pytest.approx(
        float(found.ranked.error[found.ranked.rank == 1].mean())
    )
    kept = store.tensors(record.id, "candidates")
    most = int(found.ranked.rank.max())
    assert kept["candidates"].shape == (2, most, 2) and kept["errors"].shape == (2, most)
    assert torch.equal(kept["errors"][:, 0], found.ranked.error[found.ranked.rank == 1])
    assert int(kept["errors"].isfinite().sum()) == len(found.ranked)
    again = invcore_solve.Designer.load(store, record.config["model"])  # for more targets
    assert len(again.propose([[1.0]], candidates=3)) <= 3


def test_neural_adjoint_comes_nearer_than_its_pairs():
    settings = {"surrogate": {"width": 32, "depth": 2, "training": {"epochs": 30, "lr": 0.02}}}
    found = solve(method="na", settings=settings, targets=[[0.8]])
    assert float(found.ranked.error[0]) < 1e-4


def test_arrays_and_tensors_give_the_same(tmp_path):
    first, second = solve(), solve(arrays)
    assert torch.equal(first.ranked.designs, second.ranked.designs)
    assert second.simulator["kind"] == "numpy"


def test_repeat_is_the_same_and_other_seeds_are_not():
    first, second, third = solve(), solve(), solve(seed=1)
    assert (
        torch.equal(first.ranked.designs, second.ranked.designs)
        and first.record.id == second.record.id
    )
    assert not torch.equal(first.ranked.designs[:3], third.ranked.designs[:3])
    assert first.record.id != third.record.id


def test_top_and_file(tmp_path):
    found = solve()
    best = found.ranked.top(2)
    assert len(best) == 4 and best.rank.tolist() == [1, 2, 1, 2]
    assert torch.equal(best.responses, truth(best.designs))
    assert best.predicted.shape == (4, 1)
    best.save(tmp_path / "designs.npz")
    table = read_table(tmp_path / "designs.npz")
    assert list(table.names) == list(best.columns())
    np.testing.assert_array_equal(table.select(["true y1"]).values, best.responses)


def test_unchecked_designs_cost_no_calls(tmp_path):
    found = solve(check=False, store=Store(tmp_path))
    assert (
        found.ranked.responses is None
        and found.ranked.error is None
        and found.simulator["calls"] == 150
    )
    assert list(found.ranked.columns())[-2:] == ["predicted y1", "error y1"]
    assert len(found.ranked.top(1)) == 2 and found.record.metrics == ()
    assert not (tmp_path / found.record.id / "candidates.safetensors").exists()


def test_budget_checks_those_that_look_best():
    whole = solve()
    found = solve(budget=157)
    assert found.simulator["calls"] == 150 + 6 <= 157 and int(found.ranked.rank.max()) == 3
    check(found, most=3)
    assert found.notes[-1] == (
        "the budget suffices to check 3 designs of each target: those that looked best"
    )
    assert sorted(found.ranked.rank.tolist()) == [1, 1, 2, 2, 3, 3]
    assert len(whole.ranked) > len(found.ranked) and found.record.notes == found.notes


def test_designs_that_fail_are_last_and_left_out_of_the_pairs():
    def half(x):
        return torch.where(x[:, 1:] < 0, torch.nan, truth(x))

    found = solve(half, targets=[[0.8]])
    good = found.ranked.responses[:, 0].isfinite()
    assert bool((found.ranked.designs[:, 1] >= 0).eq(good).all())
    assert bool(good[: int(good.sum())].all())  # those without a response come last
    assert found.simulator["failures"] == {"NaN": found.simulator["failed"]}
    assert found.simulator["failed"] >= 70  # of the 150 designs of the pairs about half


def test_target_that_the_pairs_do_not_reach_is_tried_and_said():
    found = solve(targets=[[0.8], [9.0]])
    assert len(found.notes) == 1 and "target 2" in found.notes[0] and "y1 = " in found.notes[0]
    assert (
        float(found.ranked.error[found.ranked.target[:, 0] == 9].min()) > 40
    )  # 2 is the most there is


def test_whole_designs_and_spaces():
    space = invcore.Space.of(
        invcore.Variable(name="n", prior=invcore.Integers(low=0, high=5)),
        invcore.Variable(name="b", prior=invcore.Uniform(low=0.0, high=1.0), unit="m"),
    )
    for found in (
        solve(truth, space, [[3.2]]),
        solve(truth, {"n": (0, 5), "b": (0, 1)}, [[3.2]], whole=["n"], responses=["sum"]),
    ):
        assert torch.equal(found.ranked.designs[:, 0], found.ranked.designs[:, 0].round())
        assert float(found.ranked.error[0]) < 0.05
    assert found.ranked.names == (("n", "b"), ("sum",))


def test_method_that_searches_gets_the_simulator(tmp_path, search):
    store = Store(tmp_path)
    for method, simulate, calls in [
        ("search", truth, 3 * 16), ("search", arrays, 3 * 16), ("newton", truth, 2 * 3 * 16)
    ]:  # fmt: skip
        found = solve(simulate, method=method, store=store, pairs=None)
        check(found, simulate=truth)
        # exact in one step, where a may be what it has to be
        reached = found.ranked.target[:, 0] - found.ranked.designs[:, 1] ** 2
        inside = (reached > 0) & (reached < 1)
        assert float(found.ranked.error[inside].max()) < 1e-25
        assert found.ranked.predicted is None and found.designer is None
        assert found.record.simulator_calls == 50 + calls + len(found.ranked)
        assert search.seen["train"] == 40 and search.seen["problem"].designs.names == ("a", "b")
        assert "predicted y1" not in found.ranked.columns()
        assert store.read(found.record.id).status == "ok"


def test_copies_are_proposed_once(monkeypatch, search):
    monkeypatch.setattr(search.model, "propose", lambda self, targets, points, **_: (
        Candidates(torch.full((len(points), points.shape[1], 2), 0.5, dtype=torch.float64))
    ))  # fmt: skip
    found = solve(method="search")
    assert found.ranked.rank.tolist() == [1, 1] and found.simulator["calls"] == 152


def test_search_that_wants_more_than_the_budget():
    found = solve(method="search", pairs=50, budget=50 + 16 + 16)
    # it had the calls for one of its three steps: what it saw are 50 + 16 designs
    assert found.record.simulator_calls == 50 + 16 and found.record.status == "ok"
    check(found)
    assert found.ranked.rank.tolist() == [*range(1, 9), *range(1, 9)]
    assert len(found.notes) == 1 and "the best of the 66 simulator calls" in found.notes[0]
    enough = solve(method="search", pairs=50, budget=50 + 3 * 16 + 16)
    assert enough.notes == () and enough.record.simulator_calls <= 50 + 3 * 16 + 16


def test_search_without_a_finite_design(monkeypatch, search, complaint):
    monkeypatch.setattr(search.model, "propose", lambda self, targets, points, **_: (
        Candidates(points * torch.nan)
    ))  # fmt: skip
    assert "target 1: method 'search' gave no finite design" in complaint(
        DivergedError, solve, method="search"
    )


def test_method_that_needs_gradients_names_those_that_do_not(tmp_path):
    store = Store(tmp_path / "runs")
    program = SimulatorTask(Program(command=["sim", "{input}", "{output}"]), BOUNDS, ["y"])
    for simulate, designs, why in [
        (arrays, BOUNDS, "it takes NumPy arrays"),
        (lambda x: truth(x.detach()), BOUNDS, "its output carries none"),
        (program, None, "it is a program"),
    ]:
        with pytest.raises(ConfigError) as caught:
            solve(simulate, designs, method="newton", store=store)
        said = str(caught.value)
        assert said.isprintable() and why in said and "newton" not in said.split("work ")[1]
        assert {"na", "search"} <= set(said.split("work ")[1].split(", "))
        assert isinstance(caught.value, UnfitError)
    records = [store.read(run) for run in store.ids()]
    assert len(records) == 3 and {record.status for record in records} == {"skipped"}
    assert all("needs gradients" in record.reason for record in records)


def test_searches_by_gradients_say_what_they_do_not_move():
    (note,) = solve(truth, {"n": (0, 5), "b": (0, 1)}, [[3]], whole=["n"], method="newton").notes
    assert "does not move n: try cma-es" in note
    assert not solve(method="newton").notes


def raising(x):
    if len(x) > 3:
        raise RuntimeError("no licence,\nsorry")
    return truth(x)


FAILING = {
    "raises at once": (lambda x: 1 / 0, {}, SimulatorError, "raised ZeroDivisionError"),
    "raises later": (raising, {}, SimulatorError, "raised RuntimeError: no licence, sorry"),
    "wrong shape": (lambda x: x[:3], {}, SimulatorError, "gave shape (3, 2) for 150 designs"),
    "all nan": (lambda x: truth(x) * torch.nan, {}, SimulatorError, "none of its first 150 rows"),
    "mostly nan": (
        lambda x: torch.where(x[:, :1] < 0.9, torch.nan, truth(x)), {}, SimulatorError,
        "15 of 150 designs have a response, at least 30 must (135 NaN)",
    ),
    "constant": (lambda x: 0 * x[:, :1] + 2, {}, DataError, "column 'y1' is constant, 2.0"),
    "fit": (truth, {"method": "lost"}, DivergedError, "all is lost"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_is_recorded_with_its_reason(name, tmp_path, complaint):
    simulate, options, kind, said = FAILING[name]
    store = Store(tmp_path / "runs")
    message = complaint(
        kind, solve, simulate, targets=[[0.8]] if "shape" not in name else [[0.8, 0.1]],
        store=store, **options,
    )  # fmt: skip
    assert said in message
    (run,) = store.ids()
    record = store.read(run)
    status = "diverged" if kind is DivergedError else "error"
    assert (record.status, record.reason, record.kind) == (status, message, "solve")
    log = (store.path(run) / "log.jsonl").read_text().splitlines()
    assert json.loads(log[0])["simulator"]["calls"] >= 0
    good = solve(store=store) if name == "raises at once" else None  # others are not touched
    assert good is None or store.read(good.record.id).status == "ok"


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"designs": None}, ConfigError, "needs its designs"),
        ({"targets": [[1.0, 2.0]]}, DataError, "targets have 2 columns, the responses 1"),
        ({"targets": [[float("nan")]]}, DataError, "is missing"),
        ({"designs": {"rank": (0, 1), "b": (0, 1)}}, ConfigError, "design 'rank': results have"),
        ({"designs": {"a": (0, 1), "true y1": (0, 1)}}, ConfigError, "'true y1': results have"),
        ({"pairs": 20}, ConfigError, "pairs: expected at least 30"),
        ({"candidates": 0}, ConfigError, "candidates: expected at least 1"),
        ({"budget": 100}, ConfigError, "150 pairs and a check of what is found take at least 152"),
        ({"budget": 100, "check": False}, ConfigError, "150 pairs take at least 150"),
        ({"method": "search", "budget": 160}, ConfigError, "take at least 166"),
        ({"method": "search", "check": False}, ConfigError, "simulates what it proposes"),
        ({"method": "serch"}, invcore.base.errors.UnknownNameError, "Did you mean 'search'"),
        ({"sampler": "lsh"}, invcore.base.errors.UnknownNameError, "Did you mean 'lhs'"),
        ({"settings": {"bondary": 1}}, ConfigError, "bondary"),
        ({"method": "na", "settings": {"bondary": 1}}, ConfigError, "Did you mean 'boundary'"),
        ({"whole": ["c"]}, ConfigError, "no design 'c'"),
        ({"simulate": "mine"}, ConfigError, "expected package.module:function"),
        ({"simulate": "absent.toml", "designs": None}, ConfigError, "absent.toml: cannot be read"),
        ({"simulate": SimulatorTask(truth, BOUNDS)}, ConfigError, "says itself what its designs"),
        ({"device": "tpu"}, invcore.base.errors.DeviceError, "no device 'tpu'"),
    ],
)
def test_mistakes_are_said_and_nothing_is_kept(options, kind, said, complaint, tmp_path):
    message = complaint(kind, solve, store=Store(tmp_path / "runs"), **options)
    assert said in message and Store(tmp_path / "runs").ids() == []


def test_simulator_may_be_used_again(tmp_path):
    own = SimulatorTask(truth, BOUNDS)
    first, second = solve(own, None), solve(own, None, [[1.1]])
    assert first.simulator["calls"] == 150 + len(first.ranked)
    assert second.simulator["calls"] == 150 + len(second.ranked)


@pytest.fixture
def keeps_all(monkeypatch):
    monkeypatch.setattr("invcore_solve.simulators.function.COSTLY", 0.0)


def kept(root):
    return sorted(path.name for path in root.glob("*/*.safetensors"))


def test_a_store_keeps_the_batches_of_one_call(tmp_path, keeps_all):
    own = SimulatorTask(truth, BOUNDS, version="1")
    for name in ("first", "second"):
        solve(own, None, store=Store(tmp_path / name))
        assert own.journal is None
    first, second = (kept(tmp_path / name / "simulations") for name in ("first", "second"))
    assert first == second and len(first) == 2  # pairs and check


def test_own_journal_is_kept_to(tmp_path, keeps_all):
    own = SimulatorTask(truth, BOUNDS, version="1", journal=tmp_path / "mine")
    solve(own, None, store=Store(tmp_path / "runs"))
    assert own.journal.parent == tmp_path / "mine" and len(kept(tmp_path / "mine")) == 2
    assert not (tmp_path / "runs" / "simulations").exists()
