"""Loops that search on a simulator of one's own: budgets, the default, workers, going on."""

from __future__ import annotations

import os
import sys

import invcore_solve
import pytest
import torch
from invcore_solve.default_method import Choice, chosen, default_method
from invcore_solve.simulators.row_workers import RowWorkers
from invcore_solve.simulators.task import SimulatorTask

from invcore import Store
from invcore.base.errors import ConfigError, SimulatorError
from invcore.plugin import installed
from invcore.search import LoopJournal

BOUNDS = {"a": (0.0, 1.0), "b": (-1.0, 1.0)}
TARGETS = [[0.8], [1.4]]
MODULE = """
import os
import numpy as np
def simulate(x):
    with open("calls.log", "a") as log:
        log.write(f"{os.getpid()}\\n" * len(x))
    return x[:, :1] + x[:, 1:] ** 2
def slow(x):
    import time
    time.sleep(0.06)
    return simulate(x)
def dies(x):
    if x[0, 0] > 0.5 and len(x) == 1:
        os._exit(3)
    return x[:, :1] + x[:, 1:] ** 2
def prints(x):
    print("a line of its own")
    if len(x) == 1 and x[0, 0] > 0.9:
        raise OSError("licence server")
    return np.asarray(x)[:, :1] + 0.0
"""


class Simulation:
    """A function that counts what it was asked, and may stop at some row."""

    def __init__(self, stop=None):
        self.asked, self.stop = [], stop

    def __call__(self, x):
        if len(x) == 1:  # else it is a try
            if len(self.asked) == self.stop:
                raise KeyboardInterrupt
            self.asked.append(x[0].clone())
        return x[:, :1] + x[:, 1:] ** 2


def solve(simulate, **options):
    given = {"targets": TARGETS, "method": "cma-es", "budget": 60, "device": "cpu",
             "candidates": 8}  # fmt: skip
    simulator = SimulatorTask(simulate, BOUNDS, version="1", kind="torch", name="sum")
    return invcore_solve.solve_with(simulator, **given | options)


def test_all_calls_are_the_loops_and_its_rows_are_the_answer():
    simulate = Simulation()
    found = solve(simulate)
    asked = torch.stack(simulate.asked)
    assert len(asked) == 60 == found.simulator["calls"] == found.record.simulator_calls
    assert found.record.config["pairs"] == 0
    truth = asked[:, :1] + asked[:, 1:] ** 2
    for b, target in enumerate(torch.tensor(TARGETS, dtype=torch.float64)):
        error = (truth - target).square().mean(dim=1)
        rows = [*found.ranked.groups()][b]
        assert torch.equal(found.ranked.error[rows], error.sort().values[:8])
        assert bool((found.ranked.designs[rows[0]] == asked[error.argmin()]).all())
    assert any("converged after 60 simulator calls" in note for note in found.notes)


