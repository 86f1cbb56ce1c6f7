"""Tables as people have them, through the command line from end to end."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

ROWS = 60
QUICK = ["--surrogate", "linear", "--device", "cpu"]
DRAWS = np.random.default_rng(0)
METALS = ("Stahl", "Zinn")


def truth(width, metal, layers):
    return 10 * width + 5 * (np.asarray(metal) == "Stahl") + layers


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def book():
    """A workbook with a title, units, names of samples, dates, decimal commas and gaps."""
    width, layers = DRAWS.random(ROWS).round(3), DRAWS.integers(1, 9, ROWS)
    metal = [METALS[i % 2] for i in range(ROWS)]
    force = truth(width, metal, layers)
    made = openpyxl.Workbook()
    made.active.title = "Notizen"
    made.active["A1"] = "Bitte nicht löschen"
    sheet = made.create_sheet("Messungen")
    sheet.append(["Versuche im Frühjahr"])
    sheet.append([])
    sheet.append(["Probe", "Datum", "Breite", "Metall", "Lagen", "Prüfer", "Kraft", "Bemerkung"])
    sheet.append([None, None, "mm", None, None, None, "kN", None])
    day = datetime.date(2024, 3, 1)
    for i in range(ROWS):
        wide: object = str(width[i]).replace(".", ",")
        wide = "n/a" if i == 7 else wide
        kraft = None if i == 11 else float(force[i])
        sheet.append([
            f"P-{i:03}", day + datetime.timedelta(days=i * i), wide, metal[i], int(layers[i]),
            "A. B.", kraft, "Riss" if i == 20 else None,
        ])  # fmt: skip
    made.save("versuche.xlsx")
    return "versuche.xlsx"


def test_a_messy_workbook(book, call):
    words = ["--table", book, "--sheet", "Messungen", "--response-columns", "Kraft"]
    code, out, err = call("solve", *words, "--target", "12", "--target", "9.5", *QUICK, "--json",
                          "--out", "entwurf.xlsx", "--candidates", "30")  # fmt: skip
    assert (code, err) == (0, "")
    document = json.loads(out)
    schema = document["schema"]
    assert (schema["rows"], schema["left_out"]) == (ROWS - 2, 2)
    roles = {c["name"]: (c["role"], c["kind"]) for c in schema["columns"]}
    assert roles["Breite"] == ("design", "number") and roles["Metall"] == ("design", "category")
    assert roles["Lagen"][0] == "design" and roles["Kraft"] == ("response", "number")
    assert {roles[name][0] for name in ("Probe", "Datum", "Bemerkung")} == {"left out"}
    units = {c["name"]: c["unit"] for c in schema["columns"]}
    assert (units["Breite"], units["Kraft"]) == ("mm", "kN")
    shown = pd.read_excel("entwurf.xlsx")
    assert set(shown["Metall"]) <= set(METALS) and (shown["Lagen"] % 1 == 0).all()
    true = truth(shown["Breite"], shown["Metall"], shown["Lagen"])
    np.testing.assert_allclose(shown["predicted Kraft"], true, atol=0.1)
    first = shown[shown["rank"] == 1]
    np.testing.assert_allclose(true[first.index], [12, 9.5], atol=0.1)

    code, out, _ = call("solve", "--model", document["id"], "--target", "12")
    assert code == 0 and "Metall" in out and "constant" not in out.split("left out")[0]


def test_inspect_says_what_a_workbook_holds_and_begins_a_schema(book, call):
    words = [book, "--sheet", "Messungen", "--response-columns", "Kraft"]
    code, out, err = call("inspect", *words, "--write", "schema.toml")
    assert (code, err) == (0, "") and Path("schema.toml").exists()
    for part in ("58 rows (2 left out", "Metall (2 categories)", "Datum (a date)", "kN", "written"):
        assert part in out, out
    document = call("inspect", *words, "--json").json
    assert document["importance"]["Breite"] > 0.1 and isinstance(document["support"], list)
    solved = call("solve", "--table", book, "--sheet", "Messungen", "--schema", "schema.toml",
                  "--target", "12", *QUICK, "--json")  # fmt: skip
    assert solved.code == 0, solved.err
    assert "Bemerkung" not in solved.json["designs"][0]


def test_inspect_takes_the_last_column_of_numbers(call):
    frame = pd.DataFrame({"a": DRAWS.random(30), "y": DRAWS.random(30), "note": ["x", "y"] * 15})
    frame.to_csv("t.csv", index=False)
    assert "responses: y" in call("inspect", "t.csv").out
    Path("n.csv").write_text("a,b\nx,y\nz,w\n")
    assert "no column of numbers" in call("inspect", "n.csv").err


def test_predict_reads_designs_and_writes_what_to_expect(book, call):
    words = ["--table", book, "--sheet", "Messungen", "--response-columns", "Kraft"]
    words += ["--design-columns", "Breite,Metall,Lagen"]
    made = call("solve", *words, "--target", "12", *QUICK, "--json").json
    Path("neu.csv").write_text("Metall;Lagen;Breite\nZinn;3;0,25\nStahl;8;0,75\n")
    ask = ["predict", "--model", made["id"], "--x", "neu.csv"]
    code, out, err = call(*ask, "--out", "erwartet.csv")
    assert (code, err) == (0, "") and "written: erwartet.csv" in out and "errors cover 90%" in out
    document = call(*ask, "--json").json
    said = [row["predicted Kraft"] for row in document["designs"]]
    np.testing.assert_allclose(said, [5.5, 20.5], atol=0.1)
    assert document["level"] == 0.9 and document["sensitivities"] is None
    Path("falsch.csv").write_text("Metall;Lagen\nZinn;3\n")
    code, out, err = call("predict", "--model", made["id"], "--x", "falsch.csv")
    assert (code, out) == (2, "") and "no column 'Breite'" in err and err.count("\n") == 1
    code, _, err = call("predict", "--model", made["id"])
    assert code == 2 and "--x" in err


def test_names_with_signs_that_options_use(call):
    names = ["a=b", "c,d", "[e]", "f:g", "2", "h i"]
    x = DRAWS.random((ROWS, 6))
    x[:, 5] = np.arange(ROWS) % 4
    pd.DataFrame({**dict(zip(names, x.T, strict=True)), "y": x.sum(1)}).to_csv("t.csv", index=False)
    words = ["--table", "t.csv", "--response-columns", "y", "--bounds", "a=b=0.2:0.4"]
    words += ["--fix", "c,d=0.5", "--levels", "[e]=0.25,0.75", "--bounds", "f:g=:0.5"]
    words += ["--ignore", "2", "--whole", "6"]
    code, out, err = call("solve", *words, "--target", "2.5", *QUICK, "--json")
    assert (code, err) == (0, "")
    for row in json.loads(out)["designs"]:
        if row["measured"]:
            continue
        assert 0.2 <= row["a=b"] <= 0.4 and row["c,d"] == 0.5 and row["[e]"] in (0.25, 0.75)
        assert row["f:g"] <= 0.5 and "2" not in row and row["h i"] == round(row["h i"])


def test_a_list_in_stock_is_chosen_from(book, call):
    words = ["--table", book, "--sheet", "Messungen", "--response-columns", "Kraft"]
    words += ["--design-columns", "Breite,Metall,Lagen"]
    Path("lager.csv").write_text("Breite,Metall,Lagen\n0.25,Zinn,3\n0.75,Stahl,8\n0.5,Zinn,2\n")
    rows = call("solve", *words, "--target", "19", *QUICK, "--among", "lager.csv", "--json").json
    own = [row for row in rows["designs"] if not row["measured"]]
    assert len(own) == 3 and own[0]["Metall"] == "Stahl"


@pytest.mark.parametrize("words", [
    ["solve", "--table", "absent.csv", "--response-columns", "y", "--target", "1"],
    ["solve", "--table", "t.csv", "--response-columns", "z", "--target", "1"],
    ["solve", "--table", "t.csv", "--response-columns", "y", "--target", "1,2"],
    ["solve", "--table", "t.csv", "--response-columns", "y", "--target", "1", "--bounds", "a=2:1"],
    ["inspect", "absent.csv"], ["solve", "--help"], ["inspect", "--help"], ["predict", "--help"],
])  # fmt: skip
def test_mistakes_are_told_and_help_is_shown_before_torch_is_imported(words):
    pd.DataFrame({"a": DRAWS.random(30), "y": DRAWS.random(30)}).to_csv("t.csv", index=False)
    code = (
        "import sys\nfrom invcore.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    print('CODE', end.code, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True,
                          check=True)  # fmt: skip
    expected = "0" if "--help" in words else "2"
    assert done.stdout.splitlines()[-1] == f"CODE {expected} False", done.stderr


def test_help_has_every_option_of_tables_in_both_commands(call):
    for command in ("solve", "inspect"):
        text = call(command, "--help").out
        for option in ("--table", "--levels", "--group", "--schema", "--error-column"):
            assert option in text, (command, option)
    assert "--sensitivity" in call("predict", "--help").out
