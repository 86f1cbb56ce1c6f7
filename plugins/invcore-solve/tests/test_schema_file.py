"""`schema.toml`: what is written is read back as it was, whatever columns are called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.inspection import inspect_table
from invcore_solve.schema.schema_file import read_schema, schema_text, write_schema
from invcore_solve.schema.spaces import design_space
from invcore_solve.tables.read import read

from invcore.base.errors import ConfigError

DRAWS = np.random.default_rng(0)
HOSTILE = [
    'a "quoted" name', "back\\slash", "new line; x", "[columns]", "a.b.c", "x = 1 # no",
    "ß 温度 °C",
    "'", "=SUM(A1)", "a,b",
]  # fmt: skip


def table(names):
    columns = {name: DRAWS.random(40) for name in names}
    return read(pd.DataFrame({**columns, "y": DRAWS.random(40)}))


def test_hostile_names_come_back(tmp_path):
    raw = table(HOSTILE)
    said = Choices(responses=("y",), ignore=(HOSTILE[3],)).giving("bounds", {HOSTILE[2]: (0.1, 2)})
    said = said.giving("bounds", {HOSTILE[4]: (-np.inf, 0.5), HOSTILE[5]: (0.5, np.inf)})
    said = said.saying("positive", HOSTILE[:2]).giving("fix", {HOSTILE[1]: 0.5})
    schema = inspect_table(raw, said).schema
    write_schema(tmp_path / "s.toml", schema, said)
    again = read_schema(tmp_path / "s.toml")
    assert again.designs == tuple(name for name in HOSTILE if name != HOSTILE[3])
    assert (again.responses, again.ignore) == (("y",), (HOSTILE[3],))
    assert again.columns[HOSTILE[2]].bounds == (0.1, 2)
    assert again.columns[HOSTILE[4]].bounds == (None, 0.5)
    assert again.columns[HOSTILE[5]].bounds == (0.5, None)
    assert again.columns[HOSTILE[1]].positive and again.columns[HOSTILE[1]].fix == 0.5
    found = inspect_table(raw, again)
    assert [c.name for c in found.schema.varying] == list(again.designs)


def test_what_was_found_and_said_gives_the_same_space_again(tmp_path):
    rows = 60
    frame = pd.DataFrame({
        "p": DRAWS.random(rows), "step": np.arange(rows) % 4 * 0.5,
        "metal": np.array(["tin", "brass"])[np.arange(rows) % 2],
        "count": DRAWS.permutation(rows), "angle": DRAWS.random(rows) * 360,
        "dose": 10 ** (4 * DRAWS.random(rows)), "y": DRAWS.random(rows), "e": DRAWS.random(rows),
        "w": 1 + DRAWS.random(rows), "lot": np.arange(rows) // 6,
    })  # fmt: skip
    frame["q"] = 1 - frame["p"]
    said = Choices(responses=("y",), weight_column="w", group="lot")
    said = said.giving("periodic", {"angle": (0, 360)}).saying("log", ["dose"])
    said = said.giving("error_column", {"y": "e"}).giving("levels", {"step": (0, 0.25, 1.5)})
    first = inspect_table(read(frame), said)
    write_schema(tmp_path / "s.toml", first.schema, said)
    again = read_schema(tmp_path / "s.toml")
    second = inspect_table(read(frame), again)
    assert second.schema == first.schema
    spaces = [design_space(f.schema, s, f.x) for f, s in ((first, said), (second, again))]
    assert spaces[0] == spaces[1]
    for name in ("weights", "groups", "noise"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    text = schema_text(first.schema, said)
    assert "# found: " in text and 'kind = "category"' in text


def test_a_proposed_logarithm_is_written_to_be_struck_out(tmp_path):
    frame = pd.DataFrame({"dose": 10 ** (4 * DRAWS.random(40)), "y": DRAWS.random(40)})
    said = Choices(responses=("y",))
    schema = inspect_table(read(frame), said).schema
    write_schema(tmp_path / "s.toml", schema, said)
    assert read_schema(tmp_path / "s.toml").columns["dose"].log


@pytest.mark.parametrize(("text", "words"), [
    ("designs = [", "s.toml"), ("desings = []", "Did you mean 'designs'"),
    ('[columns.a]\nkind = "wole"', "kind"), ("[columns.a]\nbounds = [3, 1]", "leaves no room"),
    ("responses = 3", "responses"), ("\x00", "s.toml"),
])  # fmt: skip
def test_a_file_that_is_wrong_is_told_in_one_line(text, words, tmp_path, complaint, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(text)
    message = complaint(ConfigError, read_schema, "s.toml")
    assert message.startswith("s.toml") and words in message


def test_a_file_that_is_absent_or_cannot_be_written(tmp_path, complaint, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "s.toml" in complaint(ConfigError, read_schema, "s.toml")
    schema = inspect_table(table(["a"]), Choices(responses=("y",))).schema
    assert "absent" in complaint(ConfigError, write_schema, "absent/s.toml", schema, Choices())
