"""Texts in files for spreadsheets, none of which is taken for a formula.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-`` or ``@``, and such a formula can
start programs or send the sheet away. A name from elsewhere must not become one.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet would compute the text.

    Example:
        >>> looks_like_formula("=1+1"), looks_like_formula("width")
        (True, False)
    """
    return _FORMULA.match(text) is not None


def guarded(text: str) -> str:
    """The text, with a single quote before it where a spreadsheet would compute it.

    A text that looks guarded gets one more, so that `unguarded` always gives the text back.

    Example:
        >>> guarded("=cmd()"), guarded("'=a"), guarded("width")
        ("'=cmd()", "''=a", 'width')
    """
    return f"'{text}" if looks_like_formula(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`.

    Example:
        >>> unguarded("'=cmd()"), unguarded("'tis")
        ('=cmd()', "'tis")
    """
    return text[1:] if _GUARDED.match(text) else text
