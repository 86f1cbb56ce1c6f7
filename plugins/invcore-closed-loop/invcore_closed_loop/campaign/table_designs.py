"""What can be made, as a table of known rows shows it."""

from __future__ import annotations

from collections.abc import Sequence

from invcore_solve.schema.choices import Choices
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.units import without_unit
from invcore_solve.tables.table_data import TableData

from invcore.plugin import DataError, Space


def found_designs(
    table: RawTable, responses: Sequence[str], *, ignore: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> tuple[Space, list[str]]:  # fmt: skip
    """Designs as a table has them: all columns that are usable and no responses.

    Args:
        table: that was read.
        responses: names of its columns that are responses.
        ignore: columns that are no designs.
        whole: columns that take whole numbers only.

    Returns:
        Their space, and what was found, a line each.

    Raises:
        DataError: the table has too few rows, or no usable designs.
        ConfigError: it has no such column.
    """
    columns = tuple(_column(name, table.names) for name in responses)
    said = Choices(responses=columns, ignore=tuple(ignore)).saying("whole", whole)
    try:
        data = TableData.of(table, said)
    except DataError as error:
        raise DataError(
            f"{error}",
            remedy="bounds=NAME=LOW:HIGH for each design says what can be made, so that the table "
            "need not show it",
        ) from None  # fmt: skip
    return data.designs, [*data.schema.brief()]


def _column(name: str, columns: Sequence[str]) -> str:
    """The column that is meant: of that name, or the only one of it but for units."""
    if name in columns:
        return name
    bare = without_unit(name)[0]
    alike = [column for column in columns if without_unit(column)[0] == bare]
    return alike[0] if len(alike) == 1 else name
