"""The bookkeeping of the benchmark at equal simulator calls: counts, caps, levels, resuming."""

import gzip
import itertools
import json
import math

import few_calls
import numpy as np
import pytest
import torch
from equal_calls import loops
from equal_calls.constrained import Wished
from equal_calls.counting import Counted, EndedError
from equal_calls.problems import System, box_of, system
from equal_calls.rows import Rows, best_after, calls_to, falls
from equal_calls.tables import calls_of, ratio, tables

from invcore.plugin import LinearInequality, Normal, Problem, Space, Uniform, Variable


def square(targets=(0.25,)):
    """The response x² of x in -1 .. 3, errors in units of a variance of 0.01."""
    designs = Space.of(Variable(name="x", prior=Uniform(low=-1.0, high=3.0)))
    problem = Problem("square", designs, Space.of(Variable(name="y")))
    y = torch.tensor(targets, dtype=torch.float64)[:, None]
    return System(problem, lambda x: x.square(), y, 0.01)


def counted(cap, targets=(0.25,)):
    own = square(targets)
    return Counted(own, own.targets, cap, "test")


def line(competitor, target, best, cap=200, task="square"):
    return {
        "part": "single", "task": task, "competitor": competitor, "seed": 0, "target": target,
        "cap": cap, "best": best, "ask_s": 0.0,
    }  # fmt: skip


def test_every_row_counts_and_its_error_is_relative_to_the_variance():
    simulator = counted(10)
    units = np.array([[0.25], [0.5]])  # x = 0 and 1
    np.testing.assert_allclose(simulator.responses(units)[:, 0], [0, 1], atol=1e-4)
    assert simulator.calls == 2
    np.testing.assert_allclose(simulator.errors[:, 0], [6.25, 56.25], rtol=1e-4)
    assert simulator.error([0.25]) == pytest.approx(6.25, rel=1e-4)
    assert simulator.calls == 3


def test_sum_of_squared_residuals_is_the_error_also_of_several_responses():
    own = system("robotic-arm", 2, 7)
    simulator = Counted(own, own.targets[1:], 20, 0)
    residuals = simulator.residuals(simulator.starts(5))
    np.testing.assert_allclose(np.square(residuals).sum(axis=1), simulator.errors[:, 0])


def test_rows_beyond_the_cap_are_not_simulated():
    simulator = counted(3)
    with pytest.raises(EndedError):
        simulator.responses(np.linspace(0, 1, 5)[:, None])
    assert (simulator.calls, len(simulator.errors)) == (3, 3)
    with pytest.raises(EndedError):
        simulator.error([0.5])
    assert simulator.calls == 3


def test_cap_of_exactly_the_rows_is_used_before_the_search_ends():
    simulator = counted(3)
    assert len(simulator.responses(np.array([[0.0], [0.1], [0.2]]))) == 3
    with pytest.raises(EndedError):
        simulator.error([0.5])


def test_search_ends_at_the_last_level_of_all_targets():
    simulator = counted(50, targets=(0.25, 1.0))
    near, other = torch.tensor([[0.5]]).double(), torch.tensor([[-1.0]]).double()
    simulator.simulate(near)  # one target alone is reached
    with pytest.raises(EndedError):
        simulator.simulate(other)
    assert simulator.calls == 2
    lines = few_calls.facts(simulator, 1.0)
    assert [own["best"][-1] for own in lines] == [[0.5, 0.0], [1.0, 0.0]]  # calls / targets
    assert [own["levels"]["1e-12"] for own in lines] == [0.5, 1.0]
    assert {own["cap"] for own in lines} == {25}


def test_end_passes_through_a_package_that_catches_exceptions():
    assert not issubclass(EndedError, Exception)


def test_row_without_a_response_is_a_failure_and_not_the_best():
    own = square()
    broken = System(own.problem, lambda x: x * torch.nan, own.targets, own.scale)
    simulator = Counted(broken, own.targets, 5, 0)
    assert np.isfinite(simulator.residual([0.5])).all()
    assert simulator.errors.isinf().all()
    assert few_calls.facts(simulator, 0.0)[0]["best"] == []


