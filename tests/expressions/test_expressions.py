"""Expressions: what they are parsed to, their values, and what is refused."""

import math
import re

import pytest
import torch

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.expressions.evaluation import evaluated
from invcore.expressions.linear import linear
from invcore.expressions.names import resolved, with_names, written
from invcore.expressions.parser import parse_definition, parse_statement, parse_term
from invcore.expressions.syntax import (
    Comparison,
    Connective,
    Count,
    Membership,
    Name,
    Number,
    Text,
    names_in,
)

COLUMNS = {
    "a": torch.tensor([2.0, -3.0, 0.5]).double(),
    "b": torch.tensor([1.5, 4.0, 7.0]).double(),
    "fly ash": torch.tensor([1.0, 2.0, 3.0]).double(),
}


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("a + b*2 - 1", lambda a, b: a + b * 2 - 1),
        ("a - b - 1", lambda a, b: a - b - 1),
        ("-a^2", lambda a, b: -(a**2)),
        ("2^-1 * b", lambda a, b: b / 2),
        ("2^3^2", lambda a, b: 512.0 + 0 * a),
        ("a/b*2/4", lambda a, b: a / b * 2 / 4),
        ("(a + b)*(a - b)", lambda a, b: (a + b) * (a - b)),
        ("max(a, b, 1) - min(a, b)", lambda a, b: max(a, b, 1) - min(a, b)),
        ("mean(a, b) + sum(a, b, 1)", lambda a, b: 1.5 * (a + b) + 1),
        ("sqrt(abs(a)) + exp(-b) + log(b) + log10(b)",
         lambda a, b: math.sqrt(abs(a)) + math.exp(-b) + math.log(b) + math.log10(b)),
        ("sin(a) + cos(pi*b) + 1e-3", lambda a, b: math.sin(a) + math.cos(math.pi * b) + 1e-3),
        ("+a \u2212 2·b", lambda a, b: a - 2 * b),
    ],
)  # fmt: skip
def test_values(text, function):
    expected = [function(a, b) for a, b in zip(*(COLUMNS[n].tolist() for n in "ab"), strict=True)]
    value = evaluated(parse_term(text), COLUMNS)
    assert torch.allclose(
        value, torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=1e-14
    )


def test_names_in_backticks_and_by_number_and_by_beginning():
    assert evaluated(parse_term("`fly ash`*2"), COLUMNS).tolist() == [2.0, 4.0, 6.0]
    tree = with_names(parse_term("#3 + fly + a"), list(COLUMNS))
    assert list(names_in(tree)) == ["fly ash", "fly ash", "a"]
    assert [written(n) for n in ("a", "fly ash", "if", "T.max")] == [
        "a",
        "`fly ash`",
        "`if`",
        "T.max",
    ]
    with pytest.raises(UnknownNameError, match="beginning of several"):
        resolved("f", ["fa", "fb"])
    with pytest.raises(UnknownNameError, match="there are 2"):
        resolved("#3", ["fa", "fb"])
    assert resolved("CEM", ["cement", "water"]) == "cement"


def test_derivatives_follow():
    a = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    evaluated(parse_term("a^2*b"), {"a": a, "b": torch.ones(2).double()}).sum().backward()
    assert a.grad.tolist() == [4.0, 6.0]


@pytest.mark.parametrize(
    ("text", "coefficients", "constant"),
    [
        ("a + 2*b - 3", {"a": 1.0, "b": 2.0}, -3.0),
        ("2*3*(a - b)/4", {"a": 1.5, "b": -1.5}, 0.0),
        ("a - a + 1", {}, 1.0),
        ("mean(a, b)", {"a": 0.5, "b": 0.5}, 0.0),
        ("2^3*a", {"a": 8.0}, 0.0),
        ("-(a + 1)", {"a": -1.0}, -1.0),
    ],
)
def test_linear(text, coefficients, constant):
    found = linear(parse_term(text))
    assert (dict(found.coefficients), found.constant) == (coefficients, constant)


@pytest.mark.parametrize("text", ["a*b", "a^2", "1/a", "sqrt(a)", "max(a, b)", "2^a"])
def test_not_linear(text):
    assert linear(parse_term(text)) is None


def test_statements():
    chain = parse_statement("0.2 <= a + b ≤ 0.8")
    assert isinstance(chain, Comparison) and chain.relations == ("<=", "<=")
    assert parse_statement("a + b = 1").relations == ("==",)
    rule = parse_statement('if kind == "B" and t > 2 then (a <= 1 or kind in {A, "C"})')
    assert isinstance(rule, Connective) and rule.name == "if"
    condition, consequence = rule.statements
    assert condition.statements[0].terms == (Name("kind"), Text("B"))
    assert consequence.statements[1] == Membership(Name("kind"), (Name("A"), Text("C")))
    assert parse_statement("at most 3 of a, b, `c d`") == Count(("a", "b", "c d"), 0, 3)
    assert parse_statement("at least 2 of a, b, c") == Count(("a", "b", "c"), 2, None)
    assert parse_statement("not (a == 1 and b == 2)").name == "not"
    bracketed = parse_statement("(a + b)*2 <= 3")
    assert bracketed.terms[1] == Number(3.0)
    named = with_names(parse_statement("kind == B"), ["kind", "Bx"])
    assert named.terms == (Name("kind"), Name("B"))  # a category, not the beginning of a variable


def test_definition():
    name, term = parse_definition("cost = 0.1*cement + 0.2*`fly ash`")
    assert name == "cost" and list(names_in(term)) == ["cement", "fly ash"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a +", "at the end"),
        ("a b", "expected an operation"),
        ("sqr(a)", "sqrt"),
        ("sqrt(a, b)", "one argument"),
        ("a @ b", "no part of an expression"),
        ("(a", "expected )"),
        ("__import__('os')", "no function"),
        ("(" * 100 + "a" + ")" * 100, "nested deeper"),
        ("^".join("a" * 200), "nested deeper"),
        ("-" * 200 + "a", "nested deeper"),
        ("a" * 20_000, "at most"),
        ("a + 1e400", "'1e400' is too large a number (place 5)"),
        ("a/(2 - 2)", "a/(2 - 2) has no finite value"),
        ("a + 1/(2 - 2)", "1/(2 - 2) has no finite value"),
        ("a*9^9^9^9", "9^9^9 has no finite value"),
        ("max(a, sqrt(1 - 2))", "sqrt(1 - 2) has no finite value"),
        ("1e300*1e300", "has no finite value"),
        ("a + (-8)^0.5", "has no finite value"),
    ],
)
def test_refused(text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse_term(text)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a <= ",
        "a <= 1/0",
        "a in {1, log(0)}",
        "if a < 1e400 then b < 2",
        "at most 1e400 of a",
        "not (a <= exp(1000))",
        "if a < 1 b < 2",
        "at most x of a",
        "(" * 90 + "a<1",
    ],
)
def test_no_statements(text):
    with pytest.raises(ConfigError):
        parse_statement(text)


def test_long_sums_do_not_nest():
    assert evaluated(parse_term("+".join(["a"] * 4000)), COLUMNS)[0] == 8000.0
    assert len(linear(parse_term("*".join(["1"] * 4000) + "*a")).coefficients) == 1
