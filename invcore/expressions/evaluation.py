"""The values of terms, for many rows at once, so that autograd can follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import torch
from torch import Tensor

from invcore.base.errors import ConfigError, UnknownNameError, close_names
from invcore.expressions.syntax import Name, Number, Operation, Term

_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs, "sqrt": torch.sqrt, "exp": torch.exp, "log": torch.log,
    "log10": torch.log10, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
    "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "tanh": torch.tanh,
}  # fmt: skip
_TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": torch.add, "*": torch.mul, "/": torch.div, "^": torch.pow,
}  # fmt: skip


def evaluated(term: Term, columns: Mapping[str, Tensor]) -> Tensor:
    """The value of a term for each row.

    Args:
        term: parsed.
        columns: (…,) by name, all of one shape.

    Returns:
        (…,), of their type; NaN or infinite where an operation has no value.

    Raises:
        UnknownNameError: a name has no column.
        ConfigError: a text among numbers.

    Example:
        >>> from invcore.expressions.parser import parse_term
        >>> evaluated(parse_term("a^2 + 1"), {"a": torch.tensor([2.0, 3.0])})
        tensor([ 5., 10.])
    """
    some = next(iter(columns.values()))
    value = _value(term, columns, some)
    return value.expand(some.shape) if value.ndim < some.ndim else value


def _value(term: Term, columns: Mapping[str, Tensor], some: Tensor) -> Tensor:
    if isinstance(term, Number):
        return some.new_tensor(term.value)
    if isinstance(term, Name):
        if term.text in columns:
            return columns[term.text]
        if term.text == "pi":
            return some.new_tensor(torch.pi)
        close = close_names(term.text, list(columns))
        raise UnknownNameError(f"no column {term.text!r}. {close}")
    if not isinstance(term, Operation):
        raise ConfigError(f"{term.text!r} is a text, and a number is needed")
    parts = [_value(operand, columns, some) for operand in term.operands]
    if term.name == "-":
        return -parts[0]
    if term.name in _TWO:
        return reduce(_TWO[term.name], parts)
    if term.name in _ONE:
        return _ONE[term.name](parts[0])
    every = torch.stack(torch.broadcast_tensors(*parts))
    if term.name == "min":
        return every.amin(0)
    if term.name == "max":
        return every.amax(0)
    return every.sum(0) if term.name == "sum" else every.mean(0)
