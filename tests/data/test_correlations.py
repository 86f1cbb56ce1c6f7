"""Tables of correlations between tolerances."""

from __future__ import annotations

from pathlib import Path

import pytest

from invcore import DataError
from invcore.data.tables.correlations import read_correlations, tolerance_texts

TEXTS = ["correlation width,`fly ash`=0.8", "correlation `fly ash`,x=-0.25"]


@pytest.mark.parametrize(
    "text",
    [
        ",width,fly ash,x\nwidth,1,0.8,0\nfly ash,0.8,1,-0.25\nx,0,-0.25,1\n",
        "name,width,fly ash,x\nx,0,-0.25,1\nfly ash,0.8,1,-0.25\nwidth,1,0.8,0\n",
        "width,fly ash,x\n1,0.8,0\n0.8,1,-0.25\n0,-0.25,1\n",
    ],
)
def test_a_square_with_names_beside_it_or_not(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text)
    assert read_correlations(file) == TEXTS
    assert tolerance_texts(["x=±1", f"@{file}"]) == ("x=±1", *TEXTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a row of names"),
        ("a,b,c\n1,0.5,0\n0.5,1,0\n", "other names"),
        ("a,b,c\n1,0.5,0\n0.5,1,0\n0,0,1\n0,0,1\n", "expected 3 rows of 3 numbers"),
        ("a,b\n1,0.5\n0.4,1\n", "one way and 0.4 the other"),
        ("a,b\n1,x\nx,1\n", "'x' is no number"),
        ("a,b\n1,2\n2,1\n", "'2' is no correlation"),
        ("a,b\n0.5,0\n0,1\n", "'a' with itself must be 1"),
        (",a,b\na,1,0\nc,0,1\n", "other names"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_correlations(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        tolerance_texts([f"@{tmp_path / 'none.csv'}"])
