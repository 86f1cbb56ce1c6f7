"""JSON text, as everything that invcore writes or prints has it. Light: listings use it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json, to_jsonable_python


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


def canonical(document: Any) -> str:
    """JSON text that is the same for equal plain data: keys are sorted at every level.

    Example:
        >>> canonical({"b": {"d": 1, "c": 2}, "a": float("nan")})
        '{"a": null, "b": {"c": 2, "d": 1}}'
    """
    return json.dumps(to_jsonable_python(document, inf_nan_mode="null"), sort_keys=True)


def identity(document: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for plain data.

    Example:
        >>> identity({"a": 1, "b": {"c": 2, "d": 3}}) == identity({"b": {"d": 3, "c": 2}, "a": 1})
        True
    """
    return hashlib.sha256(canonical(document).encode()).hexdigest()[:12]
