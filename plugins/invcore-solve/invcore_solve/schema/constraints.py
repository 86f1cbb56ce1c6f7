"""Constraints that people write of a table's columns or a simulator's designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import (
    ConfigError,
    Constraint,
    Fixed,
    Levels,
    Space,
    UnknownNameError,
    Variable,
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
        columns: all columns of the table, as ``#3`` counts them.
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
