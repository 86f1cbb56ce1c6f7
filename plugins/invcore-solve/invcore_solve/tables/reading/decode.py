"""The text of a file, whatever it is encoded in."""

from __future__ import annotations

import codecs

from invcore import DataError
from invcore.data.tables import quoted

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4096
_BINARY = 0.1  # the share of control characters that no text has


def decoded(data: bytes, place: str, encoding: str | None = None) -> tuple[str, tuple[str, ...]]:
    """A file's text, and notes on how it was read.

    Byte-order marks of UTF-8 and UTF-16 count; without one it is UTF-8, or else Windows-1252.

    Args:
        data: the file.
        place: what messages begin with.
        encoding: as Python calls it; None: it is found.

    Raises:
        DataError: no such encoding, a byte that it does not have, or no text at all.

    Example:
        >>> decoded("25 °C".encode("cp1252"), "t.csv")[0]
        '25 °C'
    """
    if encoding is not None:
        return _by(data, encoding, place), ()
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _by(data, name, place), ()
    if len(data) % 2 == 0 and (wide := _utf16(data[:_SAMPLE])):
        return _by(data, wide, place), (f"Read as {wide.upper()}, which its zero bytes show.",)
    _check(data[:_SAMPLE], place)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        said = f"Row {row} is not UTF-8, so the file was read as Windows-1252; "
        return _by(data, "cp1252", place), (said + "say encoding if it is another.",)


def _by(data: bytes, encoding: str, place: str) -> str:
    """The text by one encoding."""
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        fault = f"no text encoding {quoted(encoding)}"
        raise DataError(f"{place}: {fault}; try utf-8, utf-16, cp1252 or latin-1") from None
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        row = data[:start].count(b"\n") + 1
        fault = f"row {row} is no text in the encoding {quoted(encoding)}"
        raise DataError(f"{place}: {fault}; save the file as UTF-8, or say encoding") from None
    except ValueError as error:  # an encoding with a null byte in its name
        raise DataError(f"{place}: no text encoding {quoted(encoding)} ({error})") from None


def _utf16(sample: bytes) -> str:
    """UTF-16 without a mark: of Latin text, every other byte is zero."""
    even, odd = sample[::2], sample[1::2]
    zeros = [half.count(0) > 0.4 * len(half) for half in (even, odd)] if len(sample) > 7 else []
    if zeros == [False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False] else ""


def _check(sample: bytes, place: str) -> None:
    """Refuse what is no text, such as a picture with the wrong name."""
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in sample)
    if control > max(3, _BINARY * len(sample)):
        raise DataError(
            f"{place}: is no text but binary data; give the file the ending of its kind"
        )
