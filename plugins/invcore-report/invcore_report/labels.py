"""What to call the runs of a store that no manifest describes: by what tells them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invcore.results import RunRecord

_SHOWN = 3  # settings in one label
_LONGEST = 60  # letters of wishes


def task_labels(records: Sequence[RunRecord]) -> list[str]:
    """A label for the task of each run: the same for those whose results can be compared.

    That are runs on the same task with the same settings, as many pairs and as many targets.
    """
    keys = [
        (r.task, flat({"": r.config.get("task", {})}) | _sizes(r) | _wishes(r)) for r in records
    ]
    return _distinct_names([name for name, _ in keys], [facts for _, facts in keys])


def method_labels(records: Sequence[RunRecord], tasks: Sequence[str]) -> list[str]:
    """A label for the method of each run: runs that differ in the seed alone have the same.

    Args:
        records: runs.
        tasks: the labels of their tasks: only among runs on one task must labels differ.
    """
    labels = [r.method for r in records]
    if len({r.sampler for r in records}) > 1:
        labels = [f"{r.method} · {r.sampler}" for r in records]
    for task in dict.fromkeys(tasks):
        here = [i for i, other in enumerate(tasks) if other == task]
        names = _distinct_names([labels[i] for i in here], [_settings(records[i]) for i in here])
        for i, label in zip(here, names, strict=True):
            labels[i] = label
    return labels


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as ``a.b``: text.

    Example:
        >>> flat({"a": {"b": 1}, "c": [2]})
        {'a.b': '1', 'c': '[2]'}
    """
    result: dict[str, str] = {}
    for key, value in data.items():
        path = f"{prefix}.{key}" if prefix and key else prefix or key
        result |= flat(value, path) if isinstance(value, Mapping) else {path: str(value)}
    return result


def _sizes(record: RunRecord) -> dict[str, str]:
    return {"pairs": str(record.config.get("pairs", "")), "targets": str(record.targets)}


def _wishes(record: RunRecord) -> dict[str, str]:
    """What was wanted of the responses, where that is not the exact test responses."""
    config = record.config
    wishes = {"want": "; ".join(config.get("want", ()))[:_LONGEST]}
    wishes["want"] = wishes["want"] or str(config.get("want_file_name", ""))
    wishes |= {"response": "; ".join(config.get("responses", ()))[:_LONGEST]}
    if "want_file" in config:
        wishes["want_file"] = str(config["want_file"])[:8]
    return {key: text for key, text in wishes.items() if text}


def _settings(record: RunRecord) -> dict[str, str]:
    """What a method's result depends on beside the task, the data and the seed."""
    parts = {"": record.config.get("method", {}), "sampler": record.config.get("sampler", {})}
    facts = flat(parts) | {"candidates": str(record.candidates), "device": record.device}
    refine = record.config.get("refine")
    return facts | {"refine": str(refine)} if refine else facts


def _distinct_names(names: Sequence[str], facts: Sequence[Mapping[str, str]]) -> list[str]:
    """The names; where one stands for several things, with the facts that differ after it."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        groups[name].append(i)
    result = list(names)
    for name, members in groups.items():
        keys = list(dict.fromkeys(key for i in members for key in facts[i]))
        differing = [k for k in keys if len({facts[i].get(k) for i in members}) > 1]
        labels: dict[tuple[str | None, ...], str] = {}
        for i in members:
            values = tuple(facts[i].get(key) for key in differing)
            if values not in labels:
                labels[values] = _unique(_suffixed(name, differing, values), labels.values())
            result[i] = labels[values]
    return result


def _suffixed(name: str, keys: Sequence[str], values: Sequence[str | None]) -> str:
    facts = [f"{k}={v}" for k, v in zip(keys, values, strict=True) if v is not None]
    more = [f"{len(facts) - _SHOWN} more"] if len(facts) > _SHOWN else []
    return f"{name} ({', '.join([*facts[:_SHOWN], *more])})" if facts else name


def _unique(label: str, labels: Any) -> str:
    number, result = 1, label
    while result in labels:
        number += 1
        result = f"{label} #{number}"
    return result
