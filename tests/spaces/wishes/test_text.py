"""Wishes in text: each form, what is refused, and that what is written is read to the same."""

import math

import pytest

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.spaces.specification import Requirement
from invcore.spaces.wishes import Band, Wish, parse_wish, specification_of

NAMES = ("gap", "mass", "fly ash", "400")


def wish(text):
    return parse_wish(text, NAMES)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("gap=0.5:0.7", 0.5, 0.7), ("0.5 <= gap <= 0.7", 0.5, 0.7), ("0.7≥gap≥0.5", 0.5, 0.7),
        ("gap = 0.5 : 0.7", 0.5, 0.7), ("gap=:0.7", None, 0.7), ("gap=-.5:", -0.5, None),
        ("gap>=1.2", 1.2, None), ("gap > 1.2", 1.2, None), ("1.2 <= gap", 1.2, None),
        ("gap<=3e-1", None, 0.3), ("3 >= gap", None, 3.0), ("gap=0.6", 0.6, 0.6),
        ("0.6 == gap", 0.6, 0.6), ("gap=\u22122:2", -2.0, 2.0),
    ],
)  # fmt: skip
def test_limits(text, low, high):
    assert wish(text) == Wish("gap", Requirement(low=low, high=high))


@pytest.mark.parametrize("sign", ["±", "+-", "+/-", " ± "])
def test_a_width_about_a_number_is_an_interval(sign):
    assert wish(f"gap=0.6{sign}0.05").requirement.ends == pytest.approx((0.55, 0.65))
    assert wish(f"gap=-0.6{sign}5%").requirement.ends == pytest.approx((-0.63, -0.57))


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("gap=±0.1", Band(0.1, 0.1)), ("gap=given±0.1", Band(0.1, 0.1)),
        ("gap=±5%", Band(5.0, 5.0, "%")), ("gap=+-0.1sd", Band(0.1, 0.1, "sd")),
        ("gap=0.6±0.1 sd", Band(0.1, 0.1, "sd", 0.6)), ("gap=given", Band(0.0, 0.0)),
        ("gap>=given", Band(0.0, math.inf)), ("given >= gap", Band(math.inf, 0.0)),
    ],
)  # fmt: skip
def test_bands(text, band):
    assert wish(text).relative == (band,)
    assert wish(text).requirement.goal == "ignore"


@pytest.mark.parametrize(
    ("text", "given", "spread", "ends"),
    [
        ("gap=±0.1", 2.0, None, (1.9, 2.1)), ("gap=±5%", -2.0, None, (-2.1, -1.9)),
        ("gap=±0.5sd", 2.0, 3.0, (0.5, 3.5)), ("gap=1±0.5sd", None, 3.0, (-0.5, 2.5)),
        ("gap>=given", 2.0, None, (2.0, math.inf)), ("gap=±0.1, <=2", 2.0, None, (1.9, 2.0)),
    ],
)  # fmt: skip
def test_relative_wishes_at_a_response(text, given, spread, ends):
    assert wish(text).at(given, spread).ends == pytest.approx(ends)


def test_goals_options_and_any():
    assert wish("mass=min").requirement == Requirement(goal="minimise")
    assert wish("mass = Maximise").requirement == Requirement(goal="maximise")
    both = wish("mass=min, <=3, weight=2, tolerance=0.01").requirement
    assert both == Requirement(goal="minimise", high=3.0, weight=2.0, tolerance=0.01)
    assert wish("gap=any").is_any
    near = wish("gap=±5%, weight=2").at(1.0)
    assert near.weight == 2.0 and near.ends == pytest.approx((0.95, 1.05))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("`fly ash`<=3", "fly ash"), ("fly ash<=3", "fly ash"), ("fly=min", "fly ash"),
        ("#2=min", "mass"), ("400>=0.5", "400"), ("0.5<=400<=0.7", "400"), ("m=min", "mass"),
    ],
)  # fmt: skip
def test_names(text, name):
    assert wish(text).name == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gap=0,6", "decimal commas"), ("gap", "expected one of"), ("gap=", "expected one of"),
        ("gap=soft", "'soft' is no wish"), ("gap=0.7:0.5", "above"), ("gap=1e999", "too large"),
        ("gap=1, weight=-2", "above 0"), ("gap=1, tolerance=x", "above 0"), ("gap=:", "no wish"),
        ("gap=1, 2", "contradict|decimal"), ("gap=min, max", "contradict"),
        ("0.5<=gap>=0.7", "expected one of"), ("gap=nan", "no wish"), ("", "expected one of"),
        ("gap=" + "9" * 20_000, "characters"), ("`gap=1", "no response|expected"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_in_one_line(text, told):
    with pytest.raises((ConfigError, UnknownNameError), match=told) as error:
        wish(text)
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)


def test_unknown_and_ambiguous_names():
    with pytest.raises(UnknownNameError, match="response 'gup'"):
        wish("gup=1")
    with pytest.raises(UnknownNameError, match="several"):
        parse_wish("g=1", ["gap", "gum"])


@pytest.mark.parametrize(
    "text",
    [
        "gap=0.5:0.7", "gap>=1.2", "gap<=3", "gap=0.6", "gap=min", "gap=max, <=5", "gap=any",
        "gap=min, >=-1e-09, weight=2, tolerance=0.01", "gap=±5%", "gap=given", "gap>=given",
        "gap=1±0.5sd, weight=3", "gap=min, ±0.1", "`fly ash`<=3", "gap=1:2, <=given",
        "gap=any, weight=2",
    ],
)  # fmt: skip
def test_what_is_written_is_read_to_the_same(text):
    assert wish(text).text() == text
    assert wish(wish(text).text()) == wish(text)


def test_two_wishes_of_one_response_are_both_to_be_met():
    wished = specification_of(["gap>=0.5", "gap<=0.7", "mass=min", "mass<=3"], NAMES)
    assert wished.requirements_for().requirements == {
        "gap": Requirement(low=0.5, high=0.7), "mass": Requirement(goal="minimise", high=3.0),
    }  # fmt: skip
    assert not wished.needs_given and not wished.needs_spread
    with pytest.raises(ConfigError, match="contradict"):
        specification_of(["gap>=0.7", "gap<=0.5"], NAMES)
    with pytest.raises(ConfigError, match="nothing is wanted"):
        specification_of(["gap=any"], NAMES)


def test_stars_mean_several_responses():
    names = ["R1", "R2", "T1"]
    assert list(specification_of(["R*=±5%", "T1=min"], names).wishes) == ["R1", "R2", "T1"]
    assert len(specification_of(["*<=1"], names).wishes) == 3
    with pytest.raises(UnknownNameError, match="like"):
        specification_of(["Q*<=1"], names)


def test_relative_wishes_need_what_they_are_relative_to():
    wished = specification_of(["gap=±5%", "mass=1±1sd"], NAMES)
    assert wished.needs_given and wished.needs_spread
    with pytest.raises(ConfigError, match="given"):
        wished.requirements_for(spread=[1.0] * 4)
    with pytest.raises(ConfigError, match="known responses"):
        wished.requirements_for([1.0] * 4)
    found = wished.requirements_for([1.0, 5.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0])
    assert found.requirements["mass"].ends == (-1.0, 3.0)


def test_a_long_specification_is_cut_for_display():
    names = [f"r{i}" for i in range(10)]
    assert specification_of(["*<=1"], names).text(2) == "r0<=1; r1<=1; and 8 more"
