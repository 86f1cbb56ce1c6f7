"""What ``invcore solve`` says of constraints, columns and wishes that cannot be, in one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

QUICK = ["--surrogate", "linear", "--device", "cpu"]
WISH = ["--want", "strength>=45"]
SIMULATOR_FILE = """
[simulator]
function = "own_sims:plate"
[[design]]
name = "a"
low = 0
high = 1
"""


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    """Mixes with an age in whole days, and responses; nothing is fitted to them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("invcore_solve.judging.stacked_surrogates._Stack", None)
    rng = np.random.default_rng(0)
    n = 60
    frame = pd.DataFrame({
        "cement": rng.uniform(120, 500, n).round(1), "slag": rng.uniform(0, 200, n).round(1),
        "age": rng.choice(np.arange(1, 60), n),
    })  # fmt: skip
    frame.loc[0, ["cement", "age"]] = [100.0, 1]
    frame.loc[1, ["cement", "age"]] = [500.0, 60]
    frame["strength"] = (0.1 * frame["cement"] + 0.2 * frame["age"]).round(2)
    frame.to_csv("mixes.csv", index=False)
    return frame


def limits(*texts):
    return [word for text in texts for word in ("--constraint", text)]


TABLE = {
    "contradiction": (
        limits("cement <= 300", "cement >= 400"),
        "no design within the bounds satisfies cement <= 300; cement >= 400 at once\n"),
    "fixed outside": (
        ["--fix", "age=1000"],
        "the fixed value 1000 is outside the bounds 1 to 60 of 'age'; "
        "--bounds age=1:1000 would allow it\n"),
    "limit outside": (
        limits("-2*cement >= -150"),
        "cement <= 75 is outside the bounds 100 to 500 of 'cement'; "
        "--bounds cement=75:500 would allow it\n"),
    "limit above": (
        limits("cement >= 600"), "--bounds cement=100:600 would allow it\n"),
    "level outside": (
        ["--bounds", "cement=150:", *limits("cement in {120, 200}")],
        "the level 120 is outside the bounds 150 to 500 of 'cement'; --bounds cement=120:500"),
    "fixed, no whole number": (
        ["--fix", "age=28.5"],
        "the fixed value 28.5 of 'age' is no whole number, as all of the table are; "
        "--continuous age allows others\n"),
    "level, no whole number": (
        ["--levels", "age=7.5,28"],
        "the level 7.5 of 'age' is no whole number, as all of the table are; --continuous age "
        "with the constraint 'age in {7.5, 28}' allows others\n"),
    "fixed beside a limit": (
        ["--fix", "cement=400", *limits("cement <= 300")],
        "'cement' is fixed to 400, and cannot be at most 300\n"),
    "levels beside a limit": (
        ["--levels", "cement=350,400", *limits("cement <= 300")],
        "'cement' is between 350 and 400, and cannot be at most 300\n"),
    "sum": (
        limits("cement + slag <= 50"), "the sum of cement, slag is between 10"),
    "no whole number between": (
        ["--bounds", "age=28.2:28.4"], "no whole number lies between 28.2 and 28.4"),
    "one whole number between": (
        ["--bounds", "age=27.9:28.4"], "one whole number alone lies between 27.9 and 28.4; fix"),
    "infinite": (limits("cement <= 1e400"), "'1e400' is too large a number"),
    "infinite level": (limits("cement in {1e400, 3}"), "'1e400' is too large a number"),
    "infinite count": (limits("at most 1e400 of cement, slag"), "'1e400' is too large a number"),
    "infinite power": (limits("cement <= 9^9^9^9^9"), "9^9^9 has no finite value"),
    "no root": (limits("cement*slag <= sqrt(-1)"), "sqrt(-1) has no finite value"),
    "infinite factor": (limits("1e200*cement*1e200 <= 3"), "too large together"),
    "infinite quotient": (limits("1e-300*cement <= 1e300"), "too large a number"),
    "counted twice": (limits("at most 1 of slag, slag"), "comes twice among slag, slag\n"),
    "counted too many": (limits("at least 3 of slag, cement"), "at least 3 of 2 variables\n"),
    "derived, never": (
        ["--response", "price = 1/(slag - slag)", "--want", "price=min"],
        "response 'price = 1/(slag - slag)' has no finite value for any row\n"),
    "derived, a root": (
        ["--response", "price = sqrt(-1 - slag^2)", "--want", "price=min"],
        "has no finite value for any row\n"),
    "derived, by zero": (
        ["--response", "price = 1/0", "--want", "price=min"],
        "'price = 1/0': 1/0 has no finite value\n"),
    "derived, infinite": (
        ["--response", "price = 1e400*cement", "--want", "price=min"],
        "'1e400' is too large a number"),
    "a limit of a design": (
        ["--response-columns", "strength", "--want", "200 <= cem <= 300"],
        "want '200 <= cem <= 300': 'cement' is a design, and no response; "
        "--constraint '200 <= cement <= 300' limits it\n"),
    "a least value of a design": (
        ["--response-columns", "strength", "--want", "slag>=20"],
        "--constraint 'slag >= 20' limits it\n"),
    "a goal of a design": (
        ["--response-columns", "strength", "--want", "cement=min"],
        "--response 'wanted = cement' makes a response of it, named wanted\n"),
    "no response": (
        ["--response-columns", "strength", "--want", "price=min"],
        "no response 'price'. Known: strength; --response 'NAME = …' derives one"),
    "nothing given": (
        ["--response-columns", "strength", "--want", "strength=±5%"],
        "needs a response that is given, and there is none; --target Y gives it\n"),
    "no mask": (["--want", "@masc.csv"], "masc.csv: no such file"),
    "no list": (["--among", "stok.csv"], "stok.csv: no such file"),
    "no correlations": (["--tolerance", "@corr.csv"], "correlations corr.csv: cannot be read"),
    "a beginning": (["--fix", "AG=1000"], "outside the bounds 1 to 60 of 'age'"),
    "a beginning among responses": (
        ["--response-columns", "stren", "--bounds", "ce=600:700", *limits("cement <= 9")],
        "outside the bounds 600 to 700 of 'cement'"),
    "tolerance": (["--tolerance", "age=~-1"], "age=~-1"),
    "infinite tolerance": (["--tolerance", "age=±1e400"], "age=±1e400"),
    "tolerance of nothing": (["--tolerance", "aje=±1"], "aje"),
    "a turn": (["--periodic", "age=5:1"], "column 'age': periodic: 5 to 1 leaves no room\n"),
    "several beginnings": (["--fix", "s=3"], "'s' is the beginning of several columns: slag, st"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_of_a_table(name, call):
    words, said = TABLE[name]
    code, _, err = call("solve", "mixes.csv", *WISH, *QUICK, *words)
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and said in err, err
    assert "type=" not in err and "input_value" not in err


SIMULATOR = {
    "contradiction": (
        limits("a <= 0.3", "a >= 0.4"), "no design within the bounds satisfies a <= 0.3; a >= 0.4"),
    "fixed outside": (["--fix", "a=3"], "the fixed value 3 of 'a' is outside its bounds 0 to 1\n"),
    "limit outside": (limits("a >= 2"), "'a' is between 0 and 1, and cannot be at least 2\n"),
    "infinite": (limits("a <= 1e400"), "'1e400' is too large a number"),
    "no variable": (limits("aa <= 1"), "no variable 'aa'"),
    "a limit of a design": (
        ["--want", "a<=0.5"], "'a' is a design, and no response; --constraint 'a <= 0.5' limits"),
    "no mask": (["--want", "@masc.csv"], "masc.csv: no such file"),
    "report": (["--report", "page.html"], "--report is for tables"),
    "no response": (
        ["--want", "c=min"], "no response 'c'. Known: y1; --response 'NAME = …' derives one"),
    "never a response": (
        ["--response", "cost = 1/(a - a)", "--want", "cost=min"],
        "'cost = 1/(a - a)' has no finite value for any of 1000 designs\n"),
    "infinite response": (
        ["--response", "cost = a*1e400"], "'cost = a*1e400': '1e400' is too large a number"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMULATOR)
def test_of_a_simulator(name, call, monkeypatch, tmp_path):
    (tmp_path / "own_sims.py").write_text("def plate(x):\n    return x[:, :1]\n")
    monkeypatch.syspath_prepend(tmp_path)
    words, said = SIMULATOR[name]
    own = ["--simulator", "own_sims:plate", "--bounds", "a=0:1", "--want", "y1=0.5"]
    code, _, err = call("solve", *own, *words)
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and said in err, err
    assert "type=" not in err and "input_value" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("aa <= 1", "plate.toml: constraint 'aa <= 1': no variable 'aa'"),
        ("a >= 2", "plate.toml: 'a' is between 0 and 1, and cannot be at least 2"),
    ],
)
def test_of_a_simulator_s_file(text, said, call, monkeypatch, tmp_path):
    (tmp_path / "own_sims.py").write_text("def plate(x):\n    return x[:, :1]\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plate.toml").write_text(f"constraints = ['{text}']\n{SIMULATOR_FILE}")
    code, _, err = call("solve", "--simulator", "plate.toml", "--want", "y1=0.5")
    assert code == 2 and err.startswith(f"error: {said}"), err
