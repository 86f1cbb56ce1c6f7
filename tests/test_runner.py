"""One run, with methods made up here: its identity, its cache, what it counts, how it fails."""

from __future__ import annotations

import json
import math

import pytest
import torch

from invcore import (
    Candidates,
    Config,
    Estimate,
    InverseMethod,
    InverseModel,
    Metric,
    Needs,
    RunConfig,
    Sampler,
    Simulator,
    Store,
    Targets,
    expected_best,
    run,
)
from invcore.errors import ConfigError, DeviceError, DivergedError, StoreError, UnknownNameError
from invcore.plan import Plan
from invcore.progress import Progress
from invcore.proposing import propose_in_batches

SEEN = {}


class Settings(Config):
    shift: float = 0.0
    fail: str = ""
    presets = {"quick": {"shift": 0.25}}


class Model(InverseModel):
    """x = (u, y - u): exact, but for the shift."""

    def __init__(self, shift=0.0, fail="", needs_simulator=False):
        self.point_dim, self.ranked = 1, fail == "ranked"
        self.shift, self.fail, self.simulates = shift, fail, needs_simulator

    def propose(self, targets, points, *, simulator=None):
        self.check_sizes(targets, points, 1)
        a = 2 * points[..., 0] - 1
        x = torch.stack([a, targets.y - a + self.shift * points[..., 0]], dim=2)
        if self.fail == "propose":
            raise DivergedError("all is lost,\nreally")
        if self.fail == "missing":
            x = torch.where(points < 0.5, torch.nan, x)
        if self.simulates:
            simulator(x.flatten(0, 1))
        elif simulator is not None:
            raise ValueError("a simulator that was not asked for")
        shapes = {"flat": x.flatten(0, 1), "wide": x.repeat(1, 1, 2), "few": x[:, :1], "1d": x[0, 0]}
        return Candidates(shapes.get(self.fail, x))

    def state(self):
        return {"shift": torch.tensor([self.shift])}


class Exact(InverseMethod):
    Config = Settings

    def fit(self, problem, train, val, context):
        SEEN.update(train=train, val=val, problem=problem, fits=SEEN.get("fits", 0) + 1)
        context.log({"stage": "toy", "value": torch.tensor(1.0)})
        fail = self.config.fail
        if fail == "interrupt":
            raise KeyboardInterrupt
        if fail == "fit":
            raise DivergedError("toy diverged in epoch 3")
        if fail == "bug":
            raise ZeroDivisionError
        return Model(self.config.shift, fail, bool(self.needs & Needs.SIMULATOR))

    def restore(self, problem, state):
        return Model(float(state["shift"]))


class Simulating(Exact):
    needs = Needs.PAIRS | Needs.SIMULATOR


class Gradient(Exact):
    needs = Needs.SIMULATOR | Needs.GRADIENT


class Plain(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)


class Best(Metric):
    def measure(self, evaluation):
        SEEN["evaluation"] = evaluation
        most = evaluation.errors.shape[1]
        best = expected_best(evaluation.errors, [1, most], ranked=evaluation.ranked)
        values = [float(row.nanmean()) for row in best]
        return [
            Estimate("best", values[0], T=1), Estimate("best", values[1], T=most),
            Estimate("nothing", math.nan), Estimate("endless", math.inf),
        ]  # fmt: skip


@pytest.fixture
def go(make_plugins, line, tmp_path):
    """Run with these changes; what is made up here is all there is."""
    SEEN.clear()

    class Closed(line):
        differentiable = False

    class Sharp(line):  # no response where a < 0
        def simulate(self, x, context=None):
            y = super().simulate(x)
            return torch.where(x[:, :1] < 0, torch.where(x[:, 1:] < 1, torch.nan, torch.inf), y)

    methods = {"exact": Exact, "simulating": Simulating, "gradient": Gradient}
    plugins = make_plugins(
        installed=False, task={"line": line, "closed": Closed, "sharp": Sharp}, method=methods,
        sampler={"plain": Plain}, metric={"best": Best},
    )  # fmt: skip

    def work(store=True, force=False, keep_going=True, plan=False, **changes):
        data = {
            "task": "line", "method": {"name": "exact", "shift": 0.1}, "sampler": "plain",
            "targets": 7, "candidates": 5, "pairs": 40, "device": "cpu",
        } | changes  # fmt: skip
        config = RunConfig.resolve(data)
        if plan:
            return Plan.of(config, plugins)
        place = Store(tmp_path / "runs") if store is True else store
        return run(config, store=place, plugins=plugins, force=force, keep_going=keep_going)

    work.store = Store(tmp_path / "runs")
    return work


