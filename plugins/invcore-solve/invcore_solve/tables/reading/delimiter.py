"""What separates the columns of a text file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from invcore_solve.tables.reading.cells import is_number

_DELIMITERS = (";", "\t", ",", "|")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_NUMBERS_APART = re.compile(r"\d[ \t]+[-+]?\d")
_SAMPLE = 100


def find_delimiter(lines: Sequence[str], otherwise: str) -> str:
    r"""One of ``; tab , |``, a blank for any white space, or ``otherwise``.

    It is in most lines below the first, and as often in each. The semicolon goes before the comma,
    which may be a decimal one. The first line is asked in case of doubt alone, because a header may
    hold any of them, as in "stress, max".

    Args:
        lines: those that hold anything.
        otherwise: for a file that shows none.

    Example:
        >>> find_delimiter(["a;b", "1,5;2,5"], ","), find_delimiter(["a b", "1  2"], ",")
        (';', ' ')
        >>> find_delimiter(["gap", "1,5", "2,5"], ",")  # one column, of decimal commas
        ';'
    """
    plain = [_QUOTED.sub('"', line).strip(" ") for line in lines[: _SAMPLE + 1]]
    head, sample = plain[0], plain[1:] or plain
    sample = [re.sub(r"([,;|])[ \t]+", r"\1", line) for line in sample]  # space, no delimiter
    best, delimiter = (0.0, False), ""
    for sign in _DELIMITERS:
        share, often = _steadiness([line.count(sign) for line in sample])
        found = (round(share, 1), head.count(sign) == often)
        if share > 0 and found > best:
            best, delimiter = found, sign
    if delimiter == "," and _decimal(head, sample):
        return " " if any(_NUMBERS_APART.search(line) for line in sample) else ";"
    if delimiter:
        return delimiter
    share, _ = _steadiness([len(line.split()) - 1 for line in sample])
    return " " if share > 0 else otherwise


def _steadiness(counts: Sequence[int]) -> tuple[float, int]:
    """The share of lines with the commonest count above zero, and that count.

    The share is 0 unless most lines have a count above zero.
    """
    present = [count for count in counts if count > 0]
    if 2 * len(present) <= len(counts):
        return 0.0, 0
    often, times = Counter(present).most_common(1)[0]
    return times / len(counts), often


def _decimal(head: str, sample: Sequence[str]) -> bool:
    """Whether the commas are decimal ones: between white space, or in a lone column."""
    if all(_NUMBERS_APART.search(line) for line in sample):
        return all(is_number(part) for line in sample for part in line.split())
    return "," not in head and all(line.count(",") == 1 and is_number(line) for line in sample)
