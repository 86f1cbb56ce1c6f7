"""The examples run, keep their contracts, and are as short as the docs say."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from invcore.testing import CHECKS, NotApplicable, Subject

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
FLOW = EXAMPLES / "flow-matching"
MATHEMATICS = {"build", "loss", "decode", "log_likelihood", "follow", "velocity"}
"""The flow's network, its loss, and its ways between noise and designs."""


@pytest.fixture
def examples(monkeypatch):
    for folder in (EXAMPLES, FLOW):
        monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module
    for name in [n for n in sys.modules if n.split(".")[0] in ("campaign", "neighbours")]:
        del sys.modules[name]


def test_a_campaign_goes_on_though_rows_come_late_and_otherwise(examples, capsys):
    assert examples("campaign").main() > 8.8  # what is wanted is 9
    said = capsys.readouterr().out
    assert "week 1: data frame: 4 rows: 4 new, of which 1 failed; 1 is still pending" in said
    assert "advice: " in said


def test_a_judge_ranks_by_probability(examples, capsys):
    strengths = examples("neighbours").main()
    assert sum(40 <= strength <= 50 for strength in strengths) >= 5  # of all, one in five
    assert capsys.readouterr().out.count("probability") == 10


@pytest.mark.parametrize("check", CHECKS["judge"], ids=lambda check: check.name)
def test_the_judge_keeps_its_contract(examples, check):
    judge = examples("neighbours").NeighbourJudge
    check.run(Subject.of("judge", "neighbours", judge))


@pytest.fixture(scope="module")
def flow():
    sys.path.insert(0, str(FLOW))
    try:
        method = importlib.import_module("invcore_flow_example.method").FlowMatching
    finally:
        sys.path.remove(str(FLOW))
    settings = {"training": {"epochs": 60}}
    return Subject.of("method", "flow-example", method, settings=settings)


@pytest.mark.parametrize("check", CHECKS["method"], ids=lambda check: check.name)
def test_the_flow_keeps_its_contract(flow, check):
    try:
        check.run(flow)
    except NotApplicable as reason:
        pytest.skip(str(reason))


def code_lines(text: str, without: set[str]) -> int:
    """Lines with code, but for imports, docstrings, and the functions named."""
    lines = {
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#")
    }
    for node in ast.walk(ast.parse(text)):
        aside = isinstance(node, ast.Import | ast.ImportFrom)
        aside |= isinstance(node, ast.FunctionDef) and node.name in without
        constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if aside or constant:  # a constant by itself is a docstring
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def test_the_flow_is_as_short_as_the_docs_say():
    files = [path.read_text() for path in FLOW.rglob("invcore_flow_example/*.py")]
    beside = sum(code_lines(text, MATHEMATICS) for text in files)
    whole = sum(code_lines(text, set()) for text in files)
    assert beside < 30
    said = re.search(r"(\d+) lines, (\d+) of them beside", (ROOT / "docs/plugins.md").read_text())
    assert said, "docs/plugins.md says how long the example is"
    assert (int(said[1]), int(said[2])) == (whole, beside)
