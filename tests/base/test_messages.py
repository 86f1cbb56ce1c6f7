"""Error messages are one printable line, and not too long, whatever stands in them."""

import pytest

from invcore.base.errors import ConfigError, InvcoreError, StoreError, UnknownNameError

NAMES = ["\x1b[31mred", "two\nlines", "\u202eback", "zero\u200bwidth", "\0", "half \ud800", "a\rb"]


@pytest.mark.parametrize("kind", [InvcoreError, ConfigError, StoreError, UnknownNameError])
@pytest.mark.parametrize("name", NAMES)
def test_names_in_messages_are_harmless(kind, name):
    text = str(kind(f"no column {name}; remove it", remedy="force=True repeats the run"))
    assert text.isprintable() and text.startswith("no column ")
    assert text.endswith("remove it; force=True repeats the run")


def test_what_is_printable_stays_as_it_is():
    text = "no  column [bold] :smile: größe 数 العربية"
    assert str(InvcoreError(text)) == text


def test_long_messages_lose_their_middle():
    text = str(ConfigError(f"begin {'x' * 10_000} end"))
    assert len(text) < 1010 and text.startswith("begin x") and text.endswith("x end")
    assert str(ConfigError("x" * 1000)) == "x" * 1000
