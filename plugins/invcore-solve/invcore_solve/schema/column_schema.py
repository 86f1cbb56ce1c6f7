"""One column of a table: its kind, range and unit, found in its values and by what users say."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from invcore.plugin import Config, ConfigError, written
from invcore_solve.schema.choices import ColumnChoice
from invcore_solve.tables.descriptors import number_text

Numbers = npt.NDArray[np.float64]
ColumnKind = Literal[
    "number", "whole", "levels", "category", "constant", "date", "text", "index", "empty"
]
Role = Literal["design", "response", "error", "weight", "group", "left out"]

_LEVELS = 12  # most values that are taken for levels
_ROWS_A_LEVEL = 3
_ROWS_A_CATEGORY = 2
_CATEGORIES = 100  # most, where a user says that it is a category
_WHOLE_SPAN = 1_000_000
_DECADES = 100.0  # largest over smallest, from which a logarithmic scale is proposed
_ROUNDING = 1e-12


class ColumnSchema(Config):
    """What a column is.

    Args:
        name: as in the table.
        kind: ``number``, ``whole``, ``levels``, ``category``, ``constant``, ``date``, ``text``
            (too many different texts for categories), ``index`` (a number for each row) or
            ``empty``.
        role: what it is used for.
        unit: as the table has it.
        low: smallest number.
        high: largest number.
        levels: the values that it takes, where these are its levels.
        categories: the texts that it holds, where these are its categories.
        missing: number of cells without a value.
        distinct: number of different values.
        value: of a constant.
        log: whether it is learnt on a logarithmic scale.
        log_proposed: whether its spread calls for one.
        reason: why it is left out, where it is.
    """

    name: str
    kind: ColumnKind
    role: Role = "left out"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    levels: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    missing: int = 0
    distinct: int = 0
    value: float | str | None = None
    log: bool = False
    log_proposed: bool = False
    reason: str = ""


def number_kind(values: Numbers, choice: ColumnChoice) -> ColumnKind:
    """The kind of a column of numbers (N,), NaN where one is missing.

    Example:
        >>> number_kind(np.array([0.5, 0.8] * 5), ColumnChoice())
        'levels'
        >>> number_kind(np.array([0.5, 0.8] * 5), ColumnChoice(kind="number"))
        'number'
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return "empty"
    span = float(known.max() - known.min())
    if span <= _ROUNDING * float(np.abs(known).max()):
        return "constant"
    if choice.levels is not None:
        return "levels"
    if choice.descriptors is not None:
        return "category"
    if choice.kind is not None:
        return choice.kind
    if choice.periodic is not None:
        return "number"
    distinct = len(np.unique(known))
    if distinct <= _LEVELS and len(known) >= _ROWS_A_LEVEL * distinct:
        return "levels"
    whole = bool((known == np.round(known)).all()) and span <= _WHOLE_SPAN
    return "whole" if whole else "number"


def _check_levels(
    name: str, values: Numbers, choice: ColumnChoice, levels: Sequence[float]
) -> None:
    """Levels of a column that takes whole numbers are whole, too."""
    bare = choice.model_copy(update={"levels": None, "kind": None})
    broken = [level for level in levels if level != round(level)]
    if broken and number_kind(values, bare) == "whole":
        kept = ", ".join(f"{level:g}" for level in levels)
        instead = f" with the constraint '{written(name)} in {{{kept}}}'"
        raise not_whole(f"the level {broken[0]:g} of", name, instead)


def not_whole(what: str, name: str, instead: str = "") -> ConfigError:
    """That a value which is said of a column of whole numbers is none."""
    return ConfigError(
        f"{what} {name!r} is no whole number, as all of the table are",
        remedy=f"continuous={shlex.quote(name)}{instead} allows others",
    )


def is_index(values: Numbers) -> bool:
    """Whether a column of numbers (N,) counts the rows: each number one more than the last."""
    return len(values) > 3 and bool((np.diff(values) == 1).all())


def number_column(name: str, unit: str, values: Numbers, choice: ColumnChoice) -> ColumnSchema:
    """The schema of a column of numbers (N,), NaN where one is missing."""
    known = values[np.isfinite(values)]  # infinities are told of when it is known what it is for
    kind = number_kind(values, choice)
    distinct = np.unique(known)
    low = float(known.min()) if len(known) else None
    high = float(known.max()) if len(known) else None
    spread = low is not None and high is not None and low > 0 and high > _DECADES * low
    if choice.levels is not None:
        _check_levels(name, values, choice, choice.levels)
    levels = choice.levels or (tuple(distinct.tolist()) if kind == "levels" else ())
    return ColumnSchema(
        name=name, kind=kind, unit=unit, low=low, high=high,
        levels=tuple(sorted(levels)) if kind == "levels" else (),
        categories=_numbers_as_texts(distinct) if kind == "category" else (),
        missing=int(np.isnan(values).sum()), distinct=len(distinct),
        value=low if kind == "constant" else None, log=choice.log,
        log_proposed=bool(spread and kind in ("number", "whole") and _skewed(known)),
    )  # fmt: skip


def text_column(
    name: str, unit: str, texts: Sequence[str | None], choice: ColumnChoice
) -> ColumnSchema:
    """The schema of a column of text, None where one is missing."""
    known = [text for text in texts if text is not None]
    distinct = sorted(set(known))
    said = choice.kind == "category" or choice.descriptors is not None
    few = len(distinct) <= _LEVELS and len(known) >= _ROWS_A_CATEGORY * len(distinct)
    kind: ColumnKind = "text"
    if not known:
        kind = "empty"
    elif len(distinct) == 1:
        kind = "constant"
    elif few or (said and len(distinct) <= _CATEGORIES):
        kind = "category"
    return ColumnSchema(
        name=name, kind=kind, unit=unit, missing=len(texts) - len(known), distinct=len(distinct),
        categories=tuple(distinct) if kind == "category" else (),
        value=distinct[0] if kind == "constant" else None,
    )  # fmt: skip


def category_codes(
    column: ColumnSchema, values: Numbers, texts: Sequence[str | None] | None
) -> Numbers:
    """The number of each cell's category (N,), NaN where it is missing."""
    place = {name: float(i) for i, name in enumerate(column.categories)}
    if texts is None:
        known = [None if np.isnan(v) else number_text(v) for v in values.tolist()]
        texts = known
    return np.array([np.nan if text is None else place.get(text, np.nan) for text in texts])


def _numbers_as_texts(values: Numbers) -> tuple[str, ...]:
    return tuple(number_text(value) for value in values.tolist())


def _skewed(values: Numbers) -> bool:
    """Whether logarithms are spread more evenly than the numbers themselves."""

    def skewness(v: Numbers) -> float:
        v = v / np.abs(v).max()
        z = (v - v.mean()) / (v.std() + 1e-300)
        return abs(float((z**3).mean()))

    return skewness(np.log(values)) < skewness(values)
