"""JSON text, as everything that invcore writes or prints has it. Light: listings use it."""

import json
from collections.abc import Callable
from typing import Any


def dump(
    document: Any, indent: int | None = None, fallback: Callable[[Any], Any] | None = None
) -> str:
    """JSON text in ASCII; numbers that JSON does not know (NaN, infinity) become null.

    Args:
        document: plain data.
        indent: spaces at each level; None for one line.
        fallback: makes plain data of anything else; None refuses it.

    Example:
        >>> dump({"value": float("nan")})
        '{"value":null}'
    """
    if _words(document):  # the same text; a listing need not wait for the import of pydantic
        return json.dumps(document, indent=indent, separators=(",", ": " if indent else ":"))
    from pydantic_core import to_json

    text = to_json(
        document, indent=indent, inf_nan_mode="null", ensure_ascii=True, fallback=fallback
    )
    return text.decode("ascii")


def _words(document: Any) -> bool:
    if type(document) is dict:
        return all(type(key) is str and _words(value) for key, value in document.items())
    return all(map(_words, document)) if type(document) is list else type(document) is str