def method(name="exact", **settings):
    return {"method": {"name": name, **settings}}


CHANGES = [
    {"seed": 1}, {"targets": 8}, {"candidates": 6}, {"pairs": 41}, {"rerank": True},
    {"task": "closed"}, method(shift=0.2), method("simulating", shift=0.1), {"preset": "quick"} | method(),
]  # fmt: skip


def test_identity_is_what_determines_the_result(go, monkeypatch):
    first = go(plan=True).id
    assert go(plan=True, **method(shift=0.1, fail="")).id == first, "a default said aloud"
    others = [go(plan=True, **change).id for change in CHANGES]
    assert len({first, *others}) == len(CHANGES) + 1
    monkeypatch.setattr("invcore.device.available", lambda: ["cuda:0", "cuda:1", "cpu"])
    cards = {go(plan=True, device=name).id for name in ("cuda", "cuda:0", "cuda:1", "auto")}
    assert len(cards) == 1 and first not in cards
    assert go(plan=True, **({"preset": "quick"} | method(shift=0.1))).id == first


def test_run_is_scored_by_the_tasks_own_simulator(go):
    record = go()
    seen = SEEN["evaluation"]
    u = 0.5 * (seen.candidates[..., 0] + 1)
    torch.testing.assert_close(seen.errors, (0.1 * u).square())
    assert seen.candidates.shape == (7, 5, 2) and seen.resimulated.shape == (7, 5, 1)
    assert record.metric("best", 1).value == pytest.approx(float((0.1 * u).square().mean()))
    assert record.metric("nothing").value is record.metric("endless").value is None
    assert (record.status, record.simulator_calls, record.parameters) == ("ok", 35, 1)
    assert not record.ranked and record.device == "cpu"
    kept = go.store.tensors(record.id, "candidates")
    assert torch.equal(kept["candidates"], seen.candidates)
    assert torch.equal(kept["targets"], seen.targets)
    assert go.store.json(record.id, "model")["config"]["shift"] == 0.1
    assert go.store.read(record.id) == record
    log = (go.store.path(record.id) / "log.jsonl").read_text().splitlines()
    assert json.loads(log[0])["stage"] == "toy"


def test_fit_sees_pairs_of_its_own(go):
    go()
    train, val, targets = SEEN["train"], SEEN["val"], SEEN["evaluation"].targets
    assert (len(train), len(val)) == (32, 8)
    known = torch.cat([train.y, val.y]).flatten()
    assert not bool(torch.isin(targets.flatten(), known).any()), "the test split is the scorer's"
    assert torch.equal(train.y, train.x.sum(1, keepdim=True))


def test_stored_run_is_found(go):
    first = go()
    assert go() == first and SEEN["fits"] == 1
    again = go(force=True)
    assert SEEN["fits"] == 2 and again.metrics == first.metrics
    assert go.store.ids() == [first.id]


@pytest.mark.parametrize("name", ["candidates.safetensors", "model.json", "run.json", "log.jsonl"])
def test_damaged_run_is_done_again(go, name):
    first = go()
    path = go.store.path(first.id) / name
    path.write_bytes(path.read_bytes()[:-3])
    again = go()
    assert SEEN["fits"] == 2 and again.metrics == first.metrics
    assert go.store.read(first.id) == again


def test_seed_decides_the_numbers(go):
    first, same, other = (go(store=None, seed=seed) for seed in (0, 0, 1))
    assert first.metrics == same.metrics != other.metrics
    assert not go.store.root.exists()


