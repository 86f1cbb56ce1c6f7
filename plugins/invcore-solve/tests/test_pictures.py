"""Pictures as files: what they show, the same bytes every time, and no names read as formulas."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from invcore_solve.answers.sensitivities import Sensitivities
from invcore_solve.page.pictures import draw_columns, draw_sensitivities
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.inspection import inspect_table
from invcore_solve.tables.read import read

from invcore.base.errors import DataError

ODD = "$x_1^2 \\frac{"


def words(path):
    """The texts of an .svg file."""
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def inspected(rows=40):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({
        ODD: rng.random(rows), "\u6e29\u5ea6 <b>": rng.choice(["a<b", "c&d", "[red]"], rows),
        "level": rng.choice([1.0, 2.0], rows),
    })  # fmt: skip
    data["y_1"] = data[ODD] + data["level"]
    return inspect_table(read(data), Choices(responses=("y_1",)))


def effects(responses=1, columns=3):
    rng = np.random.default_rng(0)
    values = tuple(np.arange(3.0) for _ in range(columns))
    return Sensitivities(
        tuple([ODD, "b_1", "c^2", "d", "e", "f", "g", "h"][:columns]),
        tuple(f"{i + 1} nm" for i in range(responses)), values,
        tuple(rng.random((3, responses)) for _ in range(columns)),
        np.arange(1.0, columns + 1)[:, None] * np.ones(responses),
        (("x<y", "$a$", "z"), *((),) * (columns - 1)),
    )  # fmt: skip


def test_columns_have_their_names_kinds_and_ranges(tmp_path):
    path = tmp_path / "columns.svg"
    draw_columns(inspected(), ["y_1"], path)
    found = words(path)
    for name in (ODD, "\u6e29\u5ea6 <b>", "level", "y_1", "a<b", "c&d", "[red]"):
        assert name in found
    assert "category" in found and "levels, 1 to 2" in found
    assert any(word.startswith("number, 0.") for word in found)


@pytest.mark.parametrize("ending", [".svg", ".png", ".SVG"])
def test_files_are_the_same_every_time(tmp_path, ending):
    before = dict(matplotlib.rcParams)
    made = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}{ending}"
        draw_columns(inspected(), ["y_1"], path)
        made.append(path.read_bytes())
    assert made[0] == made[1] and len(made[0]) > 1000
    assert dict(matplotlib.rcParams) == before
    assert made[0].startswith(b"\x89PNG" if ending == ".png" else b"<?xml")


def test_the_column_that_moves_most_stands_first(tmp_path):
    path = tmp_path / "effects.svg"
    draw_sensitivities(effects(), path)
    found = words(path)
    assert found.index("c^2") < found.index("b_1") < found.index(ODD)
    assert {"x<y", "$a$", "z"} <= set(found)


@pytest.mark.parametrize(("responses", "columns"), [(1, 1), (3, 2), (14, 8)])
def test_effects_of_several_responses_and_of_curves(tmp_path, responses, columns):
    path = tmp_path / "effects.svg"
    draw_sensitivities(effects(responses, columns), path)
    found = words(path)
    assert ("nm" in found) == (responses >= 12)
    assert ("standardised response" in found) == (responses == 3)


def test_many_responses_are_drawn_by_their_mean(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"r{i}" for i in range(9)]
    data = pd.DataFrame(rng.random((30, 11)), columns=["a", "b", *names])
    data.loc[3, "r4"] = np.nan
    draw_columns(
        inspect_table(read(data), Choices(responses=tuple(names))), names, tmp_path / "c.svg"
    )
    assert "mean of the responses" in words(tmp_path / "c.svg")


def test_other_endings_are_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(DataError, match=re.escape("expected the ending .svg or .png")):
        draw_sensitivities(effects(), tmp_path / "effects.pdf")
    with pytest.raises(DataError, match="folder does not exist"):
        draw_columns(inspected(), ["y_1"], tmp_path / "nowhere" / "c.png")
    assert not [*tmp_path.iterdir()]
