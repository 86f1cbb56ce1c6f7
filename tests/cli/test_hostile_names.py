"""Names that steer terminals, become markup, pictures or formulas: every command shows them whole
and harmless.
"""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import openpyxl
import pytest

from invcore.base.progress import RichProgress
from invcore.base.text import harmless
from invcore.cli.console import add_row, stderr, stdout, table, warn
from invcore.cli.harmless_console import HarmlessConsole
from invcore.cli.screen import Screen, harmless_streams

STEERING = "\x1b[31mred\x07 \u202eturned zero\u200bwidth \x9b2J"
SHOWN = r"\x1b[31mred\x07 \u202eturned zero\u200bwidth \x9b2J"
TURNED = "\u202eturned zero\u200bwidth"
NAMES = ["[bold]w[/bold] :smile:", "=cmd|' /C calc'!A0", r"$\frac{1}{", f"a {STEERING}"]
RESPONSES = ["[red]y :x:", "@z $x$"]


def is_harmless(text: str) -> bool:
    return all(sign.isprintable() or sign == "\n" for sign in text)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with a table of such names and categories."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    random = np.random.default_rng(0)
    with open("table.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*NAMES, "metal", *RESPONSES])
        for i in range(40):
            x = random.random(4)
            metal = ("[b]A :x:", f"+B {TURNED}")[i % 2]  # XML has no place for escape codes
            rows.writerow([*x, metal, x[0] + x[1] ** 2, x[0] * x[2]])
    return tmp_path


@pytest.fixture
def show(call, place):
    """Run a command that goes well; what it showed."""

    def run(*words):
        done = call(*words)
        assert done.code == 0, done.err
        assert is_harmless(done.out + done.err)
        return done.out

    return run


def whole(text: str, *names: str) -> None:
    """All names are there, sign by sign."""
    for name in names:
        assert harmless(name) in text, (name, text)


def no_formulas(path: str) -> None:
    """No cell of a file is one that a spreadsheet would compute."""
    if path.endswith(".xlsx"):
        for row in openpyxl.load_workbook(path).active.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
        return
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            for cell in row:
                number = cell.removeprefix("-").replace(".", "").replace("e-", "").isdigit()
                assert number or not cell.startswith(("=", "+", "-", "@")), cell


def test_a_table_and_its_designs(show, place, call):
    whole(show("inspect", "table.csv"), *NAMES, *RESPONSES, "[b]A :x:")
    columns = ["--response-columns", "6,7", "--surrogate", "linear", "--candidates", "3"]
    words = ["solve", "table.csv", *columns, "--want", "#1>=1", "--want", "#2=any"]
    out = show(*words, "--out", "designs.xlsx", "--report", "page.html")
    whole(out, *RESPONSES)
    no_formulas("designs.xlsx")
    page = (place / "page.html").read_text(encoding="utf-8")
    assert is_harmless(page) and "[bold]w[/bold] :smile:" in page and SHOWN in page
    found = json.loads(show(*words, "--out", "designs.csv", "--json"))
    no_formulas("designs.csv")
    whole(json.dumps(found["designs"][0]).replace("\\\\", "\\"), *NAMES)
    out = show("predict", "--model", found["id"], "--x", "designs.csv", "--out", "predicted.csv")
    whole(out, *RESPONSES)
    no_formulas("predicted.csv")
    assert found["id"] in show("results", "list")
    show("results", "show", found["id"])
    doctor = call("doctor")  # the machine may have problems of its own
    assert is_harmless(doctor.out + doctor.err)


def test_a_campaign(show, place):
    bounds = [word for name in NAMES[:3] for word in ("--bounds", f"{name}=0:5")]
    words = ["--response", RESPONSES[0], "--want", "#1>=3", "--loop", "random-search"]
    whole(show("campaign", "new", "lab", *bounds, *words), *NAMES[:3], RESPONSES[0])
    whole(show("campaign", "ask", "lab", "-n", "2", "--out", "next.csv"), RESPONSES[0])
    no_formulas("next.csv")
    rows = list(csv.reader((place / "next.csv").read_text(encoding="utf-8").splitlines()))
    at = rows[0].index(RESPONSES[0])
    for row, value in zip(rows[1:], ("1.5", "4"), strict=True):
        row[at] = value
    with open("done.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    show("campaign", "tell", "lab", "done.csv")
    whole(show("campaign", "ask", "lab", "--pending", "--json"))
    show("campaign", "status", "lab")
    show("campaign", "report", "lab", "--to", "lab.html")
    assert is_harmless((place / "lab.html").read_text(encoding="utf-8"))
    show("campaign", "export", "lab", "all.csv")
    no_formulas("all.csv")


WRONG = [
    ("describe", "{}"), ("run", "--task", "{}"), ("run", "--method", "{}"),
    ("run", "--set", "{}=1"),
    ("run", "--sampler", "{}"), ("results", "show", "{}"), ("bench", "{}.toml"), ("{}",),
    ("solve", "{}.csv", "--want", "y>=1"), ("inspect", "{}"), ("campaign", "status", "{}"),
    ("report", "--bench", "{}"), ("compare", "{}", "b"), ("rescore", "{}"), ("run", "--{}"),
    ("run", "--device", "{}"), ("solve", "table.csv", "--response-columns", "{}", "--target", "1"),
    ("run", "--want", "{}"), ("run", "--response", "{} = 1"), ("run", "--constraint", "{} <= 1"),
    ("solve", "--simulator", "{}:f", "--bounds", "x=0:1", "--target", "1"), ("check-plugin", "{}"),
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_names_in_messages(call, place, words):
    done = call(*(word.format(STEERING) for word in words))
    assert done.code not in (0, 70) and is_harmless(done.out + done.err), done
    assert done.err.count("\n") == 1 and "red" in done.err


def test_a_path_that_is_no_text(call, place):
    done = call("inspect", "caf\udce9.csv")
    assert done.code == 2 and r"caf\udce9.csv" in done.err
    done = call("bench", "caf\udce9.toml", "--json")
    assert done.code == 2 and r"\udce9" in done.err


def test_whatever_prints_is_harmless(capsys):
    with harmless_streams():
        print(f"print {STEERING}")  # noqa: T201 - as plugins may
        sys.stderr.write(f"stream {STEERING}\n")
        sys.stdout.writelines([f"lines {STEERING}\n"])
        console, rows = stdout(), table(f"head {STEERING}", title="[i]title[/i] :smile:")
        add_row(rows, f"cell {STEERING} [bold]x[/bold]")
        console.print(rows, width=200)
        console.print(f"console {STEERING} [bold]x[/bold] :smile:", width=200, soft_wrap=True)
        rows.add_row(f"past us {STEERING}")  # rich leaves bells out
        console.print(rows, width=200)
        stderr().print(f"standard error {STEERING}", soft_wrap=True)
        warn(f"warning {STEERING}")
    out, err = capsys.readouterr()
    assert is_harmless(out + err)
    for word in ("print", "lines", "head", "cell", "console"):
        assert f"{word} {SHOWN}" in out
    assert "past us " + SHOWN.replace(r"\x07", "") in out
    for word in ("stream", "standard error", "warning"):
        assert f"{word} {SHOWN}" in err
    assert "[bold]x[/bold] :smile:" in out and "[i]title[/i] :smile:" in out


def test_a_terminal_sees_our_own_codes_alone():
    screen = io.StringIO()
    console = HarmlessConsole(
        file=screen, force_terminal=True, markup=False, emoji=False, highlight=False, width=300
    )
    console.print(f"[bold]name[/bold] {STEERING}", style="bold")
    assert screen.getvalue() == f"\x1b[1m[bold]name[/bold] {SHOWN}\x1b[0m\n"
    with RichProgress(console) as bars, bars.stage(f"[red]bar[/red] {STEERING}", total=2) as bar:
        bar.advance(1)
    assert f"[red]bar[/red] {SHOWN}" in screen.getvalue()
    assert "\x07" not in screen.getvalue() and "\u202e" not in screen.getvalue()


def test_a_screen_is_the_stream_otherwise():
    stream = io.StringIO()
    screen = Screen(stream)
    assert screen.write("a\tb\x1b\n") == 5 and stream.getvalue() == "a\tb\\x1b\n"
    assert screen.isatty() is False and screen.buffer is None
