"""Tolerances: what texts say, and what made designs are."""

import itertools
import math

import pytest
import torch

from invcore import ConfigError, Space, Uniform, UnknownNameError, Variable
from invcore.spaces.made_designs import MadeDesigns
from invcore.spaces.priors import Categorical, Integers
from invcore.spaces.tolerances import Correlation, Tolerance, Tolerances, parse_tolerance


def real(name: str) -> Variable:
    return Variable(name=name, prior=Uniform(low=0.0, high=1.0))


SIDES = Space.of(
    real("width"), real("fly ash"), Variable(name="count", prior=Integers(low=1, high=9)),
    Variable(name="kind", prior=Categorical(categories=("A", "B"))),
)  # fmt: skip
GAP = Space.of(Variable(name="gap"), Variable(name="mass"))


@pytest.mark.parametrize(
    ("text", "size", "kind", "relative"),
    [
        ("width=±0.01", 0.01, "uniform", False),
        ("width=+-1e-2", 0.01, "uniform", False),
        ("width = +/- .5 %", 0.005, "uniform", True),
        ("wid=~0.2", 0.2, "normal", False),
        ("#1=~2%", 0.02, "normal", True),
    ],
)
def test_a_text_says_how_far(text: str, size: float, kind: str, relative: bool) -> None:
    tolerance = parse_tolerance(text, SIDES.names)
    assert isinstance(tolerance, Tolerance) and tolerance.variable == "width"
    assert tolerance.size == pytest.approx(size)
    assert (tolerance.kind, tolerance.relative, tolerance.of) == (kind, relative, "design")
    assert parse_tolerance(tolerance.text, SIDES.names) == tolerance


def test_texts_go_round() -> None:
    texts = ("`fly ash`=±2%", "response gap=~0.02", "correlation width,`fly ash`=-0.5")
    made = [parse_tolerance(text, SIDES.names, GAP.names) for text in texts]
    assert tuple(each.text for each in made) == texts
    assert made[2] == Correlation(first="width", second="fly ash", value=-0.5)


@pytest.mark.parametrize(
    "text",
    ["width", "width=", "=±1", "width=0.01", "width=±0", "width=±-1", "width=±1e999", "width=±1..2",
     "correlation width=0.5", "correlation width,count=2", "correlation width,width=0.5",
     "width=±1; import os"],
)  # fmt: skip
def test_what_is_no_tolerance_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="tolerance") as caught:
        parse_tolerance(text, SIDES.names, GAP.names)
    assert "\n" not in str(caught.value)


def test_unknown_names_get_the_close_ones() -> None:
    with pytest.raises(UnknownNameError, match="width"):
        parse_tolerance("widht=±1", SIDES.names)
    with pytest.raises(UnknownNameError, match="response 'gpa'"):
        parse_tolerance("response gpa=~1", SIDES.names, GAP.names)


def test_a_star_stands_for_what_is_real_and_not_named() -> None:
    made = Tolerances.of_texts(["*=±1%", "width=~0.1"], SIDES, GAP)
    assert made.texts == ("width=~0.1", "`fly ash`=±1%")
    assert Tolerances.of_texts(["count=±1"], SIDES, GAP).texts == ("count=±1",)
    assert not Tolerances() and made


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["width=±1", "width=~1"], "two tolerances"),
        (["*=±1", "*=~1"], "twice"),
        (["kind=±1"], "category"),
        (["width=±1", "correlation width,count=0.5"], "no tolerance"),
    ],
)
def test_tolerances_that_contradict_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Tolerances.of_texts(texts, SIDES, GAP)


def test_correlations_that_no_deviations_have_are_refused() -> None:
    names = ["a", "b", "c"]
    space = Space.of(*map(real, names))
    pairs = [f"correlation {a},{b}=-0.9" for a, b in itertools.combinations(names, 2)]
    with pytest.raises(ConfigError, match="eigenvalue"):
        Tolerances.of_texts(["*=~1", *pairs], space, GAP)


def made(*texts: str, count: int = 4096, seed: int = 0) -> MadeDesigns:
    return MadeDesigns.draw(
        Tolerances.of_texts(texts, SIDES, GAP), SIDES, GAP, count, seed=seed
    )  # fmt: skip


