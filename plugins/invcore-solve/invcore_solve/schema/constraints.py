"""Constraints that people write of a table's columns or a simulator's designs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import (
    ConfigError,
    Constraint,
    Fixed,
    Grid,
    Levels,
    LinearInequality,
    Space,
    UnknownNameError,
    Variable,
    constraint_text,
    parse_constraint,
)

Numbers = npt.NDArray[np.float64]

_SHOWN = 8  # rows that a note names


def constraints_of(
    texts: Sequence[str], variables: Sequence[Variable], columns: Sequence[str], source: str
) -> list[Constraint]:
    """The constraints that texts say of designs that vary.

    Args:
        texts: as in ``invcore.plugin.parse_constraint``.
        variables: the designs that vary.
        columns: all columns of the table, as ``#3`` counts them; none of a simulator.
        source: for messages.

    Raises:
        ConfigError: a text makes no constraint, or names something else than designs that vary.
    """
    made: list[Constraint] = []
    for text in texts:
        try:
            made += parse_constraint(text, variables, columns)
        except (ConfigError, UnknownNameError) as error:
            raise ConfigError(f"{source}: constraint {error}") from None
    return made


def joined(
    first: Sequence[Constraint], more: Sequence[Constraint], source: str
) -> list[Constraint]:
    """Both, with one constraint where both give levels of a variable: those in both lists.

    Raises:
        ConfigError: no level is in both.
    """
    result = list(first)
    for constraint in more:
        for i, known in enumerate(result):
            same = known.names == constraint.names
            if same and isinstance(known, Levels) and isinstance(constraint, Levels):
                both = tuple(v for v in known.values if v in constraint.values)
                if not both:
                    raise ConfigError(
                        f"{source}: column {known.variable!r}: no level is in both lists"
                    )
                result[i] = Levels(variable=known.variable, values=both)
                break
            if same and isinstance(known, Levels) and isinstance(constraint, Fixed):
                result[i] = constraint
                break
        else:
            result.append(constraint)
    return result


def constrained(
    variables: Sequence[Variable], constraints: Sequence[Constraint], source: str,
    grid: Grid | None = None,
) -> Space:  # fmt: skip
    """The space of variables under constraints.

    Raises:
        ConfigError: no design satisfies all.
    """
    try:
        return Space.of(*variables, grid=grid, constraints=constraints)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def check_bounds(
    variables: Sequence[Variable], constraints: Sequence[Constraint], source: str
) -> None:
    """Check that the bounds, which a table gives, leave what is said of each variable alone.

    Raises:
        ConfigError: they do not; wider bounds would.
    """
    numbers = {v.name: v for v in variables if not v.categories}
    listed = {c.variable for c in constraints if isinstance(c, Fixed | Levels)}
    for constraint in constraints:
        variable = numbers.get(constraint.names[0])
        if variable is None or len(constraint.names) > 1:
            continue
        low, high = variable.bounds
        if isinstance(constraint, Fixed | Levels):
            fixed = isinstance(constraint, Fixed)
            values = (constraint.value,) if isinstance(constraint, Fixed) else constraint.values
            least, most = min(values), max(values)
            wrong = least if least < low else most
            what = f"the {'fixed value' if fixed else 'level'} {wrong:g}"
            outside = least < low or most > high
        elif isinstance(constraint, LinearInequality) and variable.name not in listed:
            (factor,) = constraint.coefficients.values()
            least, most = (end / factor for end in constraint.ends[:: 1 if factor > 0 else -1])
            what, outside = constraint_text(constraint, [variable]), least > high or most < low
            # The bounds that would leave it are as wide as its limit that is missed
            least, most = (low, least) if least > high else (most, high)
        else:
            continue
        if outside:
            wider = shlex.quote(f"{variable.name}={min(low, least):g}:{max(high, most):g}")
            raise ConfigError(
                f"{source}: {what} is outside the bounds {low:g} to {high:g} of {variable.name!r}",
                remedy=f"bounds={wider} would allow it",
            )


def violating(designs: Space, x: Numbers, rows: npt.NDArray[Any]) -> str:
    """Which rows of a table violate its constraints, as a note; empty where none does.

    Args:
        designs: the space.
        x: (N, Dx), the table's designs.
        rows: (N,), the line of each.
    """
    if not designs.constraints:
        return ""
    off = (designs.violation(torch.from_numpy(x)) > 0).numpy()  # (N, M)
    wrong = np.nonzero(off.any(axis=1))[0]
    if not len(wrong):
        return ""
    most = designs.constraint_texts[int(off.sum(axis=0).argmax())]
    shown = ", ".join(str(row) for row in rows[wrong[:_SHOWN]].tolist())
    more = ", …" if len(wrong) > _SHOWN else ""
    return (
        f"{len(wrong):,} of {len(x):,} rows violate the constraints, and are learnt from all the "
        f"same: row {shown}{more}; most often {most}"
    )


def texts_of(fixed: Mapping[str, str], levels: Mapping[str, str]) -> list[str]:
    """``--fix NAME=VALUE`` and ``--levels NAME=A,B`` as constraints."""
    texts = [f"{_name(name)} == {value}" for name, value in fixed.items()]
    return texts + [f"{_name(name)} in {{{values}}}" for name, values in levels.items()]


def _name(name: str) -> str:
    return name if name[:1] == "#" else f"`{name}`"