@pytest.mark.parametrize("stop", [0, 1, 7, 31, 59])
def test_stopped_it_goes_on_without_a_call_twice(stop, tmp_path):
    whole, first, second = Simulation(), Simulation(stop), Simulation()
    expected = solve(whole, store=Store(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        solve(first, store=Store(tmp_path / "runs"))
    found = solve(second, store=Store(tmp_path / "runs"))
    assert (len(first.asked), len(second.asked)) == (stop, 60 - stop)
    assert torch.equal(torch.stack(first.asked + second.asked), torch.stack(whole.asked))
    assert torch.equal(found.ranked.designs, expected.ranked.designs)
    assert (found.simulator["calls"], found.simulator["recalled"]) == (60, stop)
    third = Simulation()
    again = solve(third, store=Store(tmp_path / "runs"))
    assert not third.asked and torch.equal(again.ranked.designs, expected.ranked.designs)


@pytest.mark.parametrize("at", [0, 1, 30, 58, 59])
def test_two_at_once_share_a_budget_and_give_one_answer(at, tmp_path):
    alone = solve(whole := Simulation(), method="random-search", store=Store(tmp_path / "whole"))
    both = []

    class Joined(Simulation):
        def __call__(self, x):
            if len(x) == 1 and len(self.asked) == at and not both:  # a second process, meanwhile
                both.append(Joined())
                options = {"method": "random-search", "store": Store(tmp_path / "runs")}
                assert solve(both[0], **options).record.simulator_calls == 60
            return super().__call__(x)

    found = solve(first := Joined(), method="random-search", store=Store(tmp_path / "runs"))
    assert len(whole.asked) == 60 == found.record.simulator_calls
    assert len(first.asked) + len(both[0].asked) == 61  # the row that was under way is both's
    assert found.record.notes == alone.record.notes
    assert torch.equal(found.ranked.designs, alone.ranked.designs)


def test_a_row_that_another_process_died_of_is_simulated(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        solve(Simulation(stop=59), store=Store(tmp_path))
    found = solve(last := Simulation(), store=Store(tmp_path))
    assert len(last.asked) == 1 and found.record.simulator_calls == 60


def test_a_larger_budget_goes_on_from_the_smaller(tmp_path):
    small, large, whole = Simulation(), Simulation(), Simulation()
    solve(small, budget=20, store=Store(tmp_path))
    solve(large, budget=50, store=Store(tmp_path))
    solve(whole, budget=50)
    assert torch.equal(torch.stack(small.asked + large.asked), torch.stack(whole.asked))
    solve(other := Simulation(), budget=20, seed=1, store=Store(tmp_path))
    assert len(other.asked) == 20 and not torch.equal(other.asked[0], small.asked[0])


def test_another_budget_or_refinement_begins_no_other_search_of_a_joint_loop(tmp_path):
    """One search whatever the budget: calls enough for several of another loop."""
    few, many = Simulation(), Simulation()
    solve(few, method="closed-loop", budget=4, store=Store(tmp_path))
    solve(many, method="closed-loop", budget=1600, refine=2, store=Store(tmp_path))
    assert len(list((tmp_path / "loops").iterdir())) == 1
    both = [*few.asked, *many.asked]
    assert len({tuple(row.tolist()) for row in both}) == len(both)  # none twice


def test_rows_without_a_response_are_known_to_have_none():
    def simulate(x):
        y = x[:, :1] + x[:, 1:] ** 2
        return torch.where(x[:, :1] < 0.5, torch.nan, y)

    found = solve(simulate, budget=80)
    assert 0 < found.simulator["failed"] < 75 and found.simulator["calls"] == 80
    assert bool((found.ranked.designs[:, 0] >= 0.5).all())
    with pytest.raises(SimulatorError, match="none of its first 20 rows has a response"):
        solve(lambda x: x[:, :1] * torch.nan)
    with pytest.raises(SimulatorError, match="none of its first 6 rows has a response"):
        solve(lambda x: x[:, :1] * torch.nan, budget=6)


def test_specifications_and_derived_responses():
    found = solve(
        Simulation(), targets=None, want=["y1=0.7:0.9", "cost=min"], budget=150,
        derived=["cost = 3*a + b"],
    )  # fmt: skip
    assert found.ranked.met is not None and bool(found.ranked.met[0].all())
    best = found.ranked.designs[0]
    assert 3 * best[0] + best[1] < -0.5 and any("1 of 1 target met" in n for n in found.notes)
    journal_targets = found.ranked.wanted
    assert journal_targets.spread.shape == (2,) and bool((journal_targets.spread != 1).all())


def test_a_derived_response_without_a_value_is_named():
    with pytest.raises(ConfigError, match="has no finite value for any of 5 designs"):
        solve(Simulation(), budget=5, targets=[[0.8, 1.0]], derived=["no = sqrt(-1 - a)"])


def test_what_is_not_met_is_said():
    found = solve(Simulation(), targets=[[0.8], [9.0]])
    first = "not converged after 60 simulator calls, the budget is used up: 1 of 2 targets met"
    assert first in found.notes
    assert [n for n in found.notes if n.startswith("target 2: not converged: best simulated row")]


def test_the_default_goes_by_the_budget():
    assert default_method(2000, 1, 1) == "closed-loop" == default_method(40 * 100, 100, 1)
    assert default_method(2001, 1, 1) == "na" == default_method(None, 100, 1)
    assert default_method(40 * 100 + 61, 100, 1) == "na"
    plugins = installed()
    assert chosen(plugins, "cma-es", 40, 1, 2, False) == Choice("cma-es")
    assert chosen(plugins, None, 40, 1, 2, True) == Choice("na")


def test_without_the_loop_of_few_calls_another_is_taken(monkeypatch):
    monkeypatch.setattr("invcore_solve.default_method.FEW_CALLS", "no-such-loop")
    found = solve(Simulation(), method=None, budget=20)
    assert found.record.method == "cma-es"
    why = "method cma-es, since a budget of 20 calls for 2 targets of 2 variables is small; "
    assert found.notes[0].startswith(why) and found.record.config["method_choice"] in found.notes


def test_settings_are_for_the_method_that_is_chosen(monkeypatch):
    monkeypatch.setattr("invcore_solve.default_method.FEW_CALLS", "random-search")
    found = solve(
        Simulation(), method=None, budget=20, settings=lambda config: {"tries": 3} if
        "tries" in config.model_fields else {},
    )  # fmt: skip
    assert found.simulator["calls"] == 6 and found.record.method == "random-search"
    assert found.notes[0].endswith("--method chooses another")


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow_sums.py").write_text(MODULE)
    yield "slow_sums"
    sys.modules.pop("slow_sums", None)


def test_workers_are_other_processes_and_all_of_them_work(module, tmp_path):
    task = SimulatorTask(f"{module}:simulate", BOUNDS, ["y"], kind="numpy")
    found = invcore_solve.solve_with(
        task, targets=TARGETS, method="random-search", budget=24, workers=2, candidates=3,
        store=Store(tmp_path / "runs"),
    )  # fmt: skip
    processes = (tmp_path / "calls.log").read_text().split()
    assert len(processes) == 24 and len(set(processes)) == 2
    best = found.ranked.designs
    assert torch.equal(found.ranked.responses, best[:, :1] + best[:, 1:] ** 2)
    [folder] = (tmp_path / "runs" / "loops").iterdir()
    assert LoopJournal.at(folder)
    invcore_solve.solve_with(
        task, targets=TARGETS, method="random-search", budget=24, workers=2, candidates=3,
        store=Store(tmp_path / "runs"),
    )  # fmt: skip
    assert len((tmp_path / "calls.log").read_text().split()) == 24


def test_an_executor_simulates_rows_and_batches(module, tmp_path):
    """With the numbers that this process gives; a loop keeps all its workers busy."""
    processes = installed().registry.load("executor", "processes")
    task = SimulatorTask(f"{module}:simulate", BOUNDS, ["y"], kind="numpy")
    how = {"targets": TARGETS, "method": "random-search", "budget": 24, "candidates": 3}
    executor = processes(processes.Config(workers=2))
    found = invcore_solve.solve_with(task, **how, executor=executor)
    callers = (tmp_path / "calls.log").read_text().split()
    assert len(callers) == 24 and len(set(callers)) == 2 and str(os.getpid()) not in callers
    best = found.ranked.designs
    assert torch.equal(found.ranked.responses, best[:, :1] + best[:, 1:] ** 2)
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    here = task.simulate(x)
    (tmp_path / "calls.log").unlink()
    with task.done_by(executor):
        there = task.simulate(x)
    assert torch.equal(here, there) and task.executor is None
    assert str(os.getpid()) not in (tmp_path / "calls.log").read_text().split()
    with pytest.raises(ConfigError, match="other processes cannot find this function"):
        solve(lambda x: x[:, :1], executor=executor)


def test_a_costly_function_is_tried_once(module, tmp_path):
    store = Store(tmp_path / "runs")
    for budget, calls in ((3, 6 + 3), (5, 6 + 5)):  # as tensors and as arrays, three designs each
        invcore_solve.solve_with(
            f"{module}:slow", BOUNDS, targets=[[0.8]], method="random-search", budget=budget,
            store=store,
        )  # fmt: skip
        assert len((tmp_path / "calls.log").read_text().split()) == calls
    [kept] = (tmp_path / "runs" / "simulations").glob("*/trial.json")
    kept.write_text("half")
    found = invcore_solve.solve_with(
        f"{module}:slow", BOUNDS, targets=[[0.8]], method="random-search", budget=5, store=store
    )
    assert found.simulator["recalled"] == 5
    assert len((tmp_path / "calls.log").read_text().split()) == 6 + 5 + 6


def test_a_function_without_a_name_has_one_worker():
    with pytest.raises(ConfigError, match="other processes cannot find this function"):
        solve(lambda x: x[:, :1], workers=2)
    with pytest.raises(ConfigError, match="at least 1"):
        solve(lambda x: x[:, :1], workers=0)


def test_a_worker_that_dies_takes_its_row_alone(module):
    task = SimulatorTask(f"{module}:dies", BOUNDS, ["y"], kind="numpy")
    with task.one_by_one(20, 0, 0), RowWorkers(task, 2) as workers:
        answers = {}
        for number, a in enumerate((0.1, 0.9, 0.2, 0.3)):
            if workers.running == 2:
                row, y = workers.next()
                answers[row] = float(y)
            workers.start(number, torch.tensor([a, 0.0], dtype=torch.float64))
        while workers.running:
            row, y = workers.next()
            answers[row] = float(y)
    assert (answers[0], answers[2], answers[3]) == (0.1, 0.2, 0.3) and answers[1] != answers[1]
    assert task.counts.failures == {"the worker died: exit code 3": 1}


def test_what_a_worker_raises_ends_the_work(module, capfd):
    pool = SimulatorTask(f"{module}:prints", BOUNDS, ["y"], kind="numpy").pool(1)
    try:
        pool.start(5, torch.tensor([[0.5, 0.0]]).double().numpy())
        number, outcome = pool.next()
        assert number == 5 and outcome.y.tolist() == [[0.5]]
        pool.start(6, torch.tensor([[0.95, 0.0]]).double().numpy())
        with pytest.raises(SimulatorError, match="raised OSError: licence server"):
            pool.next()
    finally:
        pool.close()
    seen = capfd.readouterr()
    assert seen.out == "" and seen.err == ""  # what workers print is kept off the terminal


def test_a_program_is_run_for_several_rows_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sum.sh").write_text(
        "awk -F, 'NR==1{print \"y\";next}{if ($1>0.9) exit 3; print $1+$2*$2}' $1 > $2\n"
    )
    program = invcore_solve.Program(command=("sh", "sum.sh", "{input}", "{output}"), retries=0)
    found = invcore_solve.solve_with(
        program, BOUNDS, responses=["y"], targets=TARGETS, method="random-search", budget=30,
        workers=3, candidates=3,
    )  # fmt: skip
    assert found.simulator["calls"] == 30 and found.simulator["kind"] == "program"
    assert found.simulator["failures"].keys() <= {"exit code 3"}


def test_a_loop_leaves_calls_to_refine():
    simulate = Simulation()
    found = solve(simulate, budget=60, refine=10)
    assert found.record.simulator_calls <= 60
    assert any(note.startswith("not converged after 40") or note.startswith("converged after 40")
               for note in found.notes)  # fmt: skip
    assert float(found.ranked.error[0]) < 1e-12  # which 40 calls alone do not come to


def several(simulate, **options):
    given = {"targets": None, "want": ["y1=0.5:1.5"], "method": "closed-loop", "budget": 40}
    return solve(simulate, **given | options)


def apart(designs):
    unit = torch.stack([designs[:, 0], (designs[:, 1] + 1) / 2], dim=1)
    away = (unit[:, None] - unit[None]).abs().amax(dim=2)
    return float((away + torch.eye(len(away))).min())


def test_a_loop_goes_on_until_as_many_designs_meet_a_specification_as_are_wished_for():
    found = several(simulate := Simulation(), candidates=6)
    rows = found.ranked.met.all(dim=1).nonzero()[:, 0]
    assert len(rows) == 6 == len(found.ranked) and len(simulate.asked) < 40
    assert apart(found.ranked.designs) >= 0.0199
    several(one := Simulation(), candidates=None)
    assert len(one.asked) < len(simulate.asked)  # the first that meets it ends the search
    exact = solve(Simulation(), targets=[[0.8]], method="closed-loop", budget=40, candidates=6)
    assert exact.simulator["calls"] < 40  # one search to the tolerance is enough


def test_more_designs_are_found_from_where_the_search_was(tmp_path):
    store = Store(tmp_path)
    several(first := Simulation(), candidates=1, store=store)
    several(second := Simulation(), candidates=5, store=store)
    assert len(list((tmp_path / "loops").iterdir())) == 1
    both = {tuple(row.tolist()) for row in (*first.asked, *second.asked)}
    assert len(both) == len(first.asked) + len(second.asked)
    again = several(third := Simulation(), candidates=5, store=store)
    assert not third.asked and int(again.ranked.met.all(dim=1).sum()) == 5
    fewer = several(fourth := Simulation(), candidates=2, store=store)
    assert not fourth.asked and len(fewer.ranked) == 2


def test_too_few_designs_are_said_where_there_are_no_more():
    found = several(Simulation(), candidates=30, budget=12)
    met = int(found.ranked.met.all(dim=1).sum())
    assert f"target 1: {met} designs meet it, of 30 that were wished for" in found.notes
    assert any(note.endswith("a larger one finds more designs") for note in found.notes)
    narrow = several(  # there is one design alone: the search ends by itself
        lambda x: (x[:, :1] - 0.5).square() + (x[:, 1:] / 2).square(), budget=120, candidates=4,
        want=["y1<=0.00002"],
    )  # fmt: skip
    assert narrow.simulator["calls"] < 120
    assert any(note.startswith("converged after") for note in narrow.notes)


def test_what_is_set_comes_before_what_is_wished_for():
    few = several(Simulation(), want=["y1>=0.3"], candidates=8, settings={"designs": 2})
    many = several(Simulation(), want=["y1>=0.3"], candidates=8)
    assert few.simulator["calls"] < many.simulator["calls"]
