"""JSON text, as everything that invcore writes or prints has it. Light: listings use it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any


def dump(
    document: Any, indent: int | None = None, default: Callable[[Any], Any] | None = None
) -> str:
    """JSON text; numbers that JSON does not know (NaN, infinity) become null.

    Args:
        document: plain data.
        indent: spaces at each level; None for one line.
        default: makes plain data of anything else; None refuses it.

    Example:
        >>> dump({"value": float("nan")})
        '{"value": null}'
    """
    return json.dumps(_plain(document), indent=indent, allow_nan=False, default=default)


def identity(document: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for plain data.

    Example:
        >>> identity({"a": 1, "b": 2}) == identity({"b": 2, "a": 1})
        True
    """
    ordered = dump({key: document[key] for key in sorted(document)})
    return hashlib.sha256(ordered.encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
