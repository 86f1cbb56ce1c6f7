"""JSON text, as everything that invcore writes or prints has it. Light: listings use it."""

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json


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
    text = to_json(
        document, indent=indent, inf_nan_mode="null", ensure_ascii=True, fallback=fallback
    )
    return text.decode("ascii")
