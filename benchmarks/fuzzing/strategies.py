"""Inputs: from scratch, by the words of a format, and by changes to valid examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

NASTY = [
    "", " ", "\n", "\r", "\t", "\0", "\ufeff", "\x1b[31m", "\u202e", "\u200b", "\u2028", "é", "😀",
    "0", "-1", "1e999", "-1e-999", "nan", "inf", "-inf", "9" * 400, "9" * 5000, "2**64", "1_0",
    "18446744073709551616", "0x" + "f" * 300, "0.1e", "true", "null", "None", "~", "1:2",
    "[" * 70, "]" * 70, "(" * 70, ")" * 70, "{" * 70, "[" * 1500, "{a = " * 600, "a." * 3000,
    "- " * 300, "x" * 300, "x" * 20_000, "'", '"', '"""', "'''", "`", "\\", "\\u0000", "\\ud800",
    "!!int", "!!python/name:os.system ", "&a ", "*a", "<<: *a", "---\n", "...\n", "%YAML 9.9\n",
    "= ", ": ", ", ", ";", "|", "#", "# ", "//", "=cmd|' /C calc'!A0", "+1", "@x", "[bold]", ":x:",
    "../../outside", "/etc/passwd", "C:\\x", "file:///etc/passwd", "~/x", "$HOME", "${x}", "`ls`",
    "__class__", "__import__('os')", "{0.__class__}", "%s%n", "<script>", "&amp;", "$\\frac{1}{",
]  # fmt: skip
"""What has broken readers of something, somewhere."""

VALUES: SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(NASTY),
    st.text(max_size=6),
    st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**400, 10**12, 1e308, 5e-324, -0.0]),
)  # fmt: skip
"""Plain values."""

DATA: SearchStrategy[Any] = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NASTY) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
"""Plain data."""


def texts(*words: str) -> SearchStrategy[bytes]:
    """Texts of a format's words and of nasty ones, in any order; and any bytes."""
    piece = st.one_of(
        st.sampled_from(words or ("a",)), st.sampled_from(words or ("a",)),
        st.sampled_from(NASTY), st.text(max_size=5), st.floats().map(str),
    )  # fmt: skip
    made = st.lists(piece, max_size=14).map(lambda parts: _bytes("".join(parts)))
    return made | st.binary(max_size=200)


@st.composite
def mutated(draw: st.DrawFn, *examples: bytes) -> bytes:
    """A valid example with bytes cut out, put in, repeated, or turned over."""
    data = bytearray(draw(st.sampled_from(examples)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, max(len(data), 1)))
        length = draw(st.integers(0, 12))
        kind = draw(st.sampled_from(("cut", "put", "over", "again", "flip", "end")))
        if kind == "cut":
            del data[at : at + length]
        elif kind == "end":
            del data[at:]
        elif kind == "again":
            data[at:at] = data[at : at + length * 8] * 3
        elif kind == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        else:
            new = draw(st.sampled_from(NASTY).map(_bytes) | st.binary(max_size=8))
            data[at : at + (len(new) if kind == "over" else 0)] = new
    return bytes(data)


def relatives(data: bytes, count: int) -> Iterator[bytes]:
    """Inputs near one: some bytes turned over, cut out, repeated, or replaced by nasty ones.

    Args:
        data: that decides them all.
        count: how many.
    """
    random = Random(data)
    for _ in range(count):
        made = bytearray(data)
        for _ in range(random.randint(1, 4)):
            at, length = random.randrange(len(made) + 1), random.randint(1, 12)
            kind = random.randrange(5)
            if kind == 0:
                del made[at : at + length]
            elif kind == 1:
                made[at:at] = made[at : at + length * 8] * 2
            elif kind == 2:
                made[at : at + random.randrange(length)] = _bytes(random.choice(NASTY))
            elif kind == 3:
                made[at : at + length] = random.randbytes(length)
            elif at < len(made):
                made[at] ^= 1 << random.randrange(8)
        yield bytes(made)


@st.composite
def changed(draw: st.DrawFn, example: Any) -> Any:
    """Valid plain data with values replaced, left out or added, anywhere in it."""
    data = json.loads(json.dumps(example))
    for _ in range(draw(st.integers(1, 3))):
        place = data
        for _ in range(draw(st.integers(0, 5))):
            inner = [v for v in _items(place) if isinstance(v, dict | list) and v]
            if not inner:
                break
            place = draw(st.sampled_from(range(len(inner))).map(inner.__getitem__))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        kind = draw(st.sampled_from(("set", "set", "set", "drop", "add")))
        if kind == "add" or not keys:
            if isinstance(place, dict):
                place[draw(st.sampled_from(NASTY))] = draw(DATA)
            else:
                place.insert(draw(st.integers(0, len(place))), draw(DATA))
        else:
            key = draw(st.sampled_from(keys))
            if kind == "set":
                place[key] = draw(DATA)
            else:
                del place[key]
    return data


def rendered(data: SearchStrategy[Any], write: Callable[[Any], str]) -> SearchStrategy[bytes]:
    """Plain data as a document."""
    return data.map(lambda value: _bytes(write(value)))


def as_toml(data: Any) -> str:
    """Plain data as TOML, tables in line; what TOML has no word for is written all the same."""
    if not isinstance(data, dict):
        return f"value = {_toml(data)}"
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in data.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return _json(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except ValueError:  # a number of more digits than Python writes
        return "9" * 5000


def _items(place: Any) -> list[Any]:
    return list(place.values()) if isinstance(place, dict) else list(place)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