FAILURES = {
    "diverged": (method(fail="fit"), "diverged", "toy diverged in epoch 3"),
    "diverged late": (method(fail="propose"), "diverged", "all is lost, really"),
    "bug": (method(fail="bug"), "error", "ZeroDivisionError: no message"),
    "flat": (method(fail="flat"), "error", "candidates have shape"),
    "one number": (method(fail="1d"), "error", "expected (7, 5, 2)"),
    "wide": (method(fail="wide"), "error", "(7, 5, 4), expected (7, 5, 2)"),
    "few": (method(fail="few"), "error", "(7, 1, 2), expected (7, 5, 2)"),
    "no gradient": (method("gradient") | {"task": "closed"}, "skipped", "needs gradients"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_is_a_record_and_is_tried_again(go, name):
    change, status, reason = FAILURES[name]
    record = go(**change)
    assert record.status == status and reason in record.reason
    assert record.reason.isprintable() and record.metrics == ()
    assert go.store.read(record.id) == record and list(record.files) == ["log.jsonl"]
    fits = SEEN.get("fits", 0)
    assert go(**change).status == status
    assert SEEN.get("fits", 0) == (fits + 1 if fits else 0)


def test_failure_is_raised_on_wish(go):
    with pytest.raises(ZeroDivisionError):
        go(keep_going=False, **method(fail="bug"))
    assert go.store.ids() == []


def test_interrupt_leaves_nothing(go):
    with pytest.raises(KeyboardInterrupt):
        go(**method(fail="interrupt"))
    assert list(go.store.root.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"task": "lime"}, UnknownNameError),
        (method("exakt"), UnknownNameError),
        (method(shfit=1.0), ConfigError),
        ({"metrics": {"bset": {}}}, UnknownNameError),
        ({"metrics": {"best": {"T": 1}}}, ConfigError),
        ({"device": "cuda:99"}, DeviceError),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(go, change, kind, complaint):
    complaint(kind, go, **change)
    assert "fits" not in SEEN and not go.store.root.exists()


def test_store_that_cannot_be_written_is_said_before_the_fit(go, tmp_path, complaint):
    (tmp_path / "file").write_text("x")
    complaint(StoreError, go, store=Store(tmp_path / "file"))
    assert "fits" not in SEEN


def test_missing_candidates_count_as_failed_proposals(go):
    record = go(**method(shift=0.1, fail="missing"))
    seen = SEEN["evaluation"]
    lost = seen.candidates.isnan().any(dim=2)
    assert record.status == "ok" and 0 < int(lost.sum()) < lost.numel()
    assert torch.equal(seen.errors.isnan(), lost) and torch.equal(seen.resimulated[..., 0].isnan(), lost)


def test_no_response_and_an_infinite_one_are_both_missing(go):
    record = go(task="sharp", **method())
    seen = SEEN["evaluation"]
    assert torch.equal(seen.errors.isnan(), seen.candidates[..., 0] < 0)
    assert not bool(seen.resimulated.isinf().any())
    assert record.metric("best", 5).value == pytest.approx(0, abs=1e-20)


def test_simulator_calls_of_the_method_are_counted(go):
    assert go(**method("simulating")).simulator_calls == 2 * 35
    assert go(**method("gradient")).status == "ok"


def test_rerank_sorts_by_a_surrogate(go):
    go(pairs=400, **method(shift=3.0))
    before = SEEN["evaluation"]
    record = go(pairs=400, rerank=True, **method(shift=3.0))
    after = SEEN["evaluation"]
    assert record.ranked and not before.ranked
    torch.testing.assert_close(after.errors.sort(1).values, before.errors.sort(1).values)
    drop = after.errors[:, 0].mean() / before.errors.amin(1).mean().clamp(min=1e-3)
    assert float(drop) < 1.5, "the first is about the best"
    inside = after.predicted[after.candidates[..., 1].abs() < 2].isfinite()
    assert bool(inside.all()) and after.predicted.shape == (7, 5, 1)


def test_ranked_model_is_scored_by_its_own_order(go):
    record = go(**method(shift=0.1, fail="ranked"))
    assert record.ranked
    first = SEEN["evaluation"].errors[:, 0].mean()
    assert record.metric("best", 1).value == pytest.approx(float(first))


@pytest.mark.parametrize("rows", [1, 5, 12, 1000])
def test_batches_change_nothing(monkeypatch, rows, line):
    monkeypatch.setattr("invcore.proposing.ROWS", rows)
    y, context = torch.rand(9, 1), {"i": torch.arange(9)}
    points = torch.rand(9, 5, 1, dtype=torch.float64)
    whole = Model(0.3).propose(Targets(y), points).x
    sizes = []

    class Watched(Model):
        def propose(self, targets, points, *, simulator=None):
            sizes.append(len(targets))
            assert torch.equal(targets.context["i"], torch.arange(9)[sum(sizes[:-1]) : sum(sizes)])
            return super().propose(targets, points, simulator=simulator)

    simulator = Simulator(line())
    model = Watched(0.3, needs_simulator=True)
    found = propose_in_batches(model, Targets(y, context), points, simulator, Progress())
    assert torch.equal(found.x, whole.double()) and found.predicted is None
    assert simulator.calls == 45 and max(sizes) == max(1, min(9, rows // 5))
