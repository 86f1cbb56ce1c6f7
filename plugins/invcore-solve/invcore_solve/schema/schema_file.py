"""`schema.toml`: what is said of a table's columns, in a file."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from invcore.plugin import ConfigError, parse_document, printable, read_text, replace_file
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.column_schema import ColumnSchema
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.descriptors import read_descriptors

_LARGEST, _MOST_VALUES = 10_000_000, 1_000_000  # bytes, and all that a wide table has to say


def read_schema(path: str | os.PathLike[str]) -> Choices:
    """What a file says of columns.

    Raises:
        ConfigError: it cannot be read, or says something else.
    """
    place = printable(os.fspath(path))
    text = read_text(path, largest=_LARGEST)
    document = parse_document(text, "toml", place, largest=_LARGEST, most_values=_MOST_VALUES)
    _read_descriptors(document, Path(path).parent)
    return Choices.parse(document, where=place)


def _read_descriptors(document: dict[str, Any], folder: Path) -> None:
    """Files of descriptors, named as from the schema's folder, in place of their names."""
    columns = document.get("columns")
    for own in columns.values() if isinstance(columns, dict) else ():
        if isinstance(own, dict) and isinstance(own.get("descriptors"), str):
            own["descriptors"] = read_descriptors(folder / own["descriptors"])


def write_schema(path: str | os.PathLike[str], schema: TableSchema, said: Choices) -> None:
    """Begin a file with what was found in a table and what is said of it.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        replace_file(path, schema_text(schema, said).encode())
    except OSError as error:
        raise ConfigError(f"{printable(os.fspath(path))}: {printable(error)}") from None


def schema_text(schema: TableSchema, said: Choices) -> str:
    """The text of such a file.

    Example:
        >>> column = ColumnSchema(name="width [mm]", kind="whole", role="design", low=1, high=9)
        >>> print(schema_text(TableSchema(source="t.csv", rows=9, columns=(column,)), Choices()))
        # What is known of t.csv: 9 rows. Edit it, and give it back: invcore solve --schema FILE
        designs = ["width [mm]"]
        responses = []
        <BLANKLINE>
        [columns."width [mm]"]  # 1 to 9
        kind = "whole"
        <BLANKLINE>
    """
    head = f"# What is known of {printable(schema.source)}: {schema.rows:,} rows."
    lines = [f"{head} Edit it, and give it back: invcore solve --schema FILE"]
    designs = [column.name for column in schema.of_role("design")]
    lines += [f"designs = {_toml(designs)}", f"responses = {_toml(list(said.responses))}"]
    if said.ignore:
        lines.append(f"ignore = {_toml(list(said.ignore))}")
    if said.constraints:
        lines.append(f"constraints = {_toml(list(said.constraints))}")
    for key in ("weight_column", "group"):
        if value := getattr(said, key):
            lines.append(f"{key} = {_toml(value)}")
    for relation in schema.relations:
        lines.append(f"# found: {printable(relation, 1000)}")
    for column in schema.of_role("design", "response"):
        lines += ["", *_column(column, said)]
    return "\n".join(lines) + "\n"


def _column(column: ColumnSchema, said: Choices) -> list[str]:
    choice = said.of(column.name)
    note = "" if column.low is None else f"  # {column.low:g} to {column.high:g}"
    if column.unit:
        note += f" {printable(column.unit)}" if note else f"  # {printable(column.unit)}"
    lines = [f"[columns.{_toml(column.name)}]{note}"]
    own = choice.model_dump(mode="json", exclude_unset=True)
    if column.role == "design" and column.kind in ("number", "whole", "levels", "category"):
        own.setdefault("kind", column.kind)
        if column.kind == "levels":
            own.setdefault("levels", list(column.levels))
    if choice.bounds is not None:
        ends = zip(choice.bounds, (-math.inf, math.inf), strict=True)
        own["bounds"] = [end if value is None else value for value, end in ends]
    lines += [f"{key} = {_toml(value)}" for key, value in own.items() if value is not None]
    if column.log_proposed and not choice.log:
        lines.append("log = true  # proposed: its values span more than a factor of a hundred")
    return lines


def _toml(value: Any) -> str:
    """A text, number, flag, list or table as TOML has it; its strings are those of JSON."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml(name)} = {_toml(own)}' for name, own in value.items())}}}"
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
