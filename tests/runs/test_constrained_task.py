"""Constraints that a run adds to its task: what is drawn and proposed satisfies them."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import ConfigError
from invcore.configs.run_config import RunConfig
from invcore.plugin import Task, installed
from invcore.runs.constrained_task import with_constraints
from invcore.runs.plan import Plan
from invcore.runs.runner import run
from invcore.storage.store import Store
from invcore.testing.cases.problems import Bowl

QUICK = {
    "task": "sine-wave", "method": "mdn", "preset": "quick", "pairs": 100, "targets": 5,
    "candidates": 4, "device": "cpu",
}  # fmt: skip


class Half(Bowl):
    """Some designs cannot be made, as only code says; its designs are the object's own."""

    def __init__(self, config=None):
        super().__init__(config)
        self.designs = Bowl.designs

    def feasible(self, x, context=None):
        return x[:, 0] > 0


def test_without_texts_it_is_the_task_itself():
    task = Bowl()
    assert with_constraints(task, ()) is task


@pytest.mark.parametrize("kind", [Bowl, Half])
def test_pairs_and_targets_satisfy_them(kind):
    task = kind()
    narrow = with_constraints(task, ["x1 + x2 <= 0.5", "x1 >= -0.5"])
    splits = narrow.dataset(200, 50, 0)
    for part in (splits.train, splits.val, splits.test):
        assert bool((part.x.sum(dim=1) <= 0.5 + 1e-9).all()) and len(part)
        assert bool(narrow.feasible(part.x).all())
    torch.testing.assert_close(narrow.simulate(splits.test.x), task.simulate(splits.test.x))
    assert not task.designs.constraints and isinstance(narrow, kind)
    outside = torch.tensor([[0.9, 0.9], [0.1, 0.1]]).double()
    assert narrow.feasible(outside).tolist() == [False, True]
    assert narrow.constrained


def test_what_only_code_says_holds_too():
    narrow = with_constraints(Half(), ["x1 + x2 <= 0.5"])
    assert narrow.feasible(torch.tensor([[-0.5, 0.0], [0.5, -0.5]]).double()).tolist() == [
        False,
        True,
    ]
    assert type(Bowl()).feasible is Task.feasible


def test_mistakes_are_said():
    with pytest.raises(ConfigError, match="no variable 'z'"):
        with_constraints(Bowl(), ["z <= 1"])
    with pytest.raises(ConfigError, match="constraints: the sum of x1, x2 is between -2 and 3"):
        with_constraints(Bowl(), ["x1 + x2 >= 9"])


def test_a_run_keeps_them_and_they_are_part_of_its_id(tmp_path):
    config = RunConfig.parse({**QUICK, "constraints": "x1 + x2 <= 0"})
    store = Store(tmp_path)
    record = run(config, store=store)
    assert record.config["constraints"] == ["x1 + x2 <= 0"]
    held = store.tensors(record.id, "candidates")
    assert float(held["candidates"].sum(dim=-1).max()) <= 1e-9
    assert float(held["truth"].sum(dim=-1).max()) <= 1e-9
    plain = Plan.of(RunConfig.parse(QUICK), installed())
    assert plain.id != record.id and "constraints" not in plain.request.resolved
