"""Own data from Python: ranked designs, inside of their bounds, near to the truth."""

from __future__ import annotations

import json
import math

import invcore_solve
import numpy as np
import pytest
import torch
from invcore_solve import Designer
from invcore_solve.ranking import distinct

from invcore import Store
from invcore.base.errors import (
    ConfigError,
    DataError,
    DeviceError,
    DivergedError,
    StoreError,
    UnknownNameError,
)
from invcore.data.tables.read import read_table
from invcore.plugin import Candidates, InverseMethod, InverseModel, Needs, generator

SMALL = {"width": 32, "depth": 2, "training": {"epochs": 40, "lr": 0.01, "batch_size": 32}}
SETTINGS = {"surrogate": SMALL}
X = torch.rand(300, 2, generator=generator(0), dtype=torch.float64) * 2 - 1
BOUNDS = {"x1": (-0.5, 2.0)}


def truth(x):
    return torch.stack([x[:, 0] + x[:, 1] ** 2, 100 * x[:, 0] * x[:, 1]], dim=1)


TARGETS = truth(torch.tensor([[0.3, 0.4], [-0.2, 0.7], [0.9, -0.8]], dtype=torch.float64))


def fit(x=X, y=None, **options):
    y = truth(x) if y is None else y
    return invcore_solve.fit(
        x, y, **{"preset": "quick", "settings": SETTINGS, "device": "cpu"} | options
    )


