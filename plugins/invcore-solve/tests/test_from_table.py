"""Own data from Python: ranked designs, like the table's, near to the truth; kept and found."""

from __future__ import annotations

import json
import subprocess
import sys

import invcore_solve
import numpy as np
import pytest
import torch
from invcore_solve import Designer
from invcore_solve.answers.ranking import distinct
from invcore_solve.judging.stacked_surrogates import StackedSurrogates
from invcore_solve.tables.read import read

from invcore import Store
from invcore.base.errors import (
    ConfigError,
    DataError,
    DeviceError,
    StoreError,
    UnfitError,
    UnknownNameError,
)
from invcore.plugin import Candidates, InverseMethod, InverseModel, Needs, generator

LINEAR = {"members": ["linear"]}  # exact here: the responses are squares and products
X = torch.rand(120, 2, generator=generator(0), dtype=torch.float64) * 2 - 1
BOUNDS = {"x1": (-0.5, 2.0)}


def truth(x):
    return torch.stack([x[:, 0] + x[:, 1] ** 2, 100 * x[:, 0] * x[:, 1]], dim=1)


TARGETS = truth(torch.tensor([[0.3, 0.4], [-0.2, 0.7], [0.9, -0.8]], dtype=torch.float64))


def fit(x=X, y=None, **options):
    y = truth(x) if y is None else y
    return invcore_solve.fit(x, y, **{"judge_settings": LINEAR, "device": "cpu"} | options)


@pytest.fixture(scope="module")
def designer():
    return fit(bounds=BOUNDS)


@pytest.fixture(scope="module")
def proposal(designer):
    return designer.propose(TARGETS, candidates=40)


def test_designs_are_typical_and_distinct(designer, proposal):
    assert bool(designer.typicality.typical(proposal.designs.numpy()).all())
    assert float(proposal.designs[:, 0].min()) >= -0.5
    assert torch.equal(proposal.target.unique(dim=0), TARGETS.unique(dim=0))
    for target in TARGETS:
        rows = (proposal.target == target).all(dim=1)
        assert proposal.rank[rows].tolist() == list(range(1, 41))
        apart = torch.cdist(proposal.designs[rows], proposal.designs[rows]).fill_diagonal_(1.0)
        assert float(apart.min()) > 0


def test_rank_is_by_the_expected_squared_distance(designer):
    ranked = designer.propose(TARGETS, candidates=40, diverse=False)
    said = designer.judge.predict(ranked.designs)
    scale = truth(X).std(0, unbiased=False)
    cost = (((said.response - ranked.target) / scale) ** 2 + (said.std / scale) ** 2).mean(1)
    for target in TARGETS:
        rows = (ranked.target == target).all(dim=1) & ~ranked.measured
        assert bool((cost[rows].diff() >= -1e-12).all()) and int(rows.sum()) > 30


def test_best_designs_give_what_was_wanted(proposal):
    best = proposal.top(1)
    assert len(best) == 3 and best.rank.tolist() == [1, 1, 1]
    off = (truth(best.designs) - best.target).abs() / truth(X).std(0)
    assert float(off.max()) < 0.02, off
    assert best.reach == ("", "", "") and len(proposal.top(10_000)) == len(proposal)


def test_rows_of_a_proposal_name_their_nearest_row(designer, proposal):
    places = designer.typicality.neighbourhood.whitening
    apart = np.linalg.norm(places(proposal.designs.numpy())[:, None] - places(X.numpy()), axis=2)
    nearest = apart.argmin(axis=1) + 1  # lines are counted from 1
    assert proposal.nearest.tolist() == nearest.tolist()
    three = np.sort(apart, axis=1)[:, :3].mean(axis=1)
    ratio = three / proposal.distance.numpy()
    np.testing.assert_allclose(ratio, ratio[0])


NAMES = [
    "target y1", "target y2", "rank", "x1", "x2", "predicted y1", "error y1", "predicted y2",
    "error y2", "distance", "nearest row", "measured",
]  # fmt: skip


def test_columns_and_files(proposal, tmp_path):
    wide = [*NAMES, "beyond"]  # the bounds are wider than the table
    assert list(proposal.columns()) == wide == list(proposal.frame().columns)
    for ending in ("csv", "npz", "parquet"):
        proposal.save(tmp_path / f"designs.{ending}")
        table = read(tmp_path / f"designs.{ending}")
        assert list(table.names) == (NAMES if ending == "npz" else wide)
        assert table.column("x2").values.tolist() == proposal.designs[:, 1].tolist()
    assert proposal.records()[3] == proposal.frame().iloc[3].to_dict()


