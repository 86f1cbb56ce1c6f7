"""Files of specifications: one a row, or one a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invcore.base.errors import ConfigError, UnknownNameError
from invcore.base.text import printable, quoted
from invcore.configs.documents import (
    LARGEST_RECORD,
    MOST_OF_RECORD,
    parse_document,
    read_text,
)
from invcore.expressions.names import resolved
from invcore.spaces.specification import Requirement
from invcore.spaces.wishes.cells import MOST_ROWS, read_cells
from invcore.spaces.wishes.specification import WishedSpecification, merged, specification_of
from invcore.spaces.wishes.text import conditions_of, value_of
from invcore.spaces.wishes.wish import Wish

_OPTIONS = ("weight", "tolerance")


def read_specifications(path: str | Path, names: Sequence[str]) -> list[WishedSpecification]:
    """The specifications of a file, each for one target more.

    Args:
        path: ``.csv``: its first row has responses' names, and each cell below a wish without the
            name (``0.5:0.7``, ``<=3``, ``min``, ``0.6``; empty for any); columns ``gap.weight``
            and ``gap.tolerance`` have options. ``.toml``: a table ``[[specification]]`` each, with
            a text, a number or a table (``low``, ``high``, ``goal``, ``weight``, ``tolerance``) by
            response, or a list ``want`` of wishes.
        names: of the responses.

    Raises:
        ConfigError: it cannot be read, or something in it is no specification; with the place.
        UnknownNameError: it names no response, or several.
    """
    if str(path).endswith(".toml"):
        return _of_toml(path, names)
    if str(path).endswith((".csv", ".tsv", ".txt")):
        return _of_rows(path, names)
    raise ConfigError(f"{printable(path)}: a file of specifications ends in .csv or .toml")


def _of_rows(path: str | Path, names: Sequence[str]) -> list[WishedSpecification]:
    place = printable(path)
    header, rows = read_cells(path)
    columns = [_column(name, names, place) for name in header]
    if len(set(columns)) != len(columns):
        raise ConfigError(f"{place}: two columns are of one response; remove one")
    found = []
    for number, cells in rows:
        wishes = []
        for (name, option), cell in zip(columns, cells, strict=True):
            if not cell:
                continue
            text = f"{option}={cell}" if option else cell
            wishes.append(_value(name, text, f"{place}: row {number}"))
        found.append(_whole(wishes, names, f"{place}: row {number}"))
    return found


def _of_toml(path: str | Path, names: Sequence[str]) -> list[WishedSpecification]:
    place = printable(path)
    text = read_text(path, largest=LARGEST_RECORD)
    data = parse_document(text, "toml", place, largest=LARGEST_RECORD, most_values=MOST_OF_RECORD)
    tables = data.pop("specification", None)
    if not isinstance(tables, list) or not tables or data:
        raise ConfigError(f"{place}: expected tables [[specification]], and nothing else")
    if len(tables) > MOST_ROWS:
        raise ConfigError(f"{place}: more than {MOST_ROWS:,} specifications")
    if not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{place}: expected tables [[specification]]")
    return [_of_table(t, names, f"{place}: specification {i}") for i, t in enumerate(tables, 1)]


def _of_table(table: Mapping[str, Any], names: Sequence[str], where: str) -> WishedSpecification:
    wishes: list[Wish] = []
    for key, value in table.items():
        if key == "want" and isinstance(value, list):
            if not all(isinstance(text, str) for text in value):
                raise ConfigError(f"{where}: expected a list of texts as want")
            try:
                wishes += specification_of(value, names).wishes.values()
            except (ConfigError, UnknownNameError) as error:
                raise type(error)(f"{where}: {error}") from None
            continue
        name, _ = _column(key, names, where)
        if isinstance(value, Mapping):
            wishes.append(Wish(name, Requirement.parse(value, where=f"{where}, {printable(name)}")))
        elif isinstance(value, str):
            wishes.append(_value(name, value, where))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            wishes.append(_value(name, repr(value), where))
        else:
            raise ConfigError(f"{where}, {quoted(name)}: expected a text, a number or a table")
    return _whole(wishes, names, where)


def _column(name: str, names: Sequence[str], where: str) -> tuple[str, str]:
    """The response of a column, and the option that it holds; empty for the wish itself."""
    begin, _, option = name.rpartition(".")
    try:
        if option in _OPTIONS and begin and name not in names:
            return resolved(begin.strip(" `"), names, "response"), option
        return resolved(name.strip("`"), names, "response"), ""
    except UnknownNameError as error:
        raise UnknownNameError(f"{where}: {error}") from None


def _value(name: str, text: str, where: str) -> Wish:
    try:
        return value_of(name, conditions_of(text), text)
    except ConfigError as error:
        raise ConfigError(f"{where}, {quoted(name)}: {error}") from None


def _whole(wishes: list[Wish], names: Sequence[str], where: str) -> WishedSpecification:
    try:
        return merged(wishes, names)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