@pytest.fixture(scope="module", autouse=True)
def small_judge():
    """A judge that suits so few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "invcore_solve.judge.JudgeConfig.presets", {"quick": {"members": 3, "surrogate": SMALL}}
        )
        yield


@pytest.fixture(scope="module")
def designer():
    return fit(bounds=BOUNDS)


@pytest.fixture(scope="module")
def proposal(designer):
    return designer.propose(TARGETS, candidates=40)


def test_designs_are_inside_of_the_bounds_and_distinct(designer, proposal):
    assert bool(designer.problem.designs.contains(proposal.designs).all())
    assert float(proposal.designs[:, 0].min()) >= -0.5
    assert torch.equal(proposal.target.unique(dim=0), TARGETS.unique(dim=0))
    for target in TARGETS:
        rows = (proposal.target == target).all(dim=1)
        count = int(rows.sum())
        assert proposal.rank[rows].tolist() == list(range(1, count + 1)) and 1 <= count <= 40
        apart = torch.cdist(proposal.designs[rows], proposal.designs[rows]).fill_diagonal_(1.0)
        assert float(apart.min()) > 1e-7


def test_rank_is_by_the_upper_bound_of_the_distance(designer, proposal):
    scale = truth(X).std(0, unbiased=False)
    bound = ((proposal.predicted - proposal.target).abs() + proposal.predicted_error) / scale
    badness = bound.square().mean(1)
    for target in TARGETS:
        rows = badness[(proposal.target == target).all(dim=1)]
        assert bool((rows.diff() >= -1e-9).all())


def test_best_designs_give_what_was_wanted(proposal):
    best = proposal.top(1)
    assert len(best) == 3 and best.rank.tolist() == [1, 1, 1]
    scale = truth(X).std(0)
    off = (truth(best.designs) - best.target).abs() / scale
    assert float(off.mean()) < 0.1 and float(off.max()) < 0.3, off
    off = (truth(proposal.designs) - proposal.predicted).abs()
    covered = (off <= proposal.predicted_error).double().mean()
    assert float(covered) > 0.6
    assert best.reach == ("", "", "") and len(proposal.top(10_000)) == len(proposal)


def test_columns_and_files(proposal, tmp_path):
    names = [
        "target y1", "target y2", "rank", "x1", "x2", "predicted y1", "error y1", "predicted y2",
        "error y2",
    ]  # fmt: skip
    assert list(proposal.columns()) == names
    for ending in ("csv", "npz"):
        proposal.save(tmp_path / f"designs.{ending}")
        table = read_table(tmp_path / f"designs.{ending}")
        assert list(table.names) == names
        np.testing.assert_array_equal(table.select(["x1", "x2"]).values, proposal.designs)


def test_proposals_depend_on_seed_and_sampler_alone(designer, proposal):
    again = designer.propose(TARGETS.tolist(), candidates=40)
    assert torch.equal(again.designs, proposal.designs)
    for options in ({"seed": 1}, {"sampler": "random"}):
        other = designer.propose(TARGETS, candidates=40, **options)
        assert not torch.equal(other.designs[:5], proposal.designs[:5])


def test_whole_columns_stay_whole():
    x = torch.stack([X[:, 0], torch.arange(300) % 9.0], dim=1)
    y = x[:, :1] + 0.5 * x[:, 1:]
    proposal = fit(x, y, whole=["x2"]).propose([[2.0]], candidates=30)
    assert torch.equal(proposal.designs[:, 1], proposal.designs[:, 1].round())
    off = (proposal.designs[:, 0] + 0.5 * proposal.designs[:, 1] - 2.0).abs()
    assert float(off[0]) < 0.15 and len(proposal.designs[:, 1].unique()) >= 3


@pytest.mark.parametrize("target", [[0.0, 170.0], [99.0, 0.0]])
def test_out_of_reach(designer, target, complaint):
    message = complaint(DataError, designer.propose, [TARGETS[0].tolist(), target])
    assert "target 2: y" in message and "extrapolate=True" in message
    found = designer.propose([TARGETS[0].tolist(), target], candidates=5, extrapolate=True)
    assert set(found.columns()["reach"]) == {"ok", found.reach[-1]} and found.reach[-1]
    message = complaint(DataError, fit, targets=[target])
    assert "target 1" in message


def test_stored_model_gives_the_same_bit_for_bit(tmp_path, monkeypatch):
    store = Store(tmp_path / "runs")
    first = fit(store=store, bounds=BOUNDS)
    expected = first.propose(TARGETS, candidates=20)
    assert store.read(first.record.id) == first.record and first.record.kind == "solve"
    loaded = Designer.load(store, first.record.id[:5], device="cpu")

    def refuse(*args, **options):
        raise AssertionError("fitted again")

    monkeypatch.setattr("invcore_solve.judge.fit_surrogate", refuse)
    cached = fit(store=store, bounds=BOUNDS)
    for other in (loaded, cached):
        found = other.propose(TARGETS, candidates=20)
        for name in ("designs", "predicted", "predicted_error", "rank", "target"):
            assert torch.equal(getattr(found, name), getattr(expected, name)), name
        assert found.names == expected.names
    other = [{"seed": 1}, {"bounds": {}}, {"x": X + 1e-9}, {"preset": "default"}]
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


def test_run_of_another_kind_is_no_model(tmp_path, complaint):
    store = Store(tmp_path)
    designer = fit(store=store)
    path = store.path(designer.record.id) / "run.json"
    store.update(designer.record.model_copy(update={"kind": "run"}))
    assert json.loads(path.read_text())["kind"] == "run"
    assert "no model" in complaint(StoreError, Designer.load, store, designer.record.id)
    complaint(UnknownNameError, Designer.load, store, "ffff")


def test_what_was_held_out_is_in_the_record(designer):
    names = [metric.name for metric in designer.record.metrics]
    assert names == ["held-out-error-1", "held-out-error-2"]
    for metric, scale in zip(designer.record.metrics, truth(X).std(0), strict=True):
        assert 0 < metric.ci_low < metric.value < metric.ci_high < 0.2 * float(scale)


class Pointless(InverseModel):
    point_dim = 2

    def propose(self, targets, points, *, simulator=None, env=None):
        return Candidates(torch.where(points > 0.5, torch.nan, points))

    def state(self):
        return {}


class Lost(InverseMethod):
    def fit(self, problem, train, val, env):
        return Pointless()

    def restore(self, problem, state, files=None):
        return Pointless()


class Simulating(Lost):
    needs = Needs.SIMULATOR


def test_designs_that_are_not_finite_are_left_out(make_plugins, complaint):
    plugins = make_plugins(method={"lost": Lost})
    designer = fit(method="lost", settings={}, plugins=plugins)
    found = designer.propose(TARGETS[:1], candidates=40, sampler="random")
    assert 0 < len(found) < 20 and bool(found.designs.isfinite().all())
    assert float(found.designs.max()) <= 0.5
    designer.model.__class__.propose = lambda self, targets, points, **_: Candidates(
        points * math.nan
    )
    assert "no finite design" in complaint(DivergedError, designer.propose, TARGETS[:1])


def test_method_that_needs_a_simulator(make_plugins, complaint):
    plugins = make_plugins(method={"simulating": Simulating})
    assert "a table has none" in complaint(
        ConfigError, fit, method="simulating", settings={}, plugins=plugins
    )


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"method": "nna"}, UnknownNameError, "Did you mean 'na'"),
        ({"settings": {"surogate": 1}}, ConfigError, "Did you mean 'surrogate'?"),
        ({"preset": "fast"}, ConfigError, "preset 'fast'"),
        ({"targets": [[1.0]]}, DataError, "targets have 1 columns"),
        ({"bounds": {"x9": (0, 1)}}, ConfigError, "column 'x9'"),
        ({"device": "tpu"}, DeviceError, "no device 'tpu'"),
    ],
)
def test_what_is_wrong_is_said_before_the_fit(options, kind, said, complaint, monkeypatch):
    monkeypatch.setattr("invcore_solve.judge.fit_surrogate", None)
    assert said in complaint(kind, fit, **options)


def test_wrong_wishes(designer, complaint):
    assert "at least 1" in complaint(ConfigError, designer.propose, TARGETS, candidates=0)
    assert "random" in complaint(UnknownNameError, designer.propose, TARGETS, sampler="randm")


def test_designs_alike_are_one():
    unit = torch.tensor(
        [[0.5, 0.5], [0.2, 0.1], [0.5, 0.50001], [0.2, 0.1], [0.2, 0.1003]]
    ).double()
    assert distinct(unit).tolist() == [0, 1, 4]
