"""Records that share what is the same in many runs, so that 10,000 of them fit in little memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from invcore.results import ListedNumber

if TYPE_CHECKING:
    from invcore.results import RunRecord


class SlimRecords:
    """Makes records slim: settings and versions that are equal become one object.

    What the report does not read is left out: checksums, and how numbers came about.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __call__(self, record: RunRecord) -> RunRecord:
        """The record, slim."""
        numbers = tuple(
            ListedNumber(*(getattr(metric, name) for name in ListedNumber._fields))
            for metric in record.metrics
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
