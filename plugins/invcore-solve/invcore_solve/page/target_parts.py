"""What a page says of each target: sentences, a table of designs, a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from invcore_solve.page.front_picture import front_picture
from invcore_solve.page.shown_rows import shown_rows, unmeasured
from invcore_solve.page.target_pictures import CURVE, target_picture
from invcore_solve.page.wording import number, probability_text, with_unit

if TYPE_CHECKING:
    from invcore_solve.answers.answering import MeasuredDesigns
    from invcore_solve.answers.proposal import Proposal

Numbers = npt.NDArray[np.float64]

_FEW = 6  # responses that have columns of their own


@dataclass(frozen=True)
class Row:
    """A design in a table: its cells, and marks with a word each."""

    cells: tuple[str, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True)
class TargetPart:
    """What a page says of one target.

    Args:
        number: counted from one.
        wanted: the target for people.
        best: the best proposal, a sentence.
        met: rows of the table that meet it, a sentence; empty if there are none.
        reach: why it is out of reach, a sentence; empty if it is not.
        heads: of the table's columns.
        rows: its first designs, what is measured already among them.
        count: designs in all.
        picture: markup; empty where nothing is predicted.
        caption: of the picture.
        front: of several goals, markup; empty otherwise.
        front_caption: of that picture.
    """

    number: int
    wanted: str
    best: str
    met: str
    reach: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    count: int
    picture: str
    caption: str
    front: str = ""
    front_caption: str = ""


def nearest_responses(ranked: Proposal, measured: MeasuredDesigns) -> Numbers | None:
    """Measured responses of the row that is nearest to each design (R, Dy)."""
    if ranked.nearest is None or not len(measured.row):
        return None
    order = np.argsort(measured.row)
    place = np.searchsorted(measured.row, ranked.nearest.numpy(), sorter=order)
    found = order[place.clip(0, len(order) - 1)]
    known = (measured.row[found] == ranked.nearest.numpy())[:, None]
    return np.where(known, measured.y[found], np.nan)


def target_parts(
    ranked: Proposal, nearest: Numbers | None, units: dict[str, str], most: int,
    drawn: int | None = None, measured: Numbers | None = None,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> Iterator[TargetPart]:  # fmt: skip
    """The parts of all targets, the first of which have a whole table and a picture.

    Args:
        ranked: the designs.
        nearest: (R, Dy), measured responses of the nearest row, or None.
        units: of columns, by name.
        most: targets with a whole table; of others the first design is there.
        drawn: targets with a picture; None: as many.
        measured: (M, Dy), responses of the table's designs, or None.
        allowed: (M,), which of these designs may be proposed; None: all.
    """
    drawn = most if drawn is None else drawn
    columns = ranked.columns()
    names = ranked.order or ranked.names[0]
    heads = (
        "rank", *(with_unit(name, units.get(name, "")) for name in names),
        *(["yield"] if ranked.making is not None else []),
        *(["probability"] if ranked.probability is not None else []), *_heads(ranked, units),
        *(["distance", "nearest row"] if _placed(ranked) else []),
    )  # fmt: skip
    for i, rows in enumerate(ranked.groups()):
        some = shown_rows(ranked, rows)
        shown = some if i < most else rows[:1]
        lines = tuple(_row(ranked, columns, names, row) for row in shown)
        picture, caption, front = "", "", ("", "")
        if i < drawn and ranked.predicted is not None:
            picture, caption = target_picture(ranked, some, nearest, f"target{i + 1}")
            front = front_picture(ranked, rows, measured, f"front{i + 1}", allowed)
        yield TargetPart(
            i + 1, wanted(ranked, rows[0]), _best(ranked, rows), _met(ranked, rows),
            _reach(ranked, rows[0]), heads, lines, len(rows), picture, caption, *front,
        )  # fmt: skip


def wanted(ranked: Proposal, row: int) -> str:
    """A target for people."""
    if ranked.asked:
        return ranked.asked[row]
    values, names = ranked.target[row].tolist(), ranked.names[1]
    if len(values) > _FEW:
        kind = "a curve of" if len(values) >= CURVE else "responses,"
        ends = f"from {number(min(values))} to {number(max(values))}"
        return f"{kind} {len(values)} values {ends}"
    return ", ".join(f"{n} = {number(v)}" for n, v in zip(names, values, strict=True))


def _heads(ranked: Proposal, units: dict[str, str]) -> list[str]:
    names = ranked.names[1]
    if ranked.predicted is None:
        return []
    if len(names) > _FEW:
        if ranked.wanted is not None:
            return ["share of the prediction that is as wanted"]
        return ["mean distance of the prediction from the target"]
    return [f"{with_unit(name, units.get(name, ''))}, predicted" for name in names]


def _placed(ranked: Proposal) -> bool:
    return ranked.distance is not None and ranked.nearest is not None


def _row(ranked: Proposal, columns: Mapping[str, Any], names: Sequence[str], row: int) -> Row:
    cells = [str(int(ranked.rank[row]))]
    for name in names:
        value = columns[name][row]
        cells.append(value if isinstance(value, str) else number(float(value)))
    cells += [] if ranked.making is None else [ranked.making.cell(row)]
    if ranked.probability is not None:
        cells.append(probability_text(float(ranked.probability[row])))
    cells += _predicted(ranked, row)
    if ranked.distance is not None and ranked.nearest is not None:
        cells += [number(float(ranked.distance[row]), 2), str(int(ranked.nearest[row]))]
    marks = ["measured"] if ranked.measured is not None and bool(ranked.measured[row]) else []
    if ranked.beyond and ranked.beyond[row]:
        marks.append(f"beyond the table in {ranked.beyond[row]}")
    return Row(tuple(cells), tuple(marks))


def _predicted(ranked: Proposal, row: int) -> list[str]:
    """Predictions with their errors; of many responses the mean distance."""
    if ranked.predicted is None:
        return []
    said, error = ranked.predicted[row], ranked.predicted_error
    if len(said) > _FEW and ranked.wanted is not None and ranked.met is not None:
        share = ranked.met[row][ranked.wanted.wanted[row]].double().mean()
        return [f"{100 * float(share):.3g}%"]
    if len(said) > _FEW:
        away = number(float((said - ranked.target[row]).abs().mean()), 3)
        return [away if error is None else f"{away} ± {number(float(error[row].mean()), 2)}"]
    beyond = [0.0] * len(said) if ranked.violation is None else ranked.violation[row].tolist()
    texts = [ranked.said(row, place, number) for place in range(len(said))]
    return [
        text if text.endswith(" measured") else text + _off(by)
        for text, by in zip(texts, beyond, strict=True)
    ]


def _off(beyond: float) -> str:
    """How far a response is beyond its interval; empty where it is not."""
    if not beyond:
        return ""
    return f" ({number(abs(beyond), 2)} too {'high' if beyond > 0 else 'low'})"


def _best(ranked: Proposal, rows: Sequence[int]) -> str:
    """The best proposal, what is measured already left aside."""
    new = unmeasured(ranked, rows)
    if not new:
        return "Nothing new is proposed: what is listed is measured already."
    row = new[0]
    which = f"The best new design has rank {int(ranked.rank[row])}"
    if ranked.predicted is None:
        return f"{which}."
    said = _predicted(ranked, row)
    if len(ranked.names[1]) > _FEW:
        what = f"the prediction is {said[0]} away from the target on average over the responses"
        if ranked.wanted is not None:
            what = f"{said[0]} of the prediction are as wanted"
    else:
        pairs = zip(ranked.names[1], said, strict=True)
        what = ", ".join(f"{name} is predicted to be {value}" for name, value in pairs)
    if ranked.probability is not None:
        what += (
            f"; it is met with a probability of {probability_text(float(ranked.probability[row]))}"
        )
    where = ""
    if ranked.distance is not None and ranked.nearest is not None:
        away = number(float(ranked.distance[row]), 2)
        where = f" Its nearest row is {int(ranked.nearest[row])}, and its distance is {away}."
    return f"{which}: {what}.{where}"


def _met(ranked: Proposal, rows: Sequence[int]) -> str:
    if ranked.measured is None or ranked.nearest is None:
        return ""
    met = [str(int(ranked.nearest[row])) for row in rows if bool(ranked.measured[row])]
    if not met:
        return ""
    if len(met) == 1:
        return f"Row {met[0]} of the table meets it already."
    more = f" and {len(met) - 6} more" if len(met) > 6 else ""
    return f"Rows {', '.join(met[:6])}{more} meet it already."


def _reach(ranked: Proposal, row: int) -> str:
    if not ranked.reach or not ranked.reach[row]:
        return ""
    return f"It is out of the table's reach: {ranked.reach[row]}."
