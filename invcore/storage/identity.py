"""Identity: the short name that equal plain data share, such as a run's id."""

import hashlib
import json
from collections.abc import Iterable, Mapping
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


def identities(document: Mapping[str, Any], name: str, values: Iterable[Any]) -> list[str]:
    """The identities of documents that differ in one entry alone; the rest is written once.

    Args:
        document: plain data.
        name: of the entry.
        values: that it has, one for each identity.

    Example:
        >>> identities({"a": 1, "b": 2}, "b", [2, 3]) == [
        ...     identity({"a": 1, "b": 2}), identity({"a": 1, "b": 3})]
        True
    """
    texts = {key: f"{json.dumps(key)}: {canonical(value)}" for key, value in document.items()}
    keys = sorted({*texts, name})
    place = keys.index(name)
    begun = hashlib.sha256("".join(["{", *(f"{texts[key]}, " for key in keys[:place])]).encode())
    end = "".join([*(f", {texts[key]}" for key in keys[place + 1 :]), "}"]).encode()
    found = []
    for value in values:
        digest = begun.copy()
        digest.update(f"{json.dumps(name)}: {canonical(value)}".encode() + end)
        found.append(digest.hexdigest()[:12])
    return found
