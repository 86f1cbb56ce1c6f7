"""What ``run.json`` holds: the record of one run."""

import re
from typing import Any, Literal

from pydantic import Field

from invcore.base.errors import UnknownNameError, close_names
from invcore.configs.config import Config

SCHEMA: Literal[1] = 1
_ID = re.compile(r"^[0-9a-f]{12}$")


class MetricRecord(Config):
    """One number of a run; see ``Estimate``."""

    name: str
    T: int | None = None
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    unit: str = ""
    better: Literal["lower", "higher", ""] = "lower"


class Timings(Config):
    """Seconds."""

    fit_s: float = 0.0
    propose_s: float = 0.0
    simulate_s: float = 0.0


class RunRecord(Config):
    """What ``run.json`` holds."""

    schema_version: Literal[1] = SCHEMA
    id: str = Field(pattern=_ID.pattern)
    kind: Literal["run", "solve"] = "run"
    status: Literal["ok", "diverged", "skipped", "error"] = "ok"
    reason: str = ""
    notes: tuple[str, ...] = ()
    task: str
    method: str
    sampler: str
    candidates: int
    targets: int
    seed: int
    device: str
    ranked: bool = False
    metrics: tuple[MetricRecord, ...] = ()
    timings: Timings = Timings()
    simulator_calls: int = 0
    parameters: int = 0
    config: dict[str, Any] = {}
    versions: dict[str, str] = {}
    created: str = ""
    files: dict[str, str] = {}

    def metric(self, name: str, T: int | None = None) -> MetricRecord:
        """One of the metrics.

        Raises:
            UnknownNameError: the run has no such number.
        """
        for metric in self.metrics:
            if metric.name == name and metric.T == T:
                return metric
        names = {f"{m.name}" + ("" if m.T is None else f" (T={m.T})") for m in self.metrics}
        raise UnknownNameError(f"run {self.id}: no metric {name!r}. {close_names(name, names)}")
