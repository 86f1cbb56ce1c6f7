"""Runs with wishes: their identity, their targets, what is scored and what is stored."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.configs.run_config import RunConfig
from invcore.contracts.method import Answers
from invcore.plugin import Candidates, Space, Targets, Variable
from invcore.runs.evaluation import stored_evaluation
from invcore.runs.wanted import Wanted

RESPONSES = Space.of(Variable(name="gap"), Variable(name="mass"))
GIVEN = torch.tensor([[1.0, 10.0], [-2.0, 20.0], [4.0, 30.0]], dtype=torch.float64)
SPREAD = torch.tensor([0.5, 4.0], dtype=torch.float64)


def wanted(*texts, **more):
    config = RunConfig.resolve({"want": list(texts), **more})
    found = Wanted.of(config, RESPONSES)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("texts", "low", "high"),
    [
        (["gap=±0.1"], [0.9, -2.1, 3.9], [1.1, -1.9, 4.1]),
        (["gap=±10%"], [0.9, -2.2, 3.6], [1.1, -1.8, 4.4]),
        (["gap=±2sd"], [0.0, -3.0, 3.0], [2.0, -1.0, 5.0]),
        (["gap>=given", "gap<=9"], [1.0, -2.0, 4.0], [9.0, 9.0, 9.0]),
    ],
)
def test_relative_wishes_are_those_of_each_test_response(texts, low, high):
    found = wanted(*texts, "mass=min, weight=3, tolerance=2")
    assert found.count is None
    targets = found.targets(GIVEN, SPREAD, None)
    assert targets.low[:, 0].tolist() == pytest.approx(low)
    assert targets.high[:, 0].tolist() == pytest.approx(high)
    each = [found.specifications[0].requirements_for(row, SPREAD.tolist()) for row in GIVEN]
    one = Targets.of(each, RESPONSES).measured_in(SPREAD)
    for name in Targets.parts:
        assert torch.equal(getattr(targets, name).nan_to_num(), getattr(one, name).nan_to_num())
    assert torch.equal(targets.spread, SPREAD)


def test_what_is_given_exactly_is_an_exact_target():
    targets = wanted("*=given").targets(GIVEN, SPREAD, None)
    assert targets.exact and torch.equal(targets.y, GIVEN)


def test_a_fixed_wish_is_one_target_and_a_file_has_one_a_row(tmp_path):
    assert wanted("gap=0.5:0.7").count == 1
    file = tmp_path / "wishes.csv"
    file.write_text("gap\n0.5:0.7\n±0.1\n")
    found = wanted("mass=min", want_file=str(file))
    assert found.count == 2
    targets = found.targets(GIVEN[:2], SPREAD, None)
    assert targets.low[:, 0].tolist() == pytest.approx([0.5, -2.1])
    assert targets.goal[:, 1].tolist() == [1, 1]


def test_what_cannot_be_is_told():
    with pytest.raises(ConfigError, match="2 of 3 test responses"):
        wanted("gap=±0.1", "gap<=0.95").targets(GIVEN + 1, SPREAD, None)
    with pytest.raises(UnknownNameError, match="gup"):
        wanted("gup=1")


def test_a_bare_text_is_a_list_of_one():
    assert RunConfig.resolve({"want": "gap=1", "responses": "a = 2*b"}).want == ("gap=1",)


def test_identity_is_what_is_wanted_and_not_how_it_is_written(go, tmp_path):
    plain = go(plan=True).id
    assert go(plan=True, want=[], responses=[]).id == plain
    first = go(plan=True, want=["y=0.5:0.7"])
    assert first.config.targets == 1 and first.id != plain
    assert go(plan=True, want=["0.5 <= #1 <= 0.7"]).id == first.id
    others = [
        go(plan=True, want=["y=0.5:0.8"]).id, go(plan=True, want=["y=±0.1"]).id,
        go(plan=True, responses=["z = 2*y"]).id,
        go(plan=True, responses=["z = 2*y"], want=["z=min"]).id,
    ]  # fmt: skip
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("y\n0.5:0.7\nmin\n")
    two.write_text("y\n0.5:0.7\nmin\n")
    files = [go(plan=True, want_file=str(path)).id for path in (one, two)]
    assert files[0] == files[1]
    two.write_text("y\n0.5:0.7\nmax\n")
    others += [files[0], go(plan=True, want_file=str(two)).id]
    assert len({plain, first.id, *others}) == len(others) + 2


def wishful(go, monkeypatch):
    """The toys' model answers wishes as they are: by the middle of an interval, or by its end."""
    monkeypatch.setattr(go.model, "answers", Answers.INTERVALS | Answers.GOALS, raising=False)

    def propose(self, targets, points, *, simulator=None, env=None):
        low, high = (end[:, :1].nan_to_num(0.0, 0.0, 0.0) for end in (targets.low, targets.high))
        wanted = torch.where(low == 0, high, torch.where(high == 0, low, (low + high) / 2))
        a = 2 * points[..., 0] - 1
        return Candidates(torch.stack([a, wanted - a + self.shift * points[..., 0]], dim=2))

    monkeypatch.setattr(go.model, "propose", propose)


