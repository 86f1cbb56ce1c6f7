"""One run, of toys: its identity, its cache, and what it counts and scores."""

from __future__ import annotations

import json

import pytest
import torch

from invcore.base.progress import Progress
from invcore.pipeline.proposals import propose_in_batches
from invcore.plugin import Simulator, Targets


def method(name="exact", **settings):
    return {"method": {"name": name, **settings}}


CHANGES = [
    {"seed": 1}, {"targets": 8}, {"candidates": 6}, {"pairs": 41}, {"rerank": True},
    {"task": "closed"}, method(shift=0.2), method("simulating", shift=0.1),
    {"preset": "quick"} | method(),
]  # fmt: skip


def test_identity_is_what_determines_the_result(go, monkeypatch):
    first = go(plan=True).id
    assert go(plan=True, **method(shift=0.1, fail="")).id == first, "a default said aloud"
    others = [go(plan=True, **change).id for change in CHANGES]
    assert len({first, *others}) == len(CHANGES) + 1
    monkeypatch.setattr("invcore.base.device.available", lambda: ["cuda:0", "cuda:1", "cpu"])
    cards = {go(plan=True, device=name).id for name in ("cuda", "cuda:0", "cuda:1", "auto")}
    assert len(cards) == 1 and first not in cards
    assert go(plan=True, **({"preset": "quick"} | method(shift=0.1))).id == first


def test_run_is_scored_by_the_tasks_own_simulator(go):
    record = go()
    seen = go.seen["evaluation"]
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


def test_metric_of_one_task_is_no_part_of_other_tasks_runs(go):
    assert list(go(plan=True).metrics) == ["best"]
    assert go(task="closed").metric("of-closed").value == 1.0
    with pytest.raises(KeyError):
        go().metric("of-closed")


def test_fit_sees_pairs_of_its_own(go):
    go()
    train, val, targets = go.seen["train"], go.seen["val"], go.seen["evaluation"].targets
    assert (len(train), len(val)) == (32, 8)
    known = torch.cat([train.y, val.y]).flatten()
    assert not bool(torch.isin(targets.flatten(), known).any()), "the test split is the scorer's"
    assert torch.equal(train.y, train.x.sum(1, keepdim=True))


def test_stored_run_is_found(go):
    first = go()
    found = go()
    assert found.stored and not first.stored and go.seen["fits"] == 1
    assert found.model_dump() == first.model_dump()
    again = go(force=True)
    assert go.seen["fits"] == 2 and again.metrics == first.metrics
    assert go.store.ids() == [first.id]


@pytest.mark.parametrize("name", ["candidates.safetensors", "model.json", "run.json", "log.jsonl"])
def test_damaged_run_is_done_again(go, name):
    first = go()
    path = go.store.path(first.id) / name
    path.write_bytes(path.read_bytes()[:-3])
    again = go()
    assert go.seen["fits"] == 2 and again.metrics == first.metrics
    assert go.store.read(first.id) == again


def test_seed_decides_the_numbers(go):
    first, same, other = (go(store=None, seed=seed) for seed in (0, 0, 1))
    assert first.metrics == same.metrics != other.metrics
    assert not go.store.root.exists()


def test_missing_candidates_count_as_failed_proposals(go):
    record = go(**method(shift=0.1, fail="missing"))
    seen = go.seen["evaluation"]
    lost = seen.candidates.isnan().any(dim=2)
    assert record.status == "ok" and 0 < int(lost.sum()) < lost.numel()
    assert torch.equal(seen.errors.isnan(), lost) and torch.equal(
        seen.resimulated[..., 0].isnan(), lost
    )


def test_no_response_and_an_infinite_one_are_both_missing(go):
    record = go(task="sharp", **method())
    seen = go.seen["evaluation"]
    assert torch.equal(seen.errors.isnan(), seen.candidates[..., 0] < 0)
    assert not bool(seen.resimulated.isinf().any())
    assert record.metric("best", 5).value == pytest.approx(0, abs=1e-20)


def test_simulator_calls_of_the_method_are_counted(go):
    assert go(**method("simulating")).simulator_calls == 2 * 35
    assert go(**method("gradient")).status == "ok"


def test_rerank_sorts_by_a_surrogate(go):
    go(pairs=400, **method(shift=3.0))
    before = go.seen["evaluation"]
    record = go(pairs=400, rerank=True, **method(shift=3.0))
    after = go.seen["evaluation"]
    assert not record.ranked and before.order is None
    torch.testing.assert_close(after.errors, before.errors)
    assert torch.equal(after.order.sort(1).values, torch.arange(5).expand(7, 5))
    best = after.errors.gather(1, after.order)[:, 0]
    drop = best.mean() / before.errors.amin(1).mean().clamp(min=1e-3)
    assert float(drop) < 1.5, "the first is about the best"


def test_ranked_model_is_scored_by_its_own_order(go):
    record = go(**method(shift=0.1, fail="ranked"))
    assert record.ranked
    first = go.seen["evaluation"].errors[:, 0].mean()
    assert record.metric("best", 1).value == pytest.approx(float(first))


@pytest.mark.parametrize("rows", [1, 5, 12, 1000])
def test_batches_change_nothing(monkeypatch, rows, line, go):
    monkeypatch.setattr("invcore.pipeline.proposals.ROWS", rows)
    y, context = torch.rand(9, 1), {"i": torch.arange(9)}
    points = torch.rand(9, 5, 1, dtype=torch.float64)
    whole = go.model(0.3).propose(Targets(y), points).x
    sizes = []

    class Watched(go.model):
        def propose(self, targets, points, *, simulator=None, env=None):
            sizes.append(len(targets))
            assert torch.equal(targets.context["i"], torch.arange(9)[sum(sizes[:-1]) : sum(sizes)])
            return super().propose(targets, points, simulator=simulator)

    simulator = Simulator(line())
    model = Watched(0.3, needs_simulator=True)
    found = propose_in_batches(model, Targets(y, context), points, simulator, Progress())
    assert torch.equal(found.x, whole.double()) and found.predicted is None
    assert simulator.calls == 45 and max(sizes) == max(1, min(9, rows // 5))
