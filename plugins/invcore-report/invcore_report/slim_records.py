"""Records that share what is the same in many runs, so that 10,000 of them fit in little memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from invcore.results import RunRecord


class Number(NamedTuple):
    """A metric's number as a record has it, in a fifth of the memory."""

    name: str
    metric: str
    T: int | None
    value: float | None
    infinite: bool
    ci_low: float | None
    ci_high: float | None
    unit: str
    better: str

    @property
    def number(self) -> float:
        """The value; NaN where it is not known."""
        if self.value is None:
            return float("inf") if self.infinite else float("nan")
        return self.value


class SlimRecords:
    """Makes records slim: settings and versions that are equal become one object.

    What the report does not read is left out: checksums, and how numbers came about.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __call__(self, record: RunRecord) -> RunRecord:
        """The record, slim."""
        numbers = tuple(
            Number(*(getattr(metric, name) for name in Number._fields)) for metric in record.metrics
        )
        config = {name: self._one(value) for name, value in record.config.items()}
        update = {
            "config": config, "versions": self._one(record.versions), "metrics": numbers,
            "files": {}, "code": {}, "scoring": {},
        }  # fmt: skip
        return record.model_copy(update=update)

    def _one(self, value: Any) -> Any:
        """The value, or an equal one that was there before."""
        if not isinstance(value, dict | list):
            return value
        return self._known.setdefault(json.dumps(value), value)
