"""Tolerances: how far made designs are from their nominal ones, and responses from the simulated.

A text says one of them::

    width=±0.01        uniform, at most 0.01 off; +-0.01 is the same
    width=±2%          uniform, at most 2% of the nominal value off
    width=~0.01        normal, with a standard deviation of 0.01; ~2% likewise
    *=±1%              each variable that is a real number and has no text of its own
    response gap=~0.02 what is added to a response when it is measured, or that differs by itself
    correlation width,height=0.8    between the deviations of two designs' variables

Names are written as in expressions: in backticks where they are no plain words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from invcore.base.errors import ConfigError
from invcore.base.text import quoted
from invcore.configs.config import Config
from invcore.expressions.names import resolved, written

if TYPE_CHECKING:
    from invcore.spaces.space import Space

EVERY = "*"
"""The name that stands for all variables of a design that are real numbers."""

_VALUE = re.compile(r"\s*(±|\+/?-|~)\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(%?)\s*")
_PAIR = re.compile(r"\s*(`[^`]*`|[^,`]+?)\s*,\s*(`[^`]*`|[^,`]+?)\s*")
_RESPONSE, _CORRELATION = "response ", "correlation "
_EXPECTED = "expected NAME=±0.01, NAME=±2% or, for a normal, NAME=~0.01"
_ROUNDING = 1e-9


class Tolerance(Config):
    """How far one variable of what is made may be from its nominal value.

    Args:
        variable: its name.
        size: the half-width of a uniform deviation, or the standard deviation of a normal one; in
            the variable's own units, or a share of the nominal value.
        kind: of the deviation's distribution.
        relative: whether ``size`` is a share.
        of: whether it is a design that deviates, or a response.

    Example:
        >>> Tolerance(variable="fly ash", size=0.02, relative=True).text
        '`fly ash`=±2%'
    """

    variable: str = Field(min_length=1)
    size: float = Field(gt=0)
    kind: Literal["uniform", "normal"] = "uniform"
    relative: bool = False
    of: Literal["design", "response"] = "design"

    @property
    def text(self) -> str:
        """The text that says it."""
        name = self.variable if self.variable == EVERY else written(self.variable)
        front = _RESPONSE if self.of == "response" else ""
        size = f"{100 * self.size:.12g}%" if self.relative else f"{self.size:.12g}"
        return f"{front}{name}={'±' if self.kind == 'uniform' else '~'}{size}"


class Correlation(Config):
    """How the deviations of two variables of a design go together.

    Args:
        first: name of one.
        second: name of the other.
        value: the correlation of two standard normals, whose shares below are those of the
            deviations (a Gaussian copula). That of the deviations themselves is the same where both
            are normal, and differs by at most 0.02 where they are uniform.
    """

    first: str = Field(min_length=1)
    second: str = Field(min_length=1)
    value: float = Field(ge=-1, le=1)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.first == self.second:
            raise ValueError(f"a correlation of {self.first!r} with itself is 1")
        return self

    @property
    def text(self) -> str:
        """The text that says it."""
        return f"{_CORRELATION}{written(self.first)},{written(self.second)}={self.value:.12g}"


def parse_tolerance(
    text: str, names: Sequence[str], responses: Sequence[str] = ()
) -> Tolerance | Correlation:
    """What one text says.

    Args:
        text: as above.
        names: of designs.
        responses: names of them.

    Raises:
        ConfigError: it is none of the forms, or a size that is not above zero.
        UnknownNameError: there is no such variable.

    Example:
        >>> parse_tolerance("width=+-2%", ["width", "height"])
        Tolerance(variable='width', size=0.02, kind='uniform', relative=True, of='design')
        >>> parse_tolerance("response gap=~0.02", ["width"], ["gap"]).text
        'response gap=~0.02'
    """
    left, equals, right = text.rpartition("=")
    left = left.strip()
    where = f"tolerance {quoted(text)}"
    if not equals or not left:
        raise ConfigError(f"{where}: {_EXPECTED}")
    if left.startswith(_CORRELATION) and left not in names:
        return _correlation(left.removeprefix(_CORRELATION), right, names, where)
    value = _VALUE.fullmatch(right)
    if value is None:
        raise ConfigError(f"{where}: {_EXPECTED}")
    of_response = left.startswith(_RESPONSE) and left not in names
    if of_response:
        name = resolved(_bare(left.removeprefix(_RESPONSE)), responses, "response")
    else:
        name = left if left == EVERY else resolved(_bare(left), names)
    try:
        size = float(value[2])
    except ValueError:
        raise ConfigError(f"{where}: {quoted(value[2])} is no number") from None
    if not 0 < size < float("inf"):
        raise ConfigError(f"{where}: expected a size above 0; leave out what does not deviate")
    return Tolerance(
        variable=name, size=size / 100 if value[3] else size, relative=bool(value[3]),
        kind="normal" if value[1] == "~" else "uniform",
        of="response" if of_response else "design",
    )  # fmt: skip


def _correlation(left: str, right: str, names: Sequence[str], where: str) -> Correlation:
    pair = _PAIR.fullmatch(left)
    try:
        value = float(right)
    except ValueError:
        value = np.nan
    if pair is None or not -1 <= value <= 1:
        raise ConfigError(f"{where}: expected correlation NAME,NAME=0.8, a number from -1 to 1")
    first, second = (resolved(_bare(pair[i]), names) for i in (1, 2))
    if first == second:
        raise ConfigError(f"{where}: {first} is correlated with itself by 1")
    return Correlation(first=first, second=second, value=value)


def _bare(name: str) -> str:
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == "`" else name


class Tolerances(Config):
    """All that deviates when a design is made and measured.

    Args:
        designs: of their variables, one each.
        responses: likewise.
        correlations: between variables of designs that have a tolerance.

    Example:
        >>> from invcore import Space, Uniform, Variable
        >>> sides = [Variable(name=n, prior=Uniform(low=0, high=1)) for n in ("width", "height")]
        >>> wanted = Space.of(Variable(name="area"))
        >>> made = Tolerances.of_texts(
        ...     ["*=±1%", "width=~0.01", "correlation width,height=0.8"], Space.of(*sides), wanted)
        >>> made.texts
        ('width=~0.01', 'height=±1%', 'correlation width,height=0.8')
    """

    designs: tuple[Tolerance, ...] = ()
    responses: tuple[Tolerance, ...] = ()
    correlations: tuple[Correlation, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for part in (self.designs, self.responses):
            names = [tolerance.variable for tolerance in part]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{name!r} has two tolerances: one is enough")
        own = [tolerance.variable for tolerance in self.designs]
        for each in self.correlations:
            for name in (each.first, each.second):
                if name not in own:
                    raise ValueError(f"a correlation of {name!r}, which has no tolerance")
        if self.correlations and np.linalg.eigvalsh(self.matrix)[0] < -_ROUNDING:
            raise ValueError(
                "no deviations have these correlations together: their matrix has a negative "
                "eigenvalue; make them smaller, or leave some out"
            )
        return self

    @classmethod
    def of_texts(cls, texts: Iterable[str], designs: Space, responses: Space) -> Self:
        """From texts.

        Args:
            texts: one a tolerance, or a correlation.
            designs: whose names count; categories have no tolerance.
            responses: likewise.

        Raises:
            ConfigError: a text that says nothing, says something twice, or is about a category.
            UnknownNameError: there is no such variable.
        """
        every = [parse_tolerance(text, designs.names, responses.names) for text in texts]
        said = [each for each in every if isinstance(each, Tolerance)]
        own = [each for each in said if each.of == "design"]
        general = [each for each in own if each.variable == EVERY]
        named = [each for each in own if each.variable != EVERY]
        if len(general) > 1:
            raise ConfigError(f"tolerances: {EVERY} is said twice")
        taken = {tolerance.variable for tolerance in named}
        for variable in designs.variables:
            if variable.categories and variable.name in taken:
                raise ConfigError(f"tolerance of {variable.name}: a category has none")
        rest = [v.name for v in designs.variables if not (v.whole or v.name in taken)]
        named += [t.model_copy(update={"variable": name}) for t in general for name in rest]
        order = {name: place for place, name in enumerate(designs.names)}
        ordered = sorted(named, key=lambda each: order[each.variable])
        parts: dict[str, Sequence[Config]] = {
            "designs": ordered,
            "responses": [each for each in said if each.of == "response"],
            "correlations": [each for each in every if isinstance(each, Correlation)],
        }
        data = {name: [each.model_dump() for each in part] for name, part in parts.items()}
        return cls.parse(data, where="tolerances")

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that say them."""
        every = (*self.designs, *self.responses)
        return (*(each.text for each in every), *(each.text for each in self.correlations))

    def __bool__(self) -> bool:
        return bool(self.designs or self.responses)

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The correlations of all variables that have a tolerance (T, T), in their order."""
        names = [tolerance.variable for tolerance in self.designs]
        matrix = np.eye(len(names))
        for each in self.correlations:
            i, j = names.index(each.first), names.index(each.second)
            matrix[i, j] = matrix[j, i] = each.value
        return matrix