def test_a_run_is_scored_by_violations(go, monkeypatch):
    wishful(go, monkeypatch)
    record = go(want=["y=±0.02, tolerance=0.1"], method={"name": "exact", "shift": 0.1})
    assert record.status == "ok" and record.targets == 7
    seen = go.seen["evaluation"]
    u = 0.5 * (seen.candidates[..., 0] + 1)
    expected = ((0.1 * u - 0.02).clamp(min=0) / 0.1).square()
    torch.testing.assert_close(seen.errors, expected)
    assert seen.targets.isnan().all() and seen.truth is None and seen.log_density is None
    given = seen.specification.low + 0.02
    responses = torch.cat([go.seen["train"].y, go.seen["val"].y, given])
    worst = ((responses[:, 0] - given).abs() - 0.02).amax(dim=1) / 0.1
    torch.testing.assert_close(seen.penalty, worst.square())
    assert record.config["want"] == ["y=±0.02, tolerance=0.1"]


def test_what_is_stored_is_what_metrics_saw(go, monkeypatch):
    wishful(go, monkeypatch)
    record = go(want=["y=min, >=0.5"], responses=["z = 2*a"])
    assert record.status == "ok" and record.targets == 1
    seen = go.seen["evaluation"]
    assert seen.responses.names == ("y", "z") and seen.resimulated.shape[2] == 2
    stored = stored_evaluation(go.store, record, seen.designs, None, seen.responses)
    for name in (*Targets.parts, "spread"):
        one, two = getattr(stored.specification, name), getattr(seen.specification, name)
        assert torch.equal(one.nan_to_num(7.0), two.nan_to_num(7.0))
    assert torch.equal(stored.known.best.nan_to_num(7.0), seen.known.best.nan_to_num(7.0))
    known = torch.cat([go.seen["train"].y, go.seen["val"].y])[:, 0]
    assert float(seen.known.best[0, 0]) == float(known[known >= 0.5].min())
    assert float(seen.known.worst[0, 0]) == float(known.max())


def test_an_exact_run_stores_no_specification(go):
    record = go()
    assert go.seen["evaluation"].specification is None
    tensors = go.store.tensors(record.id, "candidates")
    assert not [name for name in tensors if name.startswith(("specification", "known"))]


def test_unanswered_counts_one_where_all_that_is_known_meets(go, monkeypatch):
    wishful(go, monkeypatch)
    go(want=["y=-9:9"], store=None)
    assert go.seen["evaluation"].penalty.tolist() == [1.0]


def test_an_exact_wish_is_exact_and_its_design_is_not_known(go):
    record = go(want=["y=0.5"])
    assert record.status == "ok" and record.targets == 1
    seen = go.seen["evaluation"]
    assert seen.targets.tolist() == [[0.5]] and seen.specification.exact
    assert seen.truth is None and seen.log_density is None
    go(want=["y=given"])
    seen = go.seen["evaluation"]
    assert len(seen.truth) == 7
    torch.testing.assert_close(seen.truth.sum(dim=1, keepdim=True), seen.targets)
    assert torch.equal(seen.errors, (seen.resimulated - seen.targets[:, None]).square().mean(2))
