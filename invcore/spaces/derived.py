"""Derived responses: computed from designs and responses by an expression, as data.

The class needs no torch; its values do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.base.text import quoted
from invcore.configs.config import Config
from invcore.expressions.names import resolved, with_names, written
from invcore.expressions.parser import parse_definition, parse_term
from invcore.expressions.syntax import Term, names_in

if TYPE_CHECKING:
    from torch import Tensor

    from invcore.spaces.space import Space

_SIDES = re.compile(r"\s*(?:`[^`]+`|[^`=]+?)\s*==?(.*)", re.DOTALL)
_LONGEST = 200
MOST = 1_000
"""Most derived responses of one command."""


class DerivedResponse(Config):
    """A response that is computed from designs and other responses.

    Args:
        name: of the response; new among those of designs and responses.
        expression: what it is, in their names.

    Example:
        >>> DerivedResponse.of("cost = 0.1*cement + 2")
        DerivedResponse(name='cost', expression='0.1*cement + 2')
    """

    name: str = Field(min_length=1, max_length=_LONGEST)
    expression: str = Field(min_length=1)

    @model_validator(mode="after")
    def _parsed(self) -> Self:
        if not self.name.isprintable():
            raise ValueError(f"name {quoted(self.name)} has control characters")
        _ = self.term
        return self

    @classmethod
    def of(cls, text: str) -> Self:
        """From ``name = expression``.

        Raises:
            ConfigError: there is no name, or no expression; it says where.
        """
        name, _ = parse_definition(text)
        sides = _SIDES.fullmatch(text)
        if sides is None:
            raise ConfigError(f"{quoted(text)}: expected a name, = and an expression")
        return cls.parse({"name": name, "expression": sides[1].strip()}, where=quoted(text))

    @cached_property
    def term(self) -> Term:
        """The expression, parsed."""
        return parse_term(self.expression)

    @property
    def text(self) -> str:
        """It as ``of`` takes it."""
        return f"{written(self.name)} = {self.expression}"

    def resolved(self, designs: Sequence[str], responses: Sequence[str]) -> Term:
        """The expression in full names.

        Args:
            designs: names of the designs' variables.
            responses: names of the responses that it may be computed from.

        Raises:
            UnknownNameError: it has a name of neither, or one of several.
            ConfigError: its own name is taken, or a name is of both.
        """
        names = [*designs, *responses]
        if self.name in names:
            raise ConfigError(
                f"response {quoted(self.name)} is there already; give the derived one a new name"
            )
        used = set(names_in(self.term))
        if self.name in used:
            raise ConfigError(f"response {quoted(self.text)}: it is computed from itself")
        known = [*names, "pi"] if "pi" in used and "pi" not in names else names
        try:
            for name in used:
                full = resolved(name, known, "variable or response")
                if full in designs and full in responses:
                    raise ConfigError(f"{quoted(full)} is a design and a response; rename one")
            return with_names(self.term, known, "variable or response")
        except UnknownNameError as error:
            raise UnknownNameError(f"response {quoted(self.text)}: {error}") from None

    def values(self, designs: Space, x: Tensor, responses: Sequence[str], y: Tensor) -> Tensor:
        """The response of each design.

        Args:
            designs: space of x.
            x: (…, Dx).
            responses: the names of y's columns.
            y: (…, Dy), NaN where there is none.

        Returns:
            (…,) of y's type; NaN where a response that it needs is missing, where no response is
            there at all, and where the expression has no finite value. Autograd can follow.

        Raises:
            UnknownNameError: it has a name of neither, or one of several.
            ConfigError: its own name is taken, or a name is that of a category.

        Example:
            >>> import torch
            >>> from invcore.spaces.space import Space, Variable
            >>> designs = Space.of(Variable(name="cement"))
            >>> x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[5.0], [torch.nan]])
            >>> DerivedResponse.of("cost = 10*cement").values(designs, x, ["strength"], y)
            tensor([10., nan])
        """
        import torch

        from invcore.expressions.evaluation import evaluated

        term = self.resolved(designs.names, responses)
        used = set(names_in(term))
        columns = {}
        for i, variable in enumerate(designs.variables):
            if variable.name in used:
                if variable.categories:
                    raise ConfigError(
                        f"response {quoted(self.text)}: {quoted(variable.name)} has categories, "
                        "and no number"
                    )
                columns[variable.name] = x[..., i].to(y)
        columns |= {name: y[..., i] for i, name in enumerate(responses) if name in used}
        value = evaluated(term, columns or {"": torch.ones_like(y[..., 0])})
        good = value.isfinite() & y.isfinite().any(dim=-1)
        return torch.where(good, value, torch.nan)


def derived_responses(
    texts: Iterable[str], designs: Sequence[str], responses: Sequence[str]
) -> tuple[DerivedResponse, ...]:
    """Derived responses from their texts; each may use those before it.

    Args:
        texts: ``name = expression``.
        designs: names of the designs' variables.
        responses: names of the responses that there are.

    Raises:
        ConfigError: a text is none, a name is taken, or there are too many.
        UnknownNameError: an expression has a name that nothing has.

    Example:
        >>> [d.name for d in derived_responses(["a = 2*x", "b = a + y"], ["x"], ["y"])]
        ['a', 'b']
    """
    found: list[DerivedResponse] = []
    for text in texts:
        derived = DerivedResponse.of(text)
        derived.resolved(designs, [*responses, *(each.name for each in found)])
        found.append(derived)
        if len(found) > MOST:
            raise ConfigError(f"more than {MOST:,} derived responses")
    return tuple(found)


def with_derived(
    derived: Sequence[DerivedResponse], designs: Space, x: Tensor, responses: Sequence[str],
    y: Tensor,
) -> Tensor:  # fmt: skip
    """Responses (…, Dy) with the derived ones behind them, (…, Dy + len(derived))."""
    import torch

    names = list(responses)
    for each in derived:
        y = torch.cat([y, each.values(designs, x, names, y)[..., None]], dim=-1)
        names.append(each.name)
    return y
