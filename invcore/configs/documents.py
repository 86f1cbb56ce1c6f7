"""TOML, YAML and JSON from outside as plain data, within bounds: the one place that parses them.

Python's parsers take whatever fits into memory: a line of brackets ends in a ``RecursionError``, a
key of many dots takes minutes, aliases of YAML unfold to more than any machine has. Here each of
these is one line of error.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from invcore.base.errors import ConfigError
from invcore.base.text import one_line, printable, quoted

Format = Literal["toml", "yaml", "json"]

LARGEST = 4 << 20
"""Most bytes of a document."""
DEEPEST = 64
"""Most tables and lists within each other, and most parts of a dotted key."""
MOST_VALUES = 200_000
"""Most keys, values and items of a document."""
LARGEST_RECORD = 32 << 20
"""Most bytes of a document that a program has written."""
MOST_OF_RECORD = 4_000_000
"""Most keys, values and items of such a document."""
MOST_OF_YAML = 20_000
"""Most of them in YAML, aliases unfolded: its parser is slow."""
LARGEST_NUMBER = 2**1024
"""Whole numbers are below it, as those that a double holds."""

FORMATS: dict[str, Format] = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}
"""The formats by the endings of files."""

# As TOML's parser goes: comments and texts are passed over, an unfinished one to the end.
_PASSED = re.compile(
    r"#[^\n]*|"
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|' + r"'''.*?(?:'{3,5}|\Z)|"
    r'"(?:\\.|[^"\\\n])*(?:"|$)|' + r"'[^'\n]*(?:'|$)",
    re.DOTALL | re.MULTILINE,
)
# No part of it can match the same text in two ways, and it begins at words alone.
_WORD = r"[A-Za-z0-9_-]"
_DOTTED = re.compile(rf"(?<!{_WORD})(?:{_WORD}++[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


def read_text(path: str | os.PathLike[str], *, largest: int = LARGEST) -> str:
    """The text of a file that is not too large, without a mark of its encoding.

    Args:
        path: a regular file.
        largest: most bytes.

    Raises:
        ConfigError: it cannot be read, is too large, or is no UTF-8.
    """
    place = printable(os.fspath(path))
    try:
        if not os.path.isfile(path):  # a pipe would block, a device never end
            what = "is a folder" if os.path.isdir(path) else "no such file"
            raise ConfigError(f"{place}: cannot be read ({what}); correct the path")
        with open(path, "rb") as file:
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{place}: cannot be read ({printable(why)})") from None
    if len(data) > largest:
        raise ConfigError(f"{place}: larger than {largest / 2**20:g} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        fault = f"cannot be read: row {row} is not UTF-8 text; save it as UTF-8"
        raise ConfigError(f"{place}: {fault}") from None


def read_document(path: str | os.PathLike[str]) -> Any:
    """A file of TOML, YAML or JSON as plain data.

    Raises:
        ConfigError: another ending, or what `read_text` and `parse_document` refuse.
    """
    place, ending = printable(os.fspath(path)), Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ConfigError(f"{place}: expected a file that ends in {', '.join(FORMATS)}")
    return parse_document(read_text(path), FORMATS[ending], place)


def parse_document(
    text: str, form: Format, place: str, *, largest: int = LARGEST, most_values: int = MOST_VALUES
) -> Any:
    """Plain data from a text that anybody may have written.

    Whatever the text holds: it ends, and nothing is made but tables, lists, texts, numbers, truths,
    dates and nothing. A table has each key once; a text has no zero character and is valid Unicode.

    Args:
        text: of the document.
        form: how it is written.
        place: what messages begin with.
        largest: most characters.
        most_values: most keys, values and items.

    Raises:
        ConfigError: it is not well formed, or beyond the bounds of this module.

    Example:
        >>> parse_document("a: [1, 2]", "yaml", "mine")
        {'a': [1, 2]}
        >>> parse_document("a: !!python/name:os.system x", "yaml", "mine")
        Traceback (most recent call last):
        invcore.base.errors.ConfigError: mine, line 1: tags (!!python/name:os.system) are not read
    """
    if len(text) > largest:
        raise ConfigError(f"{place}: larger than {largest / 2**20:g} MiB")
    try:
        data = _PARSERS[form](text, place)
    except RecursionError:
        raise ConfigError(f"{place}: nested deeper than {DEEPEST}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: {printable(error)}") from None
    except ConfigError:
        raise
    except ValueError as error:  # a number that Python refuses, or JSON that is none
        raise ConfigError(f"{place}: {_why(error)}") from None
    check_values(data, place, most_values)
    return data


def parse_value(text: str, place: str) -> Any:
    """A value as TOML has it; the text itself where it is none.

    Raises:
        ConfigError: it is beyond the bounds of this module.

    Example:
        >>> parse_value("[1, 2]", "setting"), parse_value("fast", "setting")
        ([1, 2], 'fast')
    """
    try:
        data = _toml(f"value = {text}", place)["value"]
    except tomllib.TOMLDecodeError:
        data = text
    except RecursionError:
        raise ConfigError(f"{place}: nested deeper than {DEEPEST}") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{place}: {_why(error)}") from None
    check_values(data, place)
    return data


def check_values(data: Any, place: str, most_values: int = MOST_VALUES) -> None:
    """Check that plain data are within bounds.

    Raises:
        ConfigError: they are nested too deeply, too many, or hold a number or text that is refused.
    """
    rest, count = [(data, 0)], 0
    while rest:
        value, depth = rest.pop()
        count += 1
        inner: list[Any] = []
        if isinstance(value, dict):
            inner = [*value, *value.values()]
        elif isinstance(value, list):
            inner = value
        elif isinstance(value, str):
            _check_text(value, place)
        elif type(value) is int and abs(value) >= LARGEST_NUMBER:
            raise ConfigError(f"{place}: a whole number of more than 308 digits")
        if inner and depth >= DEEPEST:
            raise ConfigError(f"{place}: nested deeper than {DEEPEST}")
        if count + len(rest) + len(inner) > most_values:
            raise ConfigError(f"{place}: more than {most_values:,} values")
        rest += [(item, depth + 1) for item in inner]


def _check_text(text: str, place: str) -> None:
    if "\0" in text:
        raise ConfigError(f"{place}: the text {quoted(text)} has a zero character; remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{place}: the text {quoted(text)} is no valid Unicode") from None


def _why(error: ValueError) -> str:
    """A parser's words; of a number that Python refuses, which one."""
    if "integer string conversion" in str(error):
        return "a whole number of more than 308 digits"
    return printable(error)


def _toml(text: str, place: str) -> dict[str, Any]:
    """TOML, whose parser takes a time that grows with the square of a dotted key's parts."""
    bare = _PASSED.sub(lambda match: "_" if match[0][0] in "\"'" else "", text)
    if _DOTTED.search(bare):
        raise ConfigError(f"{place}: a key of more than {DEEPEST} parts")
    return tomllib.loads(text)


def _json(text: str, place: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ConfigError(f"{place}: the key {quoted(name)} stands there twice")
            found[name] = value
        return found

    return json.loads(text, object_pairs_hook=once)


def _yaml(text: str, place: str) -> Any:
    import yaml

    from invcore.configs.bounded_yaml import load_yaml

    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or one_line(error)
        raise ConfigError(f"{place}{where}: {printable(problem)}") from None


_PARSERS: dict[Format, Callable[[str, str], Any]] = {"toml": _toml, "yaml": _yaml, "json": _json}
