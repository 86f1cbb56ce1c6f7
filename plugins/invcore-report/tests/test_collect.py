"""What a report takes from a store, what it calls it, and what it leaves out."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_report import tables
from invcore_report.collect import collect
from invcore_report.labels import method_labels
from invcore_report.leaderboard import board, mean_ranks
from invcore_report.method_summary import summaries
from invcore_report.wording import answer, single, verdict

from invcore import StoreError
from invcore.results import Published, expected_best
from invcore.storage.run_record import MetricRecord


def boards(runs, bench=None):
    collection = collect(runs.store, bench)
    also = tables.wanted_counts(collection)
    found = summaries(collection, runs.store, also, lambda: None)
    tasks = dict.fromkeys(s.task for s in found)
    return collection, [board([s for s in found if s.task == task]) for task in tasks]


def why(collection, what):
    (found,) = [x.why for x in collection.left_out if what in x.what]
    return found


def test_the_leaderboard_by_hand(runs):
    for seed in (0, 1, 2):
        runs.add("good", scale=0.01, seed=seed, order=True)
        runs.add("bad", scale=1.0, seed=seed, order=True, ranked=True)
    _, (one,) = boards(runs)
    assert (one.task, one.T, one.headline) == ("sine-wave", 50, "r_50")
    assert [(row.summary.method, row.rank) for row in one.rows] == [("good", 1), ("bad", 2)]
    for row in one.rows:
        parts = []
        for record in row.summary.records:
            errors = runs.store.tensors(record.id, "candidates")["errors"]
            parts.append(expected_best(errors, [1, 50, 60], ranked=record.ranked))
        means = torch.cat(parts, dim=1).mean(dim=1)
        for i, T in enumerate((1, 50, 60)):
            assert row.cells[f"r_{T}"].value == pytest.approx(float(means[i]))
        assert row.cells["median"].value == pytest.approx(
            float(torch.cat(parts, dim=1)[0].quantile(0.5))
        )
        assert row.cells["r_50-reranked"].value <= row.cells["r_1-reranked"].value
        assert row.cells["fit_s"].value == 3.0 and row.cells["failed"].value == 0.0
        assert row.cells["propose_s_per_1000"].value == pytest.approx(1.2 / (12 * 60) * 1000)
        assert row.summary.propose_s == pytest.approx(0.1)
        assert row.summary.call_s == pytest.approx(0.6 / (12 * 60))
    assert one.ahead == 1.0 and "clearly ahead" in verdict(one)
    said = answer(one)
    assert said.startswith("sine-wave: best at T=50 is good, ") and said.endswith(", then bad")
    assert "all targets answered" in said and one.seeds == 3
    assert one.told_apart >= {"r_1", "r_50"} and "fit_s" not in one.told_apart


def test_one_seed_is_not_called_clear(runs):
    runs.add("good", scale=0.01)
    runs.add("bad", scale=1.0)
    _, (one,) = boards(runs)
    assert one.ahead == 1.0 and "clearly" not in verdict(one)
    assert "with one seed of each: that is of these fitted models" in verdict(one)


def test_no_rank_for_who_leaves_targets_unanswered(runs):
    whole = runs.store.tensors(runs.add("whole"), "candidates")["errors"]
    errors = whole / 100
    errors[0] = math.nan
    mute = runs.add("mute", errors=errors)
    _, (one,) = boards(runs)
    ranks = {row.summary.method: row.rank for row in one.rows}
    assert ranks == {"whole": 1, "mute": None}
    cells = one.rows[1].cells
    assert cells["answered"].value == pytest.approx(11 / 12)
    assert [c.key for c in one.columns][:4] == ["r_1", "r_50", "r_60", "answered"]
    targets = runs.store.tensors(mute, "candidates")["targets"]
    worst = float((targets - targets[0]).square().max())
    best = [expected_best(errors[1:], [T], ranked=False).sum() for T in (1, 50)]
    for T, sum_of_others in zip((1, 50), best, strict=True):
        expected = (worst + float(sum_of_others)) / 12
        assert cells[f"r_{T}"].value == pytest.approx(expected), "it counts as the farthest target"
    assert verdict(one) == "The only method with an answer to every target."
    runs.add("whole", errors=errors)
    _, (none,) = boards(runs)
    assert "no method has an answer to every target" in answer(none)
    assert verdict(none).startswith("No method answers every target")


def test_failures_and_other_metrics(runs):
    errors = torch.ones(12, 60)
    errors[:, :15] = math.nan
    mmd = MetricRecord(name="mmd", value=0.5, ci_low=0.4, ci_high=0.7)
    shown = MetricRecord(name="diversity", value=0.9, better="higher")
    dull = MetricRecord(name="unanswered", value=0.0)
    runs.add("a", errors=errors, metrics=(mmd, shown, dull))
    runs.add("b", errors=errors / 2, metrics=(mmd.model_copy(update={"value": 0.25}),))
    _, (one,) = boards(runs)
    assert {"mmd", "diversity"} <= {c.key for c in one.columns}
    assert "unanswered" not in {c.key for c in one.columns}
    best, other = one.rows
    assert best.summary.method == "b" and best.cells["failed"].value == 0.25
    assert other.cells["mmd"].low == 0.4 and "diversity" not in best.cells
    assert (best.places["mmd"], other.places["mmd"]) == (1, 2)
    assert best.places["failed"] == other.places["failed"] == 1


def test_fewer_than_fifty_candidates(runs):
    runs.add("a", candidates=8)
    runs.add("b", candidates=20)
    _, (one,) = boards(runs)
    assert one.T == 8 and all(row.rank for row in one.rows)
    runs.add("c", candidates=70)
    _, (one,) = boards(runs)
    ranks = {row.summary.method: row.rank for row in one.rows}
    assert one.T == 50 and ranks == {"a": None, "b": None, "c": 1}
    assert (
        answer(one).endswith("all targets answered")
        and verdict(one) == "The only method with a result."
    )


def test_labels_tell_apart_what_differs(runs):
    runs.add("na", settings={"width": 64}, seed=0)
    runs.add("na", settings={"width": 64}, seed=1)
    runs.add("na", settings={"width": 128})
    runs.add("na", sampler="random", settings={"width": 64})
    runs.add("na", targets=5)
    runs.add("na", task_settings={"drag": 0.5})
    collection = collect(runs.store)
    tasks = {name: {r.method for r in found} for name, found in collection.tasks().items()}
    (whole,) = [methods for methods in tasks.values() if len(methods) > 1]
    assert whole == {"na · lhs (width=64)", "na · lhs (width=128)", "na · random"}
    assert len(tasks) == 3 and all("sine-wave (" in name for name in tasks)
    assert any("targets=5" in name for name in tasks)
    assert any("drag=0.5" in name for name in tasks)
    seeds = [r.record.seed for r in collection.runs if r.method == "na · lhs (width=64)"]
    assert sorted(seeds) == [0, 1] and collection.left_out == []


def test_labels_tell_refined_runs_from_others(runs):
    plain = runs.store.read(runs.add("na"))
    refined = plain.model_copy(update={"config": {**plain.config, "refine": 20}})
    labels = method_labels([plain, refined, refined], ["sine-wave"] * 3)
    assert labels == ["na", "na (refine=20)", "na (refine=20)"]


def test_a_repeat_counts_once_and_the_newest(runs):
    first, second = runs.add("na"), runs.add("na")
    collection = collect(runs.store)
    assert [run.record.id for run in collection.runs] == [second]
    assert f"run {second} has the same settings" in why(collection, first)


def test_what_is_left_out_is_said(runs):
    good = runs.add("good")
    failed = runs.add("bad", status="diverged", reason="loss is nan")
    runs.add("solved", kind="solve")
    damaged = runs.add("gone")
    (runs.store.path(damaged) / "candidates.safetensors").unlink()
    hollow = runs.add("hollow", errors=torch.ones(2, 2))
    collection, (one,) = boards(runs)
    assert [row.summary.records[0].id for row in one.rows] == [good]
    assert why(collection, failed) == "diverged: loss is nan"
    assert "candidates.safetensors: missing" in why(collection, damaged)
    assert "shape (2, 2)" in why(collection, hollow)
    assert len(collection.left_out) == 3


def test_nothing_to_report(runs, complaint):
    assert "does not exist; begin with `invcore run`" in complaint(StoreError, runs.store)
    runs.store.root.mkdir()
    assert "has none; begin with" in complaint(StoreError, runs.store)
    runs.add("solved", kind="solve")
    assert "nothing but fitted models" in complaint(StoreError, runs.store)


@pytest.fixture
def complaint():
    def catch(kind, store, bench=None):
        with pytest.raises(kind) as caught:
            collect(store, bench)
        assert str(caught.value).isprintable()
        return str(caught.value)

    return catch


def test_a_bench_says_what_its_cells_became(runs):
    a, b = runs.add("na", scale=0.1), runs.add("ipage")
    failed = runs.add("mdn", status="error", reason="no room")
    runs.add("stranger")
    runs.bench(
        cells=[
            ("Sine", "NA tuned", 0, a, "ok", ""),
            ("Sine", "iPage", 0, b, "ok", ""),
            ("Sine", "MDN", 0, failed, "error", "no room"),
            ("Sine", "INN", 0, None, "waiting", None),
            ("Arm", "NA tuned", 0, "feedfeedfeed", "ok", None),
            ("Arm", "iPage", 3, None, "skipped", "needs gradients"),
        ],
        published=[
            {"source": "R", "task": "Sine", "method": "iPage", "metric": "r_T", "T": 7,
             "value": 1e9},
            {"source": "R", "task": "Sine", "method": "NA tuned", "metric": "r_T", "T": 7,
             "value": 1e-9},
            {"source": "R", "task": "Sine", "method": "cVAE", "metric": "r_T", "T": 7, "value": 1},
        ],
        ablations=[{"title": "Tuning", "methods": ["iPage", "absent", "NA tuned"]}],
    )  # fmt: skip
    collection, (one,) = boards(runs)  # the only one: no need to name it
    assert (collection.bench, collection.title) == ("small", "Benchmark small")
    assert [row.summary.method for row in one.rows] == ["NA tuned", "iPage"]
    assert why(collection, "MDN") == "error: no room"
    assert why(collection, "INN") == "waiting"
    assert "missing" in why(collection, "feedfeedfeed")
    assert why(collection, "Arm, iPage, seed 3 (run 000000000000)") == "skipped: needs gradients"
    assert why(collection, "1 other runs") == "not part of bench small"
    figures = tables.beside(one, collection.published)
    assert [f.verdict for f in figures] == ["better", "worse", ""]
    ours = expected_best(runs.store.tensors(b, "candidates")["errors"], [7], ranked=False)
    assert figures[0].ours.value == pytest.approx(float(ours.mean()))
    assert figures[0].ratio == pytest.approx(float(ours.mean()) / 1e9)
    first, second = tables.ablation(one, collection.ablations[0].methods)
    assert first.row.summary.method == "iPage" and first.ratio == 1.0
    assert 0 < second.ratio < 0.5


def test_published_figures_of_metrics_that_are_better_when_higher(runs):
    metric = MetricRecord(name="recall", value=0.8, better="higher")
    runs.add("na", metrics=(metric,))
    _, (one,) = boards(runs)
    figure = Published(source="P", task="sine-wave", method="na", metric="recall", value=0.5)
    (found,) = tables.beside(one, [figure])
    assert found.verdict == "better" and found.ratio == pytest.approx(1.6)


def test_published_figure_inside_our_interval_is_neither_better_nor_worse(runs):
    runs.add("na", metrics=(MetricRecord(name="recall", value=0.8, better="higher"),))
    runs.add("na", seed=1, metrics=(MetricRecord(name="recall", value=0.6, better="higher"),))
    _, (one,) = boards(runs)
    figure = Published(source="P", task="sine-wave", method="na", metric="recall", value=0.75)
    assert tables.beside(one, [figure])[0].verdict == "near"


def test_card_says_who_is_best_with_one_candidate(runs):
    runs.add("na")
    runs.add("ipage")
    _, (one,) = boards(runs)
    best = min(one.rows, key=lambda row: row.cells["r_1"].value)
    assert single(one).startswith(f"With one candidate: {best.summary.method}, ")


def test_choosing_a_bench(runs, complaint):
    run = runs.add("na")
    cells = [("sine", "na", 0, run, "ok", None)]
    for name in ("one", "two"):
        runs.bench(name, cells)
    assert "one, two" in why(collect(runs.store), "benchmarks")
    assert collect(runs.store, "two").bench == "two"
    assert "one, two" in complaint(StoreError, runs.store, "three")
    assert "no bench's name" in complaint(StoreError, runs.store, "../benches/one")
    path = runs.bench("three", cells, schema_version=2)
    assert "run the bench in this store again" in complaint(StoreError, runs.store, "three")
    path.write_text("{")
    assert "damaged" in complaint(StoreError, runs.store, "three")


def test_mean_ranks_put_the_incomplete_last(runs):
    for task in ("a", "b"):
        runs.add("steady", task=task, scale=0.1)
        runs.add("late", task=task, scale=0.5)
    runs.add("once", task="b", scale=0.01)
    _, both = boards(runs)
    assert [(name, mean) for name, mean, _ in mean_ranks(both)] == [
        ("steady", 1.5), ("late", 2.5), ("once", 1.0)
    ]  # fmt: skip


def test_ties_share_a_rank_and_zero_is_no_accident(runs):
    for method in ("a", "b"):
        runs.add(method, errors=torch.zeros(12, 60))
    _, (one,) = boards(runs)
    assert [row.rank for row in one.rows] == [1, 1]
    assert verdict(one).startswith("b has") and one.told_apart == frozenset()
