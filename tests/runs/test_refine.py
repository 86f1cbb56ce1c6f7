"""Runs whose best candidates are refined."""

from pathlib import Path
from typing import Any

import pytest

from invcore import ConfigError, RunConfig, run
from invcore.configs.run_config import RunConfig as Config
from invcore.registry.loader import installed
from invcore.runs.plan import Plan
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

QUICK = {"name": "na", "surrogate": {"training": {"epochs": 20}}}


def go(store: Store | None = None, **more: Any) -> RunRecord:
    base = {"task": "robotic-arm", "targets": 12, "candidates": 6, "pairs": 300, "method": QUICK}
    return run(RunConfig.resolve({**base, **more}), store=store, keep_going=False)


def value(record: RunRecord, name: str, T: int | None = None) -> float:
    return next(m.number for m in record.metrics if m.name == name and m.T == T)


@pytest.mark.parametrize("method", ["na", "mdn", "random-search"])
def test_calls_are_counted_and_the_first_candidate_is_the_best_that_was_simulated(
    method: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    settings = {"random-search": {"name": method}, "na": QUICK, "mdn": {
        "name": "mdn", "training": {"epochs": 5}}}[method]  # fmt: skip
    search = {"calls_per_target": 30} if method == "random-search" else {}
    record = go(store, method=settings, refine=8, **search)
    assert record.status == "ok" and record.ranked
    own = record.search_calls - (22 * 12 if search else 0)
    assert 12 <= own <= 8 * 12
    assert record.simulator_calls >= record.search_calls
    tensors = store.tensors(record.id, "candidates")
    errors = tensors["errors"]
    assert errors.shape == (12, 6)
    assert float(errors[:, 0].sort().values[5]) < 1e-6  # of most targets
    assert bool((errors[:, 0] <= errors[:, 1].nan_to_num(1e9)).all())
    history = tensors["history.best"]
    assert float(history[-1].max()) <= float(errors[:, 0].max())


def test_refinement_is_part_of_a_run_and_none_leaves_its_id() -> None:
    plans = [Plan.of(Config.parse({"refine": n}), installed()) for n in (0, 5)]
    assert "refine" not in plans[0].request.resolved
    assert plans[1].request.resolved["refine"] == 5
    assert plans[0].id == Plan.of(Config(), installed()).id != plans[1].id


def test_a_run_is_the_same_again_and_refinement_helps() -> None:
    plain, first, again = go(), go(refine=6), go(refine=6)
    assert value(first, "r_T", 1) == value(again, "r_T", 1)
    assert value(first, "r_T", 1) < 1e-3 * value(plain, "r_T", 1)
    assert plain.search_calls == 0


def test_wishes_are_met() -> None:
    record = go(want=["y1=±0.02"], refine=6)
    assert value(record, "targets-met", 1) == 1


def test_within_a_budget_of_calls_refinement_leaves_fewer_candidates() -> None:
    record = go(calls_per_target=5, refine=3)
    assert record.candidates == 2
    assert record.simulator_calls <= 5 * 12


def test_budgets_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="leave at least one"):
        RunConfig.resolve({"refine": 5, "calls_per_target": 5})
    with pytest.raises(ConfigError, match="counts calls"):
        RunConfig.resolve({"refine": 5, "seconds_per_target": 1.0})