def test_falls_levels_and_budgets():
    best = falls([5.0, math.nan, 0.5, 0.7, 0.009, 0.009])
    assert best == [[1, 5.0], [3, 0.5], [5, 0.009]]
    assert calls_to(best, 0.01) == 5
    assert calls_to(best, 0.01, within=5) == 5
    assert calls_to(best, 0.01, within=4) is None
    assert calls_to(best, 1e-4) is None
    assert [best_after(best, n) for n in (0, 1, 4, 5)] == [math.inf, 5.0, 0.5, 0.009]


def test_unsolved_targets_count_as_the_cap():
    lines = [line("a", 0, [[7, 1e-3]]), line("a", 1, [[1, 0.5]], cap=100)]
    calls, solved = calls_of(lines, 1e-2)
    assert (calls.tolist(), solved.tolist()) == ([7, 100], [1, 0])
    calls, solved = calls_of(lines, 1e-2, most=5)
    assert (calls.tolist(), solved.tolist()) == ([5, 5], [0, 0])


def test_ratio_is_of_common_targets_at_the_lower_cap():
    own = [line("a", i, [[10, 1e-3]], cap=100) for i in range(4)]
    others = [line("dfo-ls", i, [[20, 1e-3]]) for i in range(3)] + [line("dfo-ls", 9, [[1, 0.0]])]
    assert ratio(own, others, 1e-2) == pytest.approx((0.5, 0.5, 0.5))
    late = [line("dfo-ls", i, [[150, 1e-3]]) for i in range(4)]
    assert ratio(own, late, 1e-2) is None  # within 100 calls none of them is solved
    assert ratio(own, [], 1e-2) is None


def test_file_is_resumed_and_a_line_cut_short_is_dropped(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = Rows(path)
    rows.append([line("a", 0, [[1, 0.5]]), line("a", 1, [[1, 0.5]])])
    path.write_text(path.read_text() + '{"part": "sing')
    again = Rows(path)
    assert len(again.lines) == 2
    assert again.has("single", "square", "a", 0, 1)
    assert not again.has("single", "square", "a", 0, 2)
    again.append([line("a", 2, [])])
    assert [json.loads(text)["target"] for text in path.read_text().splitlines()] == [0, 1, 2]


def test_files_of_other_processes_are_read_and_left_alone(tmp_path):
    path, other = tmp_path / "rows.jsonl", tmp_path / "other.jsonl"
    text = json.dumps(line("b", 0, [])) + '\n{"part": "sing'  # it is being written to
    other.write_text(text)
    rows = Rows(path, [other])
    rows.append([line("a", 0, [])])
    assert rows.has("single", "square", "b", 0, 0)
    assert [own["competitor"] for own in rows.lines] == ["b", "a"]
    assert other.read_text() == text
    assert len(path.read_text().splitlines()) == 1


def test_packed_files_are_read(tmp_path):
    text = json.dumps(line("a", 0, [[1, 0.5]])) + "\n"
    packed = tmp_path / "measured.jsonl.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    rows = Rows(tmp_path / "own.jsonl", [packed])
    assert rows.has("single", "square", "a", 0, 0)
    assert not (tmp_path / "own.jsonl").exists()


def test_line_that_is_no_measurement_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"part": "single"}\n')
    with pytest.raises(ValueError, match="line 1 is no measurement"):
        Rows(path)


