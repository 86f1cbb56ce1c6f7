"""What a user says of a table's columns: on the command line, in Python, or in `schema.toml`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from invcore.plugin import Config, ConfigError, Field, close_names

Kind = Literal["number", "whole", "levels", "category"]


class ColumnChoice(Config):
    """What a user says of one column.

    Args:
        kind: ``number`` for any value between the bounds, ``whole``, ``levels`` or ``category``;
            None: found in the table.
        levels: values that can be made; None: those of the table, where it has levels.
        bounds: lowest and highest value that can be made; None, or an end that is None or
            infinite: those of the table.
        periodic: where a turn begins and ends.
        positive: whether only values above zero make sense.
        log: whether it is learnt on a logarithmic scale.
        fix: the one value that every proposal has.
        descriptors: of a category, numbers for each of its names: what networks see of them.
        error_column: of a response, the column that holds its measurements' standard deviation.
    """

    kind: Kind | None = None
    levels: tuple[float, ...] | None = Field(None, min_length=1)
    bounds: tuple[float | None, float | None] | None = None
    periodic: tuple[float, float] | None = None
    positive: bool = False
    log: bool = False
    fix: float | str | None = None
    descriptors: dict[str, tuple[float, ...]] | None = Field(None, min_length=2)
    error_column: str | None = None

    @field_validator("bounds", mode="before")
    @classmethod
    def _open_ends(cls, value: Any) -> Any:
        """Ends at infinity as None, which JSON has a word for."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            return value
        open_ends = (-math.inf, math.inf)
        return tuple(None if v == end else v for v, end in zip(value, open_ends, strict=True))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.levels is not None and self.kind not in (None, "levels"):
            raise ValueError(f"a column of kind {self.kind!r} takes no levels")
        if self.descriptors is not None and self.kind not in (None, "category"):
            raise ValueError(f"a column of kind {self.kind!r} takes no descriptors")
        for what in ("bounds", "periodic"):
            ends = getattr(self, what)
            if ends is not None and None not in ends and not ends[0] < ends[1]:
                raise ValueError(f"{what}: {ends[0]:g} to {ends[1]:g} leaves no room")
        return self


class Choices(Config):
    """What a user says of a table; the form of `schema.toml`.

    Args:
        designs: columns of designs; None: all that are left and usable.
        responses: columns of responses.
        ignore: columns that are no designs.
        weight_column: how much each row counts.
        group: column whose rows of one value belong together.
        constraints: of designs, as text: ``"x1 + x2 <= 3"``.
        columns: what is said of single columns.

    Example:
        >>> one = Choices(responses=("strength",))
        >>> one.saying("whole", ["age"]).columns["age"].kind
        'whole'
    """

    designs: tuple[str, ...] | None = None
    responses: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    weight_column: str | None = None
    group: str | None = None
    constraints: tuple[str, ...] = ()
    columns: dict[str, ColumnChoice] = {}

    def of(self, name: str) -> ColumnChoice:
        """What is said of a column."""
        return self.columns.get(name, ColumnChoice())

    def change(self, name: str, **changes: Any) -> Choices:
        """The same, with more said of a column.

        Raises:
            ConfigError: it contradicts what is said already.
        """
        known = self.columns.get(name, ColumnChoice()).model_dump(exclude_unset=True)
        choice = ColumnChoice.parse({**known, **changes}, where=f"column {name!r}")
        return self.model_copy(update={"columns": {**self.columns, name: choice}})

    def saying(self, what: str, names: Iterable[str]) -> Choices:
        """The same, with one thing said of several columns.

        Args:
            what: ``whole``, ``category``, ``continuous``, ``positive`` or ``log``.
            names: of the columns.
        """
        kinds = {"whole": "whole", "category": "category", "continuous": "number"}
        changes: dict[str, Any] = {"kind": kinds[what]} if what in kinds else {what: True}
        result = self
        for name in names:
            result = result.change(name, **changes)
        return result

    def giving(self, what: str, values: Mapping[str, Any]) -> Choices:
        """The same, with a value for each of several columns.

        Args:
            what: ``levels``, ``bounds``, ``periodic``, ``fix``, ``descriptors`` or
                ``error_column``.
            values: by column.
        """
        result = self
        for name, value in values.items():
            result = result.change(name, **{what: value})
        return result

    def check_names(self, names: Iterable[str], source: str) -> None:
        """Refuse words about columns that there are not.

        Raises:
            ConfigError: the first such column, with close names.
        """
        known = tuple(names)
        said = [*self.columns, *self.ignore, *(self.designs or ()), *self.responses]
        said += [c.error_column for c in self.columns.values() if c.error_column is not None]
        said += [name for name in (self.weight_column, self.group) if name is not None]
        for name in said:
            if name not in known:
                raise ConfigError(f"{source} has no column {name!r}. {close_names(name, known)}")
