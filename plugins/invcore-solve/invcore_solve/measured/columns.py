"""Which column of a table is which: by name, whatever its unit, its case and its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invcore.plugin import DataError, Variable, printable, quoted
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.reading.units import without_unit

ID = "id"
FAILED = "failed"
REMARKS = ("note", "notes", "remark", "remarks", "comment", "comments", "status", "state")
_UNIT_SIGNS = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "·": "*", " ": "", "^": ""})


@dataclass(frozen=True)
class Columns:
    """Columns of a table.

    Args:
        place: by the name of a variable, the index of its column.
        id: of the column of ids; None: there is none.
        failed: of the column that says what has failed.
        remarks: of columns of remarks.
        other: names of columns that are nothing of all that.
    """

    place: dict[str, int]
    id: int | None
    failed: int | None
    remarks: tuple[int, ...]
    other: tuple[str, ...]

    @classmethod
    def of(cls, table: RawTable, variables: Sequence[Variable]) -> Columns:
        """Find the columns of variables, and those that campaigns know beside.

        Raises:
            DataError: two columns of one variable; a unit that is not the variable's.
        """
        plain = [_plain(name) for name in table.names]
        place: dict[str, int] = {}
        for variable in variables:
            index = _index(table, plain, variable.name)
            if index is not None:
                _check_unit(table, index, variable)
                place[variable.name] = index
        taken = set(place.values())

        def special(*names: str) -> list[int]:
            return [i for i, name in enumerate(plain) if name in names and i not in taken]

        ids, failed, remarks = special(ID), special(FAILED), special(*REMARKS)
        if len(ids) > 1:
            raise DataError(f"{table.place}: has two columns {ID!r}; leave one out")
        used = {*taken, *ids, *failed, *remarks}
        other = tuple(name for i, name in enumerate(table.names) if i not in used)
        return cls(
            place, ids[0] if ids else None, failed[0] if failed else None, tuple(remarks), other
        )


def _plain(name: str) -> str:
    return " ".join(without_unit(name)[0].casefold().split())


def _index(table: RawTable, plain: Sequence[str], name: str) -> int | None:
    """The column of a variable: the one of its very name, or the only one like it."""
    same = [i for i, own in enumerate(table.names) if own == name]
    found = same or [i for i, own in enumerate(plain) if own == " ".join(name.casefold().split())]
    if len(found) > 1:
        names = " and ".join(quoted(table.names[i]) for i in found[:2])
        raise DataError(f"{table.place}: {names} are both {quoted(name)}; leave one out")
    return found[0] if found else None


def _check_unit(table: RawTable, index: int, variable: Variable) -> None:
    """Refuse numbers in another unit: nothing is converted."""
    given = table.units[index]
    if given and variable.unit and _same(given) != _same(variable.unit):
        raise DataError(
            f"{table.place}: column {quoted(table.names[index])} is in {printable(given, 30)}, "
            f"expected {variable.name} in {printable(variable.unit, 30)}; convert the numbers"
        )


def _same(unit: str) -> str:
    return unit.strip().translate(_UNIT_SIGNS)