def test_command_measures_what_is_missing_alone(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rows.jsonl"
    words = ["few_calls.py", "single", "--tasks", "sine-wave", "--competitors", "random-search",
             "--seeds", "100", "--cap", "5", "--rows", str(path)]  # fmt: skip
    for targets in ("2", "2", "3"):
        monkeypatch.setattr("sys.argv", [*words, "--targets", targets])
        few_calls.main()
    found = [json.loads(text) for text in path.read_text().splitlines()]
    assert [own["target"] for own in found] == [0, 1, 2]
    assert {own["calls"] for own in found} == {5}
    assert "| sine-wave | 3; 5 |" in capsys.readouterr().out


def test_joint_search_writes_a_line_for_each_target(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    monkeypatch.setattr("sys.argv", [
        "few_calls.py", "joint", "--tasks", "sine-wave", "--competitors", "random-search",
        "--seeds", "100", "--cap", "2", "--rows", str(path),
    ])  # fmt: skip
    few_calls.main()
    found = [json.loads(text) for text in path.read_text().splitlines()]
    assert [own["target"] for own in found] == list(range(50))
    assert {own["calls"] for own in found} == {2}
    assert {round(call * 50, 9) % 1 for own in found for call, _ in own["best"]} == {0}


def test_known_pairs_cost_no_call_and_are_told_apart_by_their_number(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rows.jsonl"
    words = ["few_calls.py", "known", "--tasks", "sine-wave", "--competitors", "random-search",
             "--seeds", "100", "--cap", "2", "--targets", "3", "--rows", str(path)]  # fmt: skip
    for pairs in ("40", "40", "80"):
        monkeypatch.setattr("sys.argv", [*words, "--pairs", pairs])
        few_calls.main()
    found = [json.loads(text) for text in path.read_text().splitlines()]
    assert [own["task"] for own in found] == [
        f"sine-wave, {pairs} pairs, 3 targets" for pairs in (40, 80) for _ in range(3)
    ]
    for own in found:
        assert own["calls"] == 2 and own["best"][0] == [0.0, own["known"]]
        assert all(b[1] < a[1] and b[0] > a[0] for a, b in itertools.pairwise(own["best"]))
    own = system("sine-wave", few_calls.JOINT, 100).first(3)
    nearest = own.errors(loops.known_pairs(own, 40, 100).y, own.targets).amin(dim=0)
    assert [each["known"] for each in found[:3]] == nearest.tolist()
    assert "| sine-wave, 40 pairs, 3 targets | random-search | 3 | 2 |" in capsys.readouterr().out


def test_the_table_of_known_pairs_counts_what_is_solved():
    line = {"part": "known", "task": "t", "competitor": "l", "seed": 0, "cap": 5}
    lines = [
        line | {"target": 0, "known": 0.5, "best": [[0, 0.5], [2, 1e-3]]},
        line | {"target": 1, "known": 1e-5, "best": [[0, 1e-5]]},
        line | {"target": 2, "known": 0.7, "best": [[0, 0.7], [6, 1e-9]]},  # beyond the cap
    ]
    assert "| t | l | 3 | 5 | 67% | 33% | 0% | 0.001 | 0.5 |" in "\n".join(tables(lines))


def test_box_ignores_constraints_and_holds_the_prior():
    designs = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="b", prior=Normal(mean=0.0, std=1.0)),
        constraints=[LinearInequality(coefficients={"a": 1.0, "b": -1.0}, high=0.0)],
    )
    low, high = box_of(designs)
    np.testing.assert_allclose([low[0], high[0]], [0, 1], atol=2e-5)
    np.testing.assert_allclose([low[1], high[1]], [-4.265, 4.265], atol=1e-3)


def test_feasible_objectives_alone_count():
    wished = Wished("welded-beam", 100, cap=3)
    good, bad = [0.2443690, 6.2175197, 8.2914714, 0.2443690], [0.13, 6.0, 8.0, 0.13]
    wished.simulate(torch.tensor([[0.3, 6.5, 8.5, 0.3], bad]).double())
    assert (math.isfinite(wished.values[0]), wished.values[1]) == (True, math.inf)
    with pytest.raises(EndedError):
        wished.simulate(torch.tensor([good, good]).double())
    assert wished.calls == 3


def test_points_are_made_designs_that_the_space_allows():
    wished = Wished("speed-reducer", 100)
    asked = []
    simulate = wished.simulate
    wished.simulate = lambda designs: asked.append(designs) or simulate(designs)
    values = wished.measure(np.full((1, 7), 0.43))
    assert wished.task.designs.contains(asked[0]).all()
    assert values.shape == (1, 7)  # the weight, and six loads


def test_tables_tell_what_is_there():
    lines = [line("dfo-ls", i, [[10 + i, 1e-5]]) for i in range(5)]
    lines += [line("b", i, [[20 + 2 * i, 1e-3]]) for i in range(4)] + [line("b", 4, [[1, 1.0]])]
    found = "\n".join(tables(lines)).split("\nCalls to ")
    assert "| square | 12 / 14 | 24 / - (80%) |" in found[1]
    assert "| square | 12 / 14 | - |" in found[2]
    assert "| square | - | - |" in found[3]
    assert "to 0.01 / those of dfo-ls, at the lower cap of both\n\n| task | b |" in found[4]
    assert "| square | 2.00 (" in found[4]
