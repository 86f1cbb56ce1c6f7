"""Masks of curves, and files of specifications."""

import pytest

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.spaces.specification import Requirement
from invcore.spaces.wishes import specification_of
from invcore.spaces.wishes.files import read_specifications
from invcore.spaces.wishes.masks import axis_of

CURVE = [f"T{place}" for place in range(400, 801, 50)]
NAMES = ["gap", "mass", "fly ash"]


@pytest.fixture
def write(tmp_path):
    def written(text, name="mask.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def ends(path, names=CURVE, options="", of=""):
    wished = specification_of([f"{of}@{path}{options}"], names)
    return {n: (r.low, r.high) for n, r in wished.requirements_for().requirements.items()}


def test_a_mask_joins_its_points_and_leaves_gaps(write):
    path = write("nm,low,high\n400,,0.1\n500,,0.3\n600,0.5,\n\n700,0.9,\n")
    assert ends(path) == {
        "T400": (None, 0.1), "T450": (None, pytest.approx(0.2)), "T500": (None, 0.3),
        "T600": (0.5, None), "T650": (pytest.approx(0.7), None), "T700": (0.9, None),
    }  # fmt: skip


def test_a_step_and_a_mask_from_above_and_with_semicolons(write):
    path = write("nm;high\n700;1\n600;1\n600;0.2\n500;0.2\n")
    assert ends(path) == {
        "T500": (None, 0.2), "T550": (None, 0.2), "T600": (None, 0.2), "T650": (None, 1.0),
        "T700": (None, 1.0),
    }  # fmt: skip


def test_options_and_curves_by_their_beginning(write):
    names = [f"{curve}{place}" for curve in "RT" for place in (1, 2)]
    path = write("axis,low,high\n1,0,1\n2,0,1\n")
    with pytest.raises(ConfigError, match="which curve"):
        ends(path, names)
    assert list(ends(path, names, of="T*=")) == ["T1", "T2"]
    wished = specification_of([f"T*=@{path}, weight=3"], names)
    assert {w.requirement.weight for w in wished.wishes.values()} == {3.0}


def test_axes():
    assert axis_of(["s11_0.5", "s11_1.5"]) == {"s11_0.5": 0.5, "s11_1.5": 1.5}
    assert axis_of(["a_-1", "a_1", "mass"]) == {"a_-1": -1.0, "a_1": 1.0}
    assert axis_of(["alpha", "beta"]) == {"alpha": 1.0, "beta": 2.0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nm,high\n1000,1\n1100,1\n", "wants nothing.*400 to 800"),
        ("nm,high\n400,x\n", "row 2, 'high': 'x'"),
        ("nm,high\n400,inf\n", "row 2"), ("nm,high\n,1\n", "no place"),
        ("nm,top\n400,1\n", "axis, low and high"), ("nm,high\n", "no rows"), ("", "empty"),
        ("nm,high\n400,1\n500,1\n450,1\n", "up and down"), ("nm,high\n400\n", "1 cells"),
        ("nm,low,high\n400,1,0\n", "above high"), ('nm,high\n"400,1\n', "row"),
        ("nm,nm\n400,1\n", "differently"),
    ],
)  # fmt: skip
def test_masks_that_are_none(write, text, told):
    with pytest.raises(ConfigError, match=told):
        ends(write(text))


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ConfigError, match=r"no such file|folder"):
            ends(path)
    with pytest.raises(ConfigError, match=r"\.csv or \.toml"):
        read_specifications("wishes.json", NAMES)


def test_rows_of_wishes(write):
    path = write(
        'gap,fly,mass,gap.weight,gap.tolerance\n0.5:0.7,<=3,min,2,0.01\n,0.6,"max, <=5",,\n',
        "wishes.csv",
    )
    first, second = read_specifications(path, NAMES)
    assert first.requirements_for().requirements == {
        "gap": Requirement(low=0.5, high=0.7, weight=2.0, tolerance=0.01),
        "fly ash": Requirement(high=3.0), "mass": Requirement(goal="minimise"),
    }  # fmt: skip
    assert second.texts() == ["`fly ash`=0.6", "mass=max, <=5"]


def test_tables_of_wishes(write):
    path = write(
        '[[specification]]\nwant = ["gap=0.5:0.7", "mass=min"]\n'
        '[[specification]]\ngap = 0.6\n"fly ash" = "<=3"\n'
        "mass = {goal = 'minimise', high = 5.0}\n",
        "wishes.toml",
    )
    first, second = read_specifications(path, NAMES)
    assert first.text() == "gap=0.5:0.7; mass=min"
    assert second.text() == "gap=0.6; `fly ash`<=3; mass=min, <=5"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("w.csv", "gap,mass\n0.5:0.7,soft\n", "row 2, 'mass'"),
        ("w.csv", "gap,mass\n0.5:0.7,min\n,\n,any\n", "row 4: nothing is wanted"),
        ("w.csv", "gup\n1\n", "no response"), ("w.csv", "gap,ga\n1,1\n", "two columns"),
        ("w.csv", "gap,gap.weight\n1,0\n", "row 2, 'gap'"),
        ("w.toml", "gap = 1\n", "specification"), ("w.toml", "[[specification]]\n", "nothing"),
        ("w.toml", "[[specification]]\ngap = true\n", "'gap'"), ("w.toml", "[[", "w.toml"),
        ("w.toml", "[[specification]]\ngap = {lo = 1}\n", "lo"),
        ("w.toml", "specification = [1]\n", "tables"), ("w.toml", "a = " + "[" * 5000, "w.toml"),
        ("w.toml", '[[specification]]\nwant = ["gap=soft"]\n', "specification 1"),
    ],
)  # fmt: skip
def test_files_that_are_no_specifications(write, name, text, told):
    with pytest.raises((ConfigError, UnknownNameError), match=told) as error:
        read_specifications(write(text, name), NAMES)
    assert "\n" not in str(error.value)
