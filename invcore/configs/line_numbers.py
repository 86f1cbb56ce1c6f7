"""On which line of a TOML or YAML file a value stands, so that an error can say it.

The parsers for both give data without positions (YAML's has them in its nodes). The text has been
parsed when this is asked, so the scanner below can rely on its being well formed.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

Place = tuple[str | int, ...]
"""Keys and indices from the top of a document to a value: ``("methods", 1, "name")``."""

_DEEPEST = 16
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')|"
    r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'",
    re.S,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str, ending: str) -> dict[Place, int]:
    r"""The line of each key and each item of a list, counted from 1.

    Args:
        text: a well-formed document.
        ending: ``.toml``, ``.yaml`` or ``.yml``.

    Example:
        >>> lines = lines_of('seeds = [\n  0,\n  1,\n]', ".toml")
        >>> lines["seeds",], lines["seeds", 1]
        (1, 3)
    """
    return _Toml(text).lines if ending == ".toml" else _yaml(text)


def nearest(lines: Mapping[Place, int], place: Place) -> tuple[int, int]:
    """The line of a place, or of what it is in, and how much of the place was found.

    Example:
        >>> nearest({("methods", 0): 4}, ("methods", 0, "boundary"))
        (4, 2)
    """
    for depth in range(len(place), 0, -1):
        if place[:depth] in lines:
            return lines[place[:depth]], depth
    return 1, 0


class _Toml:
    """One pass over the text; ``lines`` has the line of each place."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.breaks = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[Place, int] = {}
        self.tables: dict[Place, int] = {}  # arrays of tables: the index of the last
        table: Place = ()
        self._take("")
        while self.at < len(text):
            if text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _take(self, pattern: str | re.Pattern[str]) -> str:
        """Go past what stands here, and the blanks and comments after it."""
        match = re.compile(pattern).match(self.text, self.at)
        assert match is not None, "the text was parsed before"
        blank = _BLANK.match(self.text, match.end())
        self.at = blank.end() if blank else match.end()
        return match[0]

    def _header(self) -> Place:
        line, several = self._line(), self._take(r"\[\[?") == "[["
        *outer, last = self._keys()
        self._take(r"\]\]?")
        place: Place = ()
        for key in outer:
            place = self._within((*place, key))
        place = (*place, last)
        self.lines.setdefault(place, line)
        if several:
            self.tables[place] = self.tables.get(place, -1) + 1
            place = self._within(place)
            self.lines[place] = line
        return place

    def _within(self, place: Place) -> Place:
        """The table that a header's key leads to: the last one of an array of tables."""
        return (*place, self.tables[place]) if place in self.tables else place

    def _pair(self, table: Place) -> None:
        line, place = self._line(), table
        for key in self._keys():
            place = (*place, key)
            self.lines.setdefault(place, line)
        self._take("=")
        self._value(place)

    def _value(self, place: Place) -> None:
        opening, index = self.text[self.at], 0
        self._take(_TEXT if opening in "\"'" else r"[\[{]" if opening in "[{" else _SCALAR)
        if opening not in "[{":
            return
        while self.text[self.at] not in "]}":
            if opening == "[":
                self.lines[(*place, index)] = self._line()
                self._value((*place, index))
                index += 1
            else:
                self._pair(place)
            self._take(",?")
        self._take(r"[\]}]")

    def _keys(self) -> list[str]:
        """A key and those after its dots."""
        keys, more = [], "."
        while more:
            quoted = self.text[self.at] in "\"'"
            key = self._take(_TEXT if quoted else _BARE_KEY)
            keys.append(tomllib.loads(f"k = {key}")["k"] if quoted else key)
            more = self._take(r"\.?")
        return keys

    def _line(self) -> int:
        return bisect_right(self.breaks, self.at - 1) + 1


def _yaml(text: str) -> dict[Place, int]:
    import yaml

    lines: dict[Place, int] = {}

    def walk(node: Any, place: Place) -> None:
        if len(place) > _DEEPEST:  # an alias may lead into itself
            return
        inner: list[tuple[Any, Any, Any]] = []
        if isinstance(node, yaml.MappingNode):
            inner = [(key.value, key, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            inner = [(index, value, value) for index, value in enumerate(node.value)]
        for key, stands, value in inner:
            lines[(*place, key)] = stands.start_mark.line + 1
            walk(value, (*place, key))

    walk(yaml.compose(text, Loader=yaml.SafeLoader), ())
    return lines
