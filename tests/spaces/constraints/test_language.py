"""Texts as constraints: against the same statements in Python, on a grid of all designs."""

from __future__ import annotations

import itertools

import pytest
import torch

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.plugin import (
    Among,
    Categorical,
    Fixed,
    Integers,
    Levels,
    LinearEquality,
    LinearInequality,
    Periodic,
    Space,
    Uniform,
    Variable,
    constraint_text,
    parse_constraint,
)

VARIABLES = (
    *(Variable(name=n, prior=Uniform(low=0.0, high=4.0)) for n in ("x1", "x2", "fly ash")),
    Variable(name="n", prior=Integers(low=-1, high=3)),
    Variable(name="kind", prior=Categorical(categories=("A", "B", "C d"))),
    Variable(name="coat", prior=Categorical(categories=("A", "none"))),
)
STEPS = [0.0, 1.0, 1.5, 2.0, 4.0]
GRID = list(itertools.product(STEPS, STEPS, [0.0, 1.0, 3.0], range(-1, 4), range(3), range(2)))

SAID = {
    "x1 + x2 <= 3": lambda x, y, f, n, k, c: x + y <= 3,
    "x1 <= x2 <= fly": lambda x, y, f, n, k, c: x <= y <= f,
    "1.5 <= x1 + x2 <= 3": lambda x, y, f, n, k, c: 1.5 <= x + y <= 3,
    "2*(x1 - `fly ash`)/4 + 1 >= n": lambda x, y, f, n, k, c: (x - f) / 2 + 1 >= n,
    "#1 == 2*x2": lambda x, y, f, n, k, c: x == 2 * y,
    "x1 < 2": lambda x, y, f, n, k, c: x <= 2,
    "n < 2": lambda x, y, f, n, k, c: n <= 1,
    "2*n > 1": lambda x, y, f, n, k, c: n >= 1,
    "n != 1": lambda x, y, f, n, k, c: n != 1,
    "n not in {0, 1}": lambda x, y, f, n, k, c: n not in (0, 1),
    "x1 == 1.5": lambda x, y, f, n, k, c: x == 1.5,
    "x1 in {1, 2, 4}": lambda x, y, f, n, k, c: x in (1, 2, 4),
    "x1 >= 1 and x1 <= 2": lambda x, y, f, n, k, c: 1 <= x <= 2,
    "x1 == 1 or x1 == 4": lambda x, y, f, n, k, c: x in (1, 4),
    'kind == "C d"': lambda x, y, f, n, k, c: k == 2,
    "B != kind": lambda x, y, f, n, k, c: k != 1,
    "kind in {A, B}": lambda x, y, f, n, k, c: k in (0, 1),
    "kind == A or kind == 'C d'": lambda x, y, f, n, k, c: k in (0, 2),
    'if kind == "B" then 1 <= x1 <= 2': lambda x, y, f, n, k, c: k != 1 or 1 <= x <= 2,
    'not (kind == "B" and coat == "A")': lambda x, y, f, n, k, c: not (k == 1 and c == 0),
    "never (kind == B and coat == none)": lambda x, y, f, n, k, c: not (k == 1 and c == 1),
    "if kind in {A, B} then x1 <= x2 and fly >= 1": (
        lambda x, y, f, n, k, c: k == 2 or (x <= y and f >= 1)),
    "if x1 >= 2 then kind == A": lambda x, y, f, n, k, c: x <= 2 or k == 0,
    "if n >= 2 then n == 3": lambda x, y, f, n, k, c: n < 2 or n == 3,
    "if (kind == A or n == 0) then (x1 <= 1 or x2 <= 1)": (
        lambda x, y, f, n, k, c: not (k == 0 or n == 0) or x <= 1 or y <= 1),
    "not (x1 <= 1 or n <= 1)": lambda x, y, f, n, k, c: x >= 1 and n > 1,
    "not (if kind == A then x1 <= 1)": lambda x, y, f, n, k, c: k == 0 and x >= 1,
    "at most 1 of x1, x2, n": lambda x, y, f, n, k, c: sum(v != 0 for v in (x, y, n)) <= 1,
    "at least 2 of x1, x2, n": lambda x, y, f, n, k, c: sum(v != 0 for v in (x, y, n)) >= 2,
    "if kind == A then at most 1 of x1, x2, fly": (
        lambda x, y, f, n, k, c: k != 0 or sum(v != 0 for v in (x, y, f)) <= 1),
    "x1*x2 <= 3": lambda x, y, f, n, k, c: x * y <= 3,
    "1 <= x1*x2 <= 3": lambda x, y, f, n, k, c: 1 <= x * y <= 3,
    "x1^2 + x2^2 < `fly ash`": lambda x, y, f, n, k, c: x**2 + y**2 <= f,
    "5 >= max(x1, n)*x2 and kind == A": lambda x, y, f, n, k, c: max(x, n) * y <= 5 and k == 0,
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_a_text_allows_what_it_says(text):
    space = Space.of(*VARIABLES, constraints=[text])
    expected = torch.tensor([bool(SAID[text](*row)) for row in GRID])
    assert 0 < int(expected.sum()) < len(GRID)
    assert torch.equal(space.contains(torch.tensor(GRID, dtype=torch.float64)), expected)


@pytest.mark.parametrize("text", SAID)
def test_texts_of_constraints_are_read_again(text):
    constraints = parse_constraint(text, VARIABLES)
    written = [constraint_text(constraint, VARIABLES) for constraint in constraints]
    assert [parse_constraint(line, VARIABLES) for line in written] == [[c] for c in constraints]


SHOWN = {
    "x1<=x2": ["x1 <= x2"],
    "1.5<=x1+x2<=3": ["1.5 <= x1 + x2 <= 3"],
    "x1 == 2*#3": ["x1 == 2*`fly ash`"],
    "-x1 <= -2": ["x1 >= 2"],
    "kind = B": ['kind == "B"'],
    "x1>=1 and kind != A": ["x1 >= 1", 'kind in {"B", "C d"}'],
    "kind!=B or 1<=x1 and x1<=2": ['if kind == "B" then 1 <= x1 <= 2'],
    "kind!=B or coat == none": ['not (kind == "B" and coat == "A")'],
    "not (x1 <= 1 and x2 >= 3)": ["x1 >= 1 or x2 <= 3"],
    "x1/x2 - (n - 2)*x1 > 3": ["x1/x2 - (n - 2)*x1 >= 3"],
}


@pytest.mark.parametrize("text", SHOWN)
def test_texts_are_as_people_write(text):
    constraints = parse_constraint(text, VARIABLES)
    assert [constraint_text(c, VARIABLES) for c in constraints] == SHOWN[text]


def test_what_no_text_says_is_described():
    sums = LinearEquality(coefficients={"x1": 1.0, "x2": 1.0}, value=1.0, tolerance=0.01)
    shown = {
        "x1 + x2 == 1 within 0.01": sums,
        "x1 goes round from 0 to 4": Periodic(variable="x1", low=0.0, high=4.0),
        "(x1, `fly ash`) is one of 2 designs": Among(
            variables=("x1", "fly ash"), designs=((0.0, 1.0), (1.0, 0.0))
        ),
    }
    for text, constraint in shown.items():
        assert constraint_text(constraint, VARIABLES) == text


def test_kinds_are_the_simplest_that_say_it():
    kinds = {
        "x1 == 3": Fixed(variable="x1", value=3.0),
        "x1 in {1, 2}": Levels(variable="x1", values=(1.0, 2.0)),
        "kind in {A, B}": Levels(variable="kind", values=(0.0, 1.0)),
        "x1 + x2 == 3": LinearEquality(coefficients={"x1": 1.0, "x2": 1.0}, value=3.0),
        "x1 >= 3": LinearInequality(coefficients={"x1": 1.0}, low=3.0),
    }
    for text, constraint in kinds.items():
        assert parse_constraint(text, VARIABLES) == [constraint]


REFUSED = {
    "x1 + ": "expected a number or a name at the end",
    "x1 != 3": "cannot be left out",
    "x1 + x2 != 3": "x1 + x2: one value cannot be left out",
    "kind >= \"B\"": "kind has categories, which have no order",
    "kind == D": "kind has no category 'D'. Did you mean 'C d'",
    "kind + 1 <= 2": "kind has categories, which are no numbers",
    "1 <= 2": "says nothing of a variable",
    "x1 - x1 <= 2": "says nothing of a variable",
    "x1 <= 1 and x1 >= 2": "nothing satisfies it",
    "kind == A and kind == B": "nothing satisfies it",
    "kind not in {A, B, 'C d'}": "no category is left",
    "x1*x2 <= 1 or x1 <= 1": "x1*x2 is not linear, and stands alone",
    "if kind == A then at least 1 of x1, x2": "some are not zero can stand alone",
    "x1 in {a}": "a is no number",
    "x1 + x2 in {1}": "a variable's name is needed",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_constraint_is_refused_in_one_line(text, complaint):
    assert REFUSED[text] in complaint(ConfigError, parse_constraint, text, VARIABLES)


def test_unknown_names_are_told(complaint):
    assert "no variable 'y1'" in complaint(UnknownNameError, parse_constraint, "y1 <= 1", VARIABLES)
    assert "several" in complaint(UnknownNameError, parse_constraint, "x <= 1", VARIABLES)
    plain = {
        "variables": [variable.model_dump(mode="json") for variable in VARIABLES],
        "constraints": ["y1 <= 1"],
    }
    assert "no variable 'y1'" in complaint(ConfigError, Space.parse, plain)


def test_alternatives_are_bounded(complaint):
    seven = " and ".join(f"(x1 + {i}*x2 <= 1 or x2 + {i}*x1 <= 1)" for i in range(2, 9))
    assert "at most 64" in complaint(
        ConfigError, parse_constraint, f"if n == 0 then ({seven})", VARIABLES
    )


def test_texts_stand_where_constraints_do():
    space = Space.of(*VARIABLES, constraints=["x1 <= x2", Fixed(variable="n", value=1.0)])
    assert space.constraint_texts == ("x1 <= x2", "n == 1")
    assert Space.parse(space.model_dump(mode="json")) == space
