"""``invcore campaign``: a lab engineer's session, mistakes, and what machines get."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.shell_completion import ShellComplete

from invcore.cli.main import cli

NEW = [
    "campaign", "new", "alloy", "--bounds", "cu [wt%]=0:5", "--bounds", "mg=0:3",
    "--category", "oven=A,B", "--response", "strength [MPa]",
    "--response", "cost = 2*cu + 4*mg + 10", "--want", "strength>=300", "--want", "cost=min",
    "--constraint", "cu + mg <= 6", "--loop", "random-search",
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def fill(path: str, rows: int) -> None:
    """What somebody does in Excel: measure some rows, and one breaks."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    names = {cell.value: cell.column for cell in sheet[1]}
    assert [*names][:5] == ["id", "cu [wt%]", "mg", "oven", "strength [MPa]"]
    for row in range(2, rows + 2):
        cu, mg = (float(sheet.cell(row, names[name]).value) for name in ("cu [wt%]", "mg"))
        sheet.cell(row, names["strength [MPa]"]).value = 250 + 30 * cu - 5 * cu**2 + 5 * mg
    sheet.cell(rows + 2, names["strength [MPa]"]).value = "broken"
    book.save(path)


def test_a_session_from_the_table_to_the_page(call):
    Path("measured.csv").write_text(
        "Oven;mg;cu;strength\nA;1,0;1,0;291,0\nb;0,5;2,0;304\nB;2;4;\nA;1;3;cracked\n"
    )
    begun = call(*NEW, "--known", "measured.csv")
    assert begun.code == 0, begun.err
    assert "measured.csv: 3 rows are known, of which 1 failed" in begun.out
    assert "designs: cu from 0 to 5 wt%, mg from 0 to 3, oven A or B; cu + mg <= 6" in begun.out
    assert "responses: strength [MPa], cost (computed)" in begun.out
    asked = call("campaign", "ask", "alloy", "-n", 8, "--out", "next.xlsx")
    assert asked.code == 0, asked.err
    assert "written: next.xlsx; fill in strength" in asked.out
    fill("next.xlsx", 5)
    told = call("campaign", "tell", "alloy", "next.xlsx")
    assert (
        "next.xlsx: 8 rows: 6 new, of which 1 failed; 2 without a result; 2 are still" in told.out
    )
    assert "best so far: " in told.out
    assert "6 told before" in call("campaign", "tell", "alloy", "next.xlsx").out
    stands = call("campaign", "status", "alloy", "--cost-of-experiment", 1, "--worth", "cost=2")
    assert stands.code == 0, stands.err
    assert "pending: 2 rows (id 7, 8)" in stands.out
    assert "advice: " in stands.out
    three = call("campaign", "ask", "alloy", "-n", 3, "--fix", "oven=B", "--json")
    rows = json.loads(three.out)["rows"]
    assert [row["oven"] for row in rows] == ["B"] * 3
    assert rows[0]["strength"] is None
    changed = call("campaign", "change", "alloy", "--want", "strength>=320", "--bounds", "mg=0:2")
    assert changed.out.startswith("no longer wanted: strength>=300\n")
    assert "wanted: strength>=320; cost=min" in changed.out
    page = call("campaign", "report", "alloy")
    assert page.out.strip() == "alloy.html"
    assert "strength&gt;=320" in Path("alloy.html").read_text()
    assert call("campaign", "export", "alloy", "rows.csv").out == "14 rows: rows.csv\n"
    rows = pd.read_csv("rows.csv")
    assert rows.state.tolist() == [
        "told", "told", "failed", *["told"] * 5, "failed", *["pending"] * 5,
    ]  # fmt: skip
    assert rows["strength [MPa]"].isna().sum() == 7


def test_machines_get_documents(call):
    made = json.loads(call(*NEW, "--json").out)
    assert made["measured"] == ["strength"]
    call("campaign", "ask", "alloy", "-n", 8, "--out", "next.xlsx")
    fill("next.xlsx", 6)
    told = json.loads(call("campaign", "tell", "alloy", "next.xlsx", "--json").out)
    assert (told["new"], told["failed"], told["pending"]) == (7, 1, 1)
    status = json.loads(call("campaign", "status", "alloy", "--json").out)
    assert 0 <= status["probability"] <= 1
    assert status["batch"]["of"] == "pending"
    assert json.loads(call("campaign", "export", "alloy", "r.xlsx", "--json").out)["rows"] == 8
    assert json.loads(call("campaign", "report", "alloy", "--to", "p.html", "--json").out) == {
        "page": "p.html"
    }
    changed = json.loads(call("campaign", "change", "alloy", "--noise", "strength=2", "--json").out)
    assert changed["noise"] == {"strength": 2.0}
    pending = json.loads(call("campaign", "ask", "alloy", "--pending", "--json").out)
    assert [row["id"] for row in pending["rows"]] == [8]


