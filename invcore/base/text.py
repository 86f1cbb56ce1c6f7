"""Text for people: errors, names and values from outside, in one printable line."""

import re
import unicodedata
from collections.abc import Sequence

from invcore.base.errors import ConfigError, InvcoreError

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def checked_name(name: str) -> str:
    """The name of something that becomes a file, which can lead into no other folder.

    Raises:
        ConfigError: it has other signs than letters, digits, ``-``, ``_`` and ``.``, or too many.
    """
    if not _FILE_NAME.fullmatch(name):
        raise ConfigError(f"name {quoted(name)}: use letters, digits, '-', '_' and '.' alone")
    return name


def harmless(text: str) -> str:
    r"""A text whose every sign can be seen, save blanks of all widths, tabs and line breaks.

    Codes that steer a terminal, marks that turn the direction of writing, and signs without width
    are written as Python writes them; brackets, colons and dollars are left to whoever reads them.

    Example:
        >>> print(harmless("red \x1b[31m, turned \u202e, [bold]"))
        red \x1b[31m, turned \u202e, [bold]
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or _is_blank(c) else repr(c)[1:-1] for c in text)


def _is_blank(sign: str) -> bool:
    return sign in "\n\t" or unicodedata.category(sign) == "Zs"


def shown(value: object) -> object:
    r"""What a page shows of a value: of a text or markup every sign, a number as it is.

    It is for the ``finalize`` of templates, which all that they show goes through.

    Example:
        >>> print(shown("left\u202eright"), shown(2))
        left\u202eright 2
    """
    if not isinstance(value, str) or value.isprintable():
        return value
    return type(value)(harmless(value))  # markup stays markup


def drawn(text: str) -> str:
    r"""A name as matplotlib shall draw it: every sign, and dollars that begin no formula.

    Example:
        >>> print(drawn("a $x$"))
        a \$x\$
    """
    return harmless(text).replace("$", r"\$")


def printable(text: object, width: int = 300) -> str:
    """A path or a library's message, without line breaks and terminal codes, and not too long."""
    full = str(text)
    cut = full if len(full) <= width else full[: width - 1] + "…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in cut)


def quoted(text: object, width: int = 40) -> str:
    """A value or name from a file as it may appear in a message: printable, and quoted."""
    return f"'{printable(text, width)}'"


def listing(names: Sequence[str], query: str = "") -> str:
    """The close names to a wrong one, then those that there are, for the end of a message."""
    import difflib  # rarely needed, and not free

    choices = [name[:100] for name in names[:1000]]
    close = difflib.get_close_matches(query[:100], choices, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(quoted(name) for name in close)}? " if close else ""
    more = f", … ({len(names)} in all)" if len(names) > 20 else ""
    return f"{hint}there are {', '.join(quoted(name) for name in names[:20]) or 'none'}{more}"


def safe(text: str) -> str:
    r"""One line without the control characters with which a file could steer a terminal.

    Example:
        >>> safe("bad\x1b[31m\nlines")
        'bad\\x1b[31m lines'
    """
    return harmless(" ".join(text.split()))


def number(value: float | None, digits: int = 3) -> str:
    """A number for people; a dash where there is none.

    Example:
        >>> number(0.00012345), number(None), number(1200.0), number(float("inf"))
        ('1.23e-04', '-', '1200', '∞')
    """
    if value is None or value != value:
        return "-"
    if value in (float("inf"), -float("inf")):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    small = abs(value) < 1e-2 or abs(value) >= 1e5
    return f"{value:.{digits - 1}e}" if small else f"{value:.{digits}g}"


def counted(count: int, noun: str) -> str:
    """A number of things for people.

    Example:
        >>> counted(1, "run"), counted(18, "run")
        ('1 run', '18 runs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def one_line(error: BaseException, width: int = 600) -> str:
    """Why something failed: one line, without the control characters that could steer a terminal.

    What invcore raises on purpose stands for itself; anything else has its kind before it.

    Example:
        >>> one_line(ZeroDivisionError("no way")), one_line(InvcoreError("no such file"))
        ('ZeroDivisionError: no way', 'no such file')
    """
    message = " ".join(str(error).split())
    if not (isinstance(error, InvcoreError) and message):
        message = f"{type(error).__name__}: {message or 'no message'}"
    return printable(message, width)
