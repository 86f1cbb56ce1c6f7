"""The rows of a journal one by one: who is who, and what a further result says of whom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from invcore.base.errors import DataError
from invcore.base.types import Context
from invcore.contracts.loop import Results
from invcore.search.loop_journal.rows import NOBODY, Entry, Told


@dataclass(frozen=True)
class NewResult:
    """A result that says something new.

    Args:
        place: among the results that were told.
        way: one of ``Told.ways``.
        entry: the row.
        design: (Dx,), as it was made.
        responses: (Dy,), all that are known by now.
    """

    place: int
    way: str
    entry: Entry
    design: Tensor
    responses: Tensor


class RowBook:
    """Rows by their ids, repeated measurements of them, and rows that nobody asked for."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.next_id = 0
        self._asked: dict[int, int] = {}  # places of entries by their ids
        self._again: dict[int, list[int]] = {}  # and of their repeated measurements
        self._unasked: dict[bytes, list[int]] = {}  # and of rows nobody asked for, by designs

    def copy(self) -> RowBook:
        """One more, in which results can be tried."""
        other = RowBook()
        other.entries, other.next_id = [replace(entry) for entry in self.entries], self.next_id
        other._asked = dict(self._asked)
        other._again = {number: [*places] for number, places in self._again.items()}
        other._unasked = {key: [*places] for key, places in self._unasked.items()}
        return other

    def ask(self, x: Tensor, target: int, event: int, own: int, context: Context | None) -> None:
        """Enter a row (Dx,) that is asked for, under the next id."""
        self._asked[self.next_id] = len(self.entries)
        self.entries.append(Entry(self.next_id, x, target, event, own, context))
        self.next_id += 1

    def weigh(self, number: int, x: Tensor, y: Tensor, event: int) -> tuple[str, int, Tensor]:
        """What a result is worth beside what is known.

        Args:
            number: the row's id; -1 for one that nobody asked for.
            x: (Dx,), as it was made.
            y: (Dy,).
            event: that tells it.

        Returns:
            One of ``Told.ways``; the place of the row that it is about, or that which it repeats;
            the responses that are known with it (Dy,).

        Raises:
            DataError: no row has that id.
        """
        if number == NOBODY:
            places = self._unasked.get(_key(x), [])
            # In one table, two equal rows are two measurements
            places = [p for p in places if self.entries[p].told_in < event]
            return self._beside(places, x, y) or ("unasked", NOBODY, y)
        if number not in self._asked:
            raise DataError(
                f"row {number} was never asked for: {self.next_id} rows were, from 0 on"
            )
        place = self._asked[number]
        if self.entries[place].told_in == NOBODY:
            return "new", place, y
        places = [place, *self._again.get(number, [])]
        return self._beside(places, x, y) or ("replicated", place, y)

    def _beside(self, places: list[int], x: Tensor, y: Tensor) -> tuple[str, int, Tensor] | None:
        """The first row that says the same as a result, or less."""
        for place in places:
            agrees, merged = self.entries[place].says(x, y)
            if agrees:
                more = int(merged.isfinite().sum()) > int(
                    self.entries[place].responses.isfinite().sum()  # type: ignore[union-attr]
                )
                return "completed" if more else "repeated", place, merged
        return None

    def take(self, way: str, place: int, number: int, x: Tensor, y: Tensor, event: int) -> Entry:
        """Enter a result that counts."""
        if way in ("unasked", "replicated"):
            context = None if place == NOBODY else self.entries[place].context
            entry = Entry(NOBODY, None, NOBODY, NOBODY, NOBODY, context, repeats=number)
            known = (
                self._unasked.setdefault(_key(x), []) if number == NOBODY
                else self._again.setdefault(number, [])
            )  # fmt: skip
            known.append(len(self.entries))
            self.entries.append(entry)
        else:
            entry = self.entries[place]
        entry.made, entry.responses, entry.told_in = x, y, event
        return entry

    def tell(self, results: Results, event: int) -> tuple[Told, list[NewResult]]:
        """Enter results, and give those that say something new.

        Raises:
            DataError: no row has an id.
        """
        assert results.id is not None
        told, rows = Told(), list[NewResult]()
        every = zip(results.id.tolist(), results.designs, results.responses, strict=True)
        for i, (number, x, y) in enumerate(every):
            way, place, merged = self.weigh(number, x, y, event)
            told = told.plus(way, merged)
            if way != "repeated":
                entry = self.take(way, place, number, x, merged, event)
                rows.append(NewResult(i, way, entry, x, merged))
        return told, rows


def _key(x: Tensor) -> bytes:
    return x.numpy().tobytes()
