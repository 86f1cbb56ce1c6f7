"""What made checks fail, so that one fault is reported once, however many checks it stops."""

from __future__ import annotations

import contextlib
import os
import re
import traceback
from collections.abc import Hashable
from pathlib import Path

import invcore
from invcore.base.text import one_line

_CORE = str(Path(invcore.__file__).parent) + os.sep
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")


def cause_of(error: BaseException) -> Hashable:
    """What two errors share if they have one cause: kind, text but for its numbers, and place.

    The place is that in the component's code, however the kit came there.

    Args:
        error: as it was caught.

    Example:
        >>> cause_of(ValueError("3 rows")) == cause_of(ValueError("12 rows"))
        True
        >>> cause_of(ValueError("rows")) == cause_of(TypeError("rows"))
        False
    """
    frames = (
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    )
    place = tuple(
        (file, line)
        for file, line in frames
        if not file.startswith(_CORE) and file != contextlib.__file__
    )
    return type(error), _NUMBERS.sub("#", one_line(error)), place


class Causes:
    """The causes that have been seen, and the check that each of them stopped first.

    Example:
        >>> causes = Causes()
        >>> [causes.first("fit", ValueError("no")), causes.first("shapes", ValueError("no"))]
        ['fit', 'fit']
    """

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}

    def first(self, check: str, error: BaseException) -> str:
        """The name of the first check that failed for the cause of this error."""
        return self._first.setdefault(cause_of(error), check)
