"""Reports of runs with wishes: regret, trade-offs, and what may be compared."""

from __future__ import annotations

import json

import pytest
import torch
from invcore_report.comparison import compare_runs
from invcore_report.regret import found, regrets
from invcore_report.report import make

from invcore import RunConfig, Store, run
from invcore.plugin import DataError, Requirement, Space, Specification, Targets, Variable

RESPONSES = Space.of(Variable(name="gap"), Variable(name="mass"))


def targets(count, **requirements):
    wanted = Targets.of([Specification.of(requirements)] * count, RESPONSES)
    return wanted.measured_in(torch.tensor([1.0, 2.0], dtype=torch.float64))


def test_what_is_found_is_the_best_goal_of_those_that_meet_the_rest():
    wanted = targets(2, gap=Requirement(low=1.0), mass=Requirement(goal="minimise", weight=3.0))
    y = torch.tensor([[[1.0, 4.0], [2.0, 6.0], [0.0, 0.0]], [[0.0, 1.0], [0.5, 2.0], [0.9, 3.0]]])
    worst = torch.tensor([[0.0, 8.0], [0.0, 8.0]]).double()
    arrays = {"errors": torch.zeros(2, 3), "resimulated": y.double(), "known.worst": worst}
    # Weighted, in units of the spread; the second target is not met
    assert found(arrays, wanted).tolist() == [3 * 4 / 2, 3 * 8 / 2]


def test_without_goals_it_is_the_smallest_violation():
    arrays = {"errors": torch.tensor([[4.0, 1.0], [0.0, 2.0]])}
    assert found(arrays, targets(2, gap=Requirement(low=1.0))).tolist() == [1.0, 0.0]


def test_regret_is_beside_the_best_of_all():
    one, two = torch.tensor([1.0, 5.0, 3.0]), torch.tensor([2.0, 2.0, 3.0])
    first, other, third = regrets([one, None, two], [3])
    assert other is None
    assert (first.value, third.value) == (pytest.approx(1.0), pytest.approx(1 / 3))
    assert regrets([one, None], [3]) == [None, None]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = Store(tmp_path_factory.mktemp("wishes") / "runs")
    wishes = {"want": ["y=min, >=0.2", "cost=min"], "responses": ["cost = x1^2 + x2^2"]}
    for method in ("na", "tandem"):
        tiny = {"width": 8, "training": {"epochs": 1}}
        settings = {"name": method, "surrogate": tiny}
        for more in (wishes, {"want": ["y=±0.5"], "targets": 5}):
            config = {"method": settings, "pairs": 60, "candidates": 6, **more}
            done = run(RunConfig.resolve(config, preset="quick"), store=place, keep_going=False)
            assert done.status == "ok"
    return place


def test_a_report_has_regret_and_trade_offs_and_a_task_for_each_specification(store, tmp_path):
    report = make(store, tmp_path / "report")
    assert len(report.boards) == 2 and not report.collection.left_out
    for board in report.boards:
        assert board.columns[0].key == "regret"
        values = [row.cells["regret"].value for row in board.rows]
        assert min(values) >= 0
    names = " ".join(report.pictures)
    assert names.count("trade-offs") == 1 and names.count("-wishes-na") == 2
    assert "parity" not in names
    page = report.page.read_text()
    assert "best trade-offs" in page or "Goals of the first target" in page


def test_runs_of_other_wishes_are_not_compared(store):
    records = [store.read(run) for run in store.ids()]
    fixed = [r.id for r in records if r.targets == 1]
    near = [r.id for r in records if r.targets == 5]
    document = compare_runs(store, *near).document()
    assert document["differences"] and json.dumps(document)
    with pytest.raises(DataError, match="wishes differ"):
        compare_runs(store, fixed[0], near[0])