def test_a_space_may_be_a_file(call):
    Path("space.toml").write_text(
        'constraints = ["cu <= 4"]\n[[design]]\nname = "cu"\nlow = 0.0\nhigh = 5.0\nunit = "wt%"\n'
        '[[design]]\nname = "layers"\nlow = 1\nhigh = 8\nwhole = true\n'
        '[[response]]\nname = "strength"\nunit = "MPa"\n'
    )
    made = call("campaign", "new", "a", "--space", "space.toml", "--want", "strength>=3")
    assert made.code == 0, made.err
    assert "designs: cu from 0 to 5 wt%, layers from 1 to 8, whole; cu <= 4" in made.out
    assert "responses: strength [MPa]" in made.out


BEGIN = ["campaign", "new", "a"]
WRONG = {
    "no response": ([*BEGIN, "--bounds", "x=0:1", "--want", "y=1"], 2, "--response strength"),
    "no wish": ([*BEGIN, "--bounds", "x=0:1", "--response", "y"], 2, "--want"),
    "no designs": ([*BEGIN, "--response", "y", "--want", "y=1"], 2, "--bounds"),
    "no bounds": ([*BEGIN, "--bounds", "x", "--response", "y", "--want", "y=1"], 2, "LOW:HIGH"),
    "one category": (
        [*BEGIN, "--category", "x=A", "--response", "y", "--want", "y=1"], 2, "NAME=A,B,…"),
    "twice": (
        [*BEGIN, "--bounds", "x=0:1", "--bounds", "x=0:2", "--response", "y", "--want", "y=1"], 2,
        "named twice"),
    "no campaign": (["campaign", "status", "nowhere"], 3, "there is no campaign"),
    "a missing table": (["campaign", "tell", "alloy", "nex.xlsx"], 2, "nex.xlsx: no such file"),
    "an odd file": (["campaign", "ask", "alloy", "--out", "x.docx"], 2, "expected a file .csv"),
    "an odd page": (["campaign", "report", "alloy", "--to", "x.pdf"], 2, ".html"),
    "an odd table": (["campaign", "export", "alloy", "x.docx"], 2, "x.docx"),
    "no change": (["campaign", "change", "alloy"], 2, "--want, --constraint"),
    "odd worth": (["campaign", "status", "alloy", "--worth", "much"], 2, "expected a number"),
    "an unknown id": (["campaign", "tell", "alloy", "back.csv"], 2, "row 2 has id 7, which was"),
    "another campaign": (NEW, 3, "there is a campaign already"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_are_one_line_with_an_exit_code(call, words, code, message):
    assert call(*NEW).code == 0
    Path("back.csv").write_text("id,strength\n7,300\n")
    done = call(*words)
    assert done.code == code
    assert message in done.err
    assert not Path("a").exists()
    if "Usage" not in done.err:
        assert len(done.err.strip().splitlines()) == 1


def test_headers_are_never_markup(call):
    name = "<b onclick=x>[red]cu[/red]"
    words = ["--bounds", f"{name}=0:5", "--response", "<script>y</script>", "--want", "#1>=3"]
    assert call("campaign", "new", "a", *words, "--loop", "random-search").code == 0
    asked = call("campaign", "ask", "a", "-n", 6, "--out", "next.csv")
    assert "[red]" in asked.out
    frame = pd.read_csv("next.csv")
    frame[frame.columns[2]] = [1.0, 2, 3, 4, 5, 4]
    frame.to_csv("back.csv", index=False)
    assert call("campaign", "tell", "a", "back.csv").code == 0
    assert call("campaign", "report", "a").code == 0
    page = Path("a.html").read_text()
    assert "<script>" not in page
    assert "<b onclick" not in page
    assert "&lt;script&gt;y" in page


def test_a_loop_that_waits_or_has_finished_says_so(call):
    words = ["--bounds", "x=0:1", "--response", "y", "--want", "y>=3", "--loop", "cma-es"]
    assert call("campaign", "new", "a", *words).code == 0
    for _ in range(9):
        asked = call("campaign", "ask", "a", "-n", 20)
        if "first has to be told" in asked.out:
            break
    assert "the loop first has to be told of the" in asked.out


def test_the_shell_completes_folders(call):
    assert call(*NEW).code == 0
    Path("alone").mkdir()
    complete = ShellComplete(cli, {}, "invcore", "_INVCORE_COMPLETE")
    found = complete.get_completions(["campaign", "status"], "a")
    assert [item.value for item in found] == ["alloy"]


def test_the_loop_says_how_it_is_set(call):
    said = " ".join(call("describe", "loop", "closed-loop").out.split())
    assert "`invcore campaign new … --set calls=40`" in said
    assert "set one with `invcore run --method closed-loop --set method.FIELD=VALUE`" in said
