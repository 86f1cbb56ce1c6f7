"""Designs of a simulator, refined."""

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from invcore_solve import Solution, solve_with
from torch import Tensor

from invcore.cli.main import cli
from invcore.plugin import ConfigError

BOUNDS = {"a": (0.0, 1.0), "b": (0.0, 1.0), "c": (0.0, 1.0)}


def curved(x: Tensor) -> Tensor:
    a, b, c = x.unbind(dim=1)
    return torch.stack([a.square() + b * c, (3 * b).sin() + c], dim=1)


def solved(**more: Any) -> Solution:
    base: dict[str, Any] = {
        "targets": [[0.7, 0.9], [0.4, 1.2]], "candidates": 5, "preset": "quick",
        "method": "random-search", "budget": 200,
    }  # fmt: skip
    return solve_with(curved, BOUNDS, **{**base, **more})


def test_a_search_is_refined_within_its_budget() -> None:
    plain, refined = solved(), solved(refine=12)
    assert refined.ranked.error is not None and plain.ranked.error is not None
    best = refined.ranked.top(1)
    assert bool((best.error < 1e-6 * plain.ranked.top(1).error).all())
    torch.testing.assert_close(curved(best.designs), best.responses)
    assert refined.record.simulator_calls <= 200
    assert refined.record.config["refine"] == 12
    assert any("refined by" in note for note in refined.notes)
    assert "refine" not in plain.record.config


def test_a_method_that_learns_is_refined_by_its_own_slopes() -> None:
    method = {"method": "na", "pairs": 60, "settings": {"surrogate": {"training": {"epochs": 20}}}}
    refined = solved(refine=10, budget=None, **method)
    best = refined.ranked.top(1)
    assert best.error is not None and best.predicted is not None
    assert bool((best.error < 1e-10).all())
    # What the judge expects is of where the designs are now
    assert refined.designer is not None
    expected = refined.designer.judge.predict(best.designs).response
    torch.testing.assert_close(best.predicted, expected.to(best.predicted))
    # Each target's designs are ranked by their true error, and no two are alike
    for rows in refined.ranked.groups():
        error, x = refined.ranked.error[rows], refined.ranked.designs[rows]
        assert bool((error.diff() >= 0).all())
        assert float((torch.cdist(x, x) + torch.eye(len(x))).min()) > 0


def test_wishes_and_constraints_hold() -> None:
    wishes = {"targets": None, "want": ["y1=0.5:0.55", "z>=1.2"], "derived": ["z = y1 + y2"]}
    refined = solved(refine=12, constraints=["a + b + c = 1.5"], **wishes)
    best = refined.ranked.top(1)
    assert best.met is not None and bool(best.met.all())
    sums = refined.ranked.designs.sum(dim=1)
    torch.testing.assert_close(sums, torch.full_like(sums, 1.5))


def test_budgets_put_refinement_aside() -> None:
    with pytest.raises(
        ConfigError, match="2 targets and 10 calls a target to refine take at least 22 "
    ):
        solved(budget=20, refine=10)
    with pytest.raises(ConfigError, match="10 calls a target to refine take at least 82 "):
        solved(budget=80, refine=10, method="na", pairs=60)
    with pytest.raises(ConfigError, match="designs that are checked"):
        solved(refine=3, check=False, method="na", budget=None)


def test_a_table_takes_no_refinement(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,y\n" + "\n".join(f"{i},{2 * i}" for i in range(40)))
    result = CliRunner().invoke(cli, ["solve", str(table), "--target", "9", "--refine", "5"])
    assert result.exit_code == 2
    assert "--refine is for --simulator" in result.output


def test_the_command_refines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "refinable.py").write_text(
        "def simulate(x):\n    return x[:, :1] ** 2 + x[:, 1:]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = [
        "solve", "--simulator", "refinable:simulate", "--bounds", "a=0:1", "--bounds", "b=0:1",
        "--target", "0.7", "--method", "random-search", "--candidates", "4",
        "--budget", "80", "--refine", "6",
    ]  # fmt: skip
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "refined by" in result.output