def test_proposals_depend_on_the_seed_alone(designer, proposal):
    again = designer.propose(TARGETS.tolist(), candidates=40)
    assert torch.equal(again.designs, proposal.designs)
    other = designer.propose(TARGETS, candidates=40, seed=1)
    assert not torch.equal(other.designs, proposal.designs)


def test_whole_columns_stay_whole():
    x = torch.stack([X[:, 0], torch.arange(120) % 40.0], dim=1)
    y = x[:, :1] + 0.1 * x[:, 1:]
    ranked = fit(x, y, whole=["x2"]).propose([[2.0]], candidates=30)
    assert torch.equal(ranked.designs[:, 1], ranked.designs[:, 1].round())
    off = (ranked.designs[:, 0] + 0.1 * ranked.designs[:, 1] - 2.0).abs()
    assert float(off[0]) < 0.02


@pytest.mark.parametrize("target", [[0.0, 170.0], [99.0, 0.0]])
def test_out_of_reach(designer, target, complaint):
    found = designer.propose([TARGETS[0].tolist(), target], candidates=5)
    assert set(found.columns()["reach"]) == {"ok", found.reach[-1]}
    nearest = found.nearest[-5:].tolist()
    assert found.reach[-1].startswith("the nearest response that the table reaches is y1 = ")
    assert "row " in found.reach[-1] and len(nearest) == 5
    message = complaint(DataError, designer.propose, [TARGETS[0].tolist(), target], strict=True)
    assert "target 2: the nearest response" in message
    message = complaint(DataError, fit, targets=[target], strict=True)
    assert "target 1" in message
    assert fit(targets=[target]).record.status == "ok"


def test_stored_model_gives_the_same_bit_for_bit(tmp_path, monkeypatch):
    store = Store(tmp_path / "runs")
    first = fit(store=store, bounds=BOUNDS)
    expected = first.propose(TARGETS, candidates=20)
    assert store.read(first.record.id) == first.record and first.record.kind == "solve"
    loaded = Designer.load(store, first.record.id[:5], device="cpu")

    def refuse(*args, **options):
        raise AssertionError("fitted again")

    monkeypatch.setattr(StackedSurrogates, "fit", refuse)
    cached = fit(store=store, bounds=BOUNDS)
    for other in (loaded, cached):
        found = other.propose(TARGETS, candidates=20)
        for name in ("designs", "predicted", "predicted_error", "rank", "distance", "nearest"):
            assert torch.equal(getattr(found, name), getattr(expected, name)), name
        assert (found.names, found.notes) == (expected.names, expected.notes)
    other = [{"seed": 1}, {"bounds": {}}, {"x": X + 1e-9}, {"novelty": 2.0}, {"y": truth(X) * 2}]
    other += [{"judge_settings": {"members": ["linear"], "coverage": 0.8}}]
    for change in other:
        with pytest.raises(AssertionError, match="fitted again"):
            fit(**{"store": store, "bounds": BOUNDS} | change)
    monkeypatch.undo()
    path = store.path(first.record.id) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"model\.safetensors"):
        Designer.load(store, first.record.id)
    again = fit(store=store, bounds=BOUNDS).propose(TARGETS, candidates=20)
    assert torch.equal(again.designs, expected.designs)


def test_a_model_restored_in_another_process_gives_the_same(tmp_path):
    store = Store(tmp_path / "runs")
    first = fit(store=store, judge_settings={"members": ["linear", "gaussian-process"]})
    ranked = first.propose(TARGETS, candidates=10)
    code = (
        "import sys, json, invcore_solve; from invcore import Store\n"
        "designer = invcore_solve.Designer.load(Store(sys.argv[1]), sys.argv[2])\n"
        "ranked = designer.propose(json.loads(sys.argv[3]), candidates=10)\n"
        "print(json.dumps([ranked.designs.tolist(), ranked.predicted_error.tolist()]))\n"
    )
    words = [sys.executable, "-c", code, store.root, first.record.id, json.dumps(TARGETS.tolist())]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [ranked.designs.tolist(), ranked.predicted_error.tolist()]


def test_what_is_no_model_is_refused(tmp_path, complaint):
    store = Store(tmp_path)
    designer = fit(store=store)
    complaint(UnknownNameError, Designer.load, store, "ffff")
    store.update(designer.record.model_copy(update={"kind": "run"}))
    assert "no model" in complaint(StoreError, Designer.load, store, designer.record.id)