NOMINAL = torch.tensor([[0.5, -2.0, 3.0, 1.0], [0.0, 4.0, 9.0, 0.0]], dtype=torch.float64)


def test_uniform_deviations_are_uniform() -> None:
    copies = made("width=±0.01", "fly=±10%").of(NOMINAL)
    assert copies.shape == (2, 4096, 4) and copies.dtype == torch.float64
    off = (copies - NOMINAL[:, None]).sort(dim=1).values
    even = 2 * (torch.arange(4096, dtype=torch.float64) + 0.5) / 4096 - 1
    assert torch.allclose(off[0, :, 0], 0.01 * even, atol=1e-5)
    assert torch.allclose(off[0, :, 1], 0.2 * even, atol=1e-4)  # 10% of 2
    assert torch.allclose(off[1, :, 1], 0.4 * even, atol=2e-4)
    assert torch.equal(copies[..., 2:], NOMINAL[:, None, 2:].expand(2, 4096, 2))


def test_normal_deviations_have_their_moments_and_correlation() -> None:
    copies = made("width=~0.2", "fly=~1", "correlation width,fly=0.8").of(NOMINAL)
    off = (copies - NOMINAL[:, None])[0, :, :2]
    covariance = torch.cov(off.T)
    expected = torch.tensor([[0.04, 0.16], [0.16, 1.0]], dtype=torch.float64)
    assert torch.allclose(covariance, expected, rtol=0.02)
    assert off.mean(dim=0).abs().max() < 0.005


def test_a_full_correlation_moves_variables_together() -> None:
    copies = made("width=±0.2", "fly=±0.2", "correlation width,fly=-1").of(NOMINAL)
    off = (copies - NOMINAL[:, None])[0, :, :2]
    assert torch.allclose(off.sum(dim=1), torch.zeros(4096, dtype=torch.float64), atol=1e-9)


def test_counts_stay_whole_and_bounds_are_no_limit() -> None:
    copies = made("count=±1.4", "width=±2").of(NOMINAL)
    counts, times = copies[1, :, 2].unique(return_counts=True)
    assert counts.tolist() == [8.0, 9.0, 10.0]
    assert times[1] / 4096 == pytest.approx(1 / 2.8, abs=0.01)
    assert copies[..., 0].min() < -1.9


def test_noise_is_added_to_responses() -> None:
    noise = made("response gap=~0.1", "response mass=±1%")
    y = torch.tensor([[1.0, 200.0]], dtype=torch.float64)[:, None].expand(1, 4096, 2)
    off = noise.measured(y) - y
    assert off[0, :, 0].std() == pytest.approx(0.1, rel=0.01)
    assert off[0, :, 1].abs().max() == pytest.approx(2.0, rel=0.01)
    assert noise.without_noise().measured(y) is y


def test_draws_are_the_seeds() -> None:
    assert torch.equal(made("width=±1", count=8).design, made("width=±1", count=8).design)
    assert not torch.equal(made("width=±1", count=8).design, made("width=±1", seed=1).design[:8])


def test_a_tolerance_can_be_scaled() -> None:
    whole = made("width=±1", "fly=±1", count=32)
    half = whole.scaled(0, 0.5)
    off, less = (each.of(NOMINAL) - NOMINAL[:, None] for each in (whole, half))
    assert torch.allclose(less[..., 0], 0.5 * off[..., 0])
    assert torch.equal(less[..., 1], off[..., 1]) and whole.deviating == [0, 1]


def test_a_yield_in_closed_form() -> None:
    """Of a linear system: 2 a - b within ±1, a and b normal and correlated."""
    copies = made("width=~0.3", "fly=~0.4", "correlation width,fly=0.5").of(NOMINAL[0])
    response = 2 * copies[:, 0] - copies[:, 1] - 3.0
    inside = (response.abs() <= 1).double().mean()
    std = math.sqrt(4 * 0.09 + 0.16 - 2 * 2 * 0.5 * 0.3 * 0.4)
    assert float(inside) == pytest.approx(math.erf(1 / std / math.sqrt(2)), abs=0.004)
