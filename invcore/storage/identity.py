"""Identity: the short name that equal plain data share, such as a run's id."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python


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