def test_what_was_held_out_is_in_the_record(designer):
    names = [metric.name for metric in designer.record.metrics]
    assert names == ["held-out-error of y1", "held-out-error of y2"]
    for i, metric in enumerate(designer.record.metrics):
        held = designer.judge.held_out_errors[:, i]
        assert metric.value == pytest.approx(float(held.mean()))
        assert 0 <= metric.ci_low < metric.value < metric.ci_high


class Pointless(InverseModel):
    point_dim = 2

    def propose(self, targets, points, *, simulator=None, env=None):
        return Candidates(torch.where(points > 0.5, torch.nan, 100 * points))

    def state(self):
        return {}


class Lost(InverseMethod):
    def fit(self, problem, train, val, env):
        return Pointless()

    def restore(self, problem, state, files=None):
        return Pointless()


class Simulating(Lost):
    needs = Needs.SIMULATOR


class Right(Lost):
    """Proposes one design that no mix of rows is as good as."""

    def fit(self, problem, train, val, env):
        return Exact()


class Exact(Pointless):
    def propose(self, targets, points, *, simulator=None, env=None):
        one = torch.tensor([0.3, 0.4], dtype=torch.float64)
        return Candidates(one.expand(*points.shape[:2], 2).clone())


def test_what_methods_propose_is_drawn_in_and_ranked_with_the_rest(make_plugins):
    plugins = make_plugins(method={"lost": Lost, "right": Right})
    designer = fit(method=["lost", "right"], plugins=plugins, y=truth(X)[:, :1])
    assert designer.method == "mixes+lost+right"
    found = designer.propose([[0.46]], candidates=400, sampler="random", diverse=False)
    assert bool(designer.typicality.typical(found.designs.numpy()).all())
    one = torch.tensor([0.3, 0.4], dtype=torch.float64)
    own = (found.designs - one).abs().sum(dim=1)
    assert float(own.min()) < 1e-9, "a method's design is among the others"


def test_method_that_needs_a_simulator(make_plugins, complaint):
    plugins = make_plugins(method={"simulating": Simulating})
    assert "a table has none" in complaint(UnfitError, fit, method="simulating", plugins=plugins)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"method": "nna"}, UnknownNameError, "Did you mean 'na'"),
        ({"method": "na", "settings": {"surogate": 1}}, ConfigError, "Did you mean 'surrogate'?"),
        ({"settings": {"surrogate": 1}}, ConfigError, "settings are those of a method"),
        ({"method": "na", "preset": "fast"}, ConfigError, "preset 'fast'"),
        ({"judge": "stacked"}, UnknownNameError, "stacked-surrogates"),
        ({"judge_settings": {"member": []}}, ConfigError, "Did you mean 'members'"),
        ({"judge_settings": {"members": ["liner"]}}, UnknownNameError, "Did you mean 'linear'"),
        ({"targets": [[1.0]]}, DataError, "targets have 1 columns"),
        ({"bounds": {"x9": (0, 1)}}, ConfigError, "column 'x9'"),
        ({"device": "tpu"}, DeviceError, "no device 'tpu'"),
    ],
)
def test_what_is_wrong_is_said_before_the_fit(options, kind, said, complaint, monkeypatch):
    monkeypatch.setattr("invcore_solve.judging.stacked_surrogates._Stack", None)
    assert said in complaint(kind, fit, **options)


def test_responses_of_one_source_must_be_named(complaint):
    both = np.c_[X, truth(X)]
    assert "responses=[…]" in complaint(ConfigError, invcore_solve.fit, both)


def test_another_judge_may_be_asked():
    settings = {"members": 2, "surrogate": {"width": 8, "depth": 1, "training": {"epochs": 3}}}
    designer = fit(judge="conformal-ensemble", judge_settings=settings)
    ranked = designer.propose(TARGETS, candidates=5)
    assert len(ranked) == 15 and designer.judge_summary == "conformal-ensemble"
    assert bool(ranked.predicted_error.isfinite().all())


def test_wrong_wishes(designer, complaint):
    assert "at least 1" in complaint(ConfigError, designer.propose, TARGETS, candidates=0)


def test_designs_alike_are_one():
    unit = torch.tensor(
        [[0.5, 0.5], [0.2, 0.1], [0.5, 0.50001], [0.2, 0.1], [0.2, 0.1003]]
    ).double()
    assert distinct(unit).tolist() == [0, 1, 4]
