"""What listings show of a run: its facts and its numbers, as plain data. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from invcore.storage.run_record import RunRecord

FACTS = (
    "id", "created", "kind", "task", "method", "sampler", "candidates", "targets", "seed",
    "device", "status", "reason", "ranked", "outdated",
)  # fmt: skip
COSTS = ("simulator_calls", "search_calls", "training_calls", "parameters")
TIMES = ("fit_s", "propose_s", "simulate_s")
_TEXTS = (
    "id", "created", "kind", "task", "method", "sampler", "device", "status", "reason", "label",
)  # fmt: skip
_COUNTS = ("candidates", "targets", "seed")
_TRUTHS = ("ranked", "outdated", "wishes")
_SHARES = ("r_1", "r_50", "answered")
_CHECKED = (
    *((name, (str,)) for name in _TEXTS), *((name, (int,)) for name in _COUNTS),
    *((name, (bool,)) for name in _TRUTHS), *((name, (float, int, type(None))) for name in _SHARES),
    *((name, (float, int)) for name in TIMES), ("notes", (list,)), ("codes", (dict,)),
)  # fmt: skip


class ListedNumber(NamedTuple):
    """One number of a run, as ``MetricRecord`` has it."""

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


_MAYBE = (float, int, type(None))
_OF_NUMBERS = (
    *((name, (str,)) for name in ("name", "metric", "unit", "better")),
    *((name, _MAYBE) for name in ("T", "value", "ci_low", "ci_high")), ("infinite", (bool,)),
)  # fmt: skip


@dataclass(frozen=True)
class ListedRun:
    """A run as listings show it; of a damaged one only its name and what is wrong are known.

    Args:
        id: the folder's name.
        facts: by name; empty if it is damaged. ``codes`` has, by metric, what stands for the code
            that gave its numbers.
        details: JSON text of its numbers and more; empty where nobody asked for it.
        problem: why it is damaged; empty if it is not.
    """

    id: str
    facts: Mapping[str, Any]
    details: str = ""
    problem: str = ""

    @property
    def status(self) -> str:
        """The run's, or ``damaged``."""
        return "damaged" if self.problem else self.facts["status"]

    @property
    def reason(self) -> str:
        """Why it is damaged, or did not go well; empty if it did."""
        return self.problem or self.facts["reason"]

    @cached_property
    def _details(self) -> dict[str, Any]:
        try:
            details = json.loads(self.details or "{}")
            numbers = [ListedNumber(*values) for values in details.get("metrics", ())]
            if not all(
                isinstance(getattr(each, name), kinds)
                for each in numbers
                for name, kinds in _OF_NUMBERS
            ):
                return {}
            details["metrics"] = numbers
        except (ValueError, TypeError, AttributeError, RecursionError):
            return {}  # nobody's: what we write can be read
        return dict(details)

    @property
    def numbers(self) -> list[ListedNumber]:
        """What metrics gave."""
        return [*self._details.get("metrics", ())]

    @property
    def more(self) -> dict[str, Any]:
        """Calls and parameters, by name."""
        found = {name: self._details.get(name) for name in COSTS}
        return {name: value if isinstance(value, int) else None for name, value in found.items()}


def are_facts(data: Mapping[str, Any]) -> bool:
    """Whether plain data are the facts of a run, as ``listed`` gives them."""
    return (
        all(isinstance(data.get(name, ...), kinds) for name, kinds in _CHECKED)
        and all(isinstance(note, str) for note in data["notes"])
        and all(isinstance(code, str) for code in data["codes"].values())
    )


def listed(record: RunRecord) -> ListedRun:
    """What listings show of a record."""
    r = {m.T: m.value for m in record.metrics if m.name == "r_T"}
    facts = {name: getattr(record, name) for name in FACTS}
    facts |= {"r_1": r.get(1), "r_50": r.get(50), "answered": record.answered_share}
    facts |= {"label": task_label(record), "wishes": wishes(record)}
    facts |= {name: getattr(record.timings, name) for name in TIMES}
    facts["notes"] = list(record.notes)
    facts["codes"] = {name: scoring.code for name, scoring in record.scoring.items()}
    details: dict[str, Any] = {name: getattr(record, name) for name in COSTS}
    details["metrics"] = [[getattr(m, name) for name in ListedNumber._fields]
                          for m in record.metrics]  # fmt: skip
    return ListedRun(record.id, facts, json.dumps(details))


def task_label(record: RunRecord) -> str:
    """The task for people: of one that came as a folder the folder, else its name."""
    settings = record.config.get("task")
    bundle = settings.get("bundle") if isinstance(settings, dict) else None
    return f"{Path(bundle).name}/" if isinstance(bundle, str) and bundle else record.task


def wishes(record: RunRecord) -> bool:
    """Whether its errors are violations of wishes, and no differences from exact responses."""
    return bool({"want", "want_file"} & set(record.config))
