"""Derived responses: their values, their gradients, and what is refused."""

import pytest
import torch

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.plugin import Categorical, Space, Uniform, Variable
from invcore.spaces.derived import DerivedResponse, derived_responses, with_derived

KIND = Categorical(categories=("a", "b"))
DESIGNS = Space.of(
    Variable(name="cement", prior=Uniform(low=0.0, high=9.0)),
    Variable(name="fly ash"),
    Variable(name="kind", prior=KIND),
)
RESPONSES = ("strength",)


def value(text, x, y):
    rows = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    return DerivedResponse.of(text).values(DESIGNS, rows[0], RESPONSES, rows[1])


def test_values_are_those_of_the_expression_of_each_row():
    x, y = [[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]], [[10.0], [20.0]]
    found = value("cost = 0.1*cement + 2*`fly ash`^2 - strength/10", x, y)
    assert found.tolist() == pytest.approx([0.1 + 8 - 1, 0.3 + 32 - 2])
    assert value("c = #1 * pi", x, y).tolist() == pytest.approx([torch.pi, 3 * torch.pi])
    assert value("one = 1", x, y).tolist() == [1.0, 1.0]


def test_what_has_no_response_or_no_finite_value_is_unknown():
    x = [[1.0, 2.0, 0.0], [-1.0, 2.0, 0.0], [1.0, 2.0, 0.0]]
    found = value("c = log(cement)", x, [[1.0], [1.0], [torch.nan]])
    assert found[0] == 0 and bool(found[1:].isnan().all())


def test_autograd_follows():
    x = torch.tensor([[2.0, 1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    y = 3 * x[:, :1]
    found = DerivedResponse.of("c = strength * cement").values(DESIGNS, x, RESPONSES, y)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert gradient.tolist() == [[12.0, 0.0, 0.0]]


def test_each_may_use_those_before_it():
    derived = derived_responses(["a = 2*cement", "b = a + strength"], DESIGNS.names, RESPONSES)
    x, y = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[5.0]])
    assert with_derived(derived, DESIGNS, x, RESPONSES, y).tolist() == [[5.0, 2.0, 7.0]]


def test_a_text_is_what_it_was_made_from():
    for text in ("cost = 2 * mass", "`my cost` = a^2"):
        assert DerivedResponse.of(text).text == text
        assert DerivedResponse.of(DerivedResponse.of(text).text) == DerivedResponse.of(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("strength = 2*cement", "there already"), ("cement = 1", "there already"),
        ("c = 2*cemen_t", "cemen_t"), ("c = kind", "categories"), ("c = 2*", "expected"),
        ("2*cement", "expected a name"), ("c = 'a' + 1", "text"), ("c = c + 1", "itself"),
        ("c = eval(cement)", "no function"), ("c = cement <= 2", "expected|end"),
    ],
)  # fmt: skip
def test_what_is_refused(text, told):
    with pytest.raises((ConfigError, UnknownNameError), match=told) as error:
        value(text, [[1.0, 2.0, 0.0]], [[1.0]])
    assert "\n" not in str(error.value)


def test_a_name_of_both_is_refused():
    with pytest.raises(ConfigError, match="a design and a response"):
        derived_responses(["c = 2*x"], ["x"], ["x"])
