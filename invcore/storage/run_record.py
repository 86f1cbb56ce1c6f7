"""What ``run.json`` holds: the record of one run."""

import math
from typing import Any, Literal

from pydantic import Field, field_validator

from invcore.base.errors import UnknownNameError, close_names
from invcore.configs.config import Config
from invcore.storage.moves import Moves

SCHEMA: Literal[2] = 2
_READ: dict[str, type] = {
    "task": dict, "method": dict, "sampler": dict, "metrics": dict, "want": list,
    "responses": list, "constraints": list, "want_file": str, "want_file_name": str,
    "want_first": str, "refine": int, "preset": str,
}  # fmt: skip


class MetricRecord(Config):
    """One number of a run; see ``Estimate``.

    ``metric`` is the component that it is from. ``value`` is None for what JSON has no number for:
    ``infinite`` tells infinity from what is not known.
    """

    name: str
    metric: str = ""
    T: int | None = None
    value: float | None
    infinite: bool = False
    ci_low: float | None = None
    ci_high: float | None = None
    unit: str = ""
    better: Literal["lower", "higher", ""] = "lower"

    @property
    def number(self) -> float:
        """The value; NaN where it is not known.

        Example:
            >>> MetricRecord(name="calls", value=None, infinite=True).number
            inf
        """
        if self.value is None:
            return math.inf if self.infinite else math.nan
        return self.value


class Timings(Config):
    """Seconds."""

    fit_s: float = 0.0
    propose_s: float = 0.0
    simulate_s: float = 0.0


class Scoring(Config):
    """How the numbers of one metric came about.

    ``code`` stands for the code of the metric and of what it shares: numbers with another one are
    old. ``reason`` says why the metric gave none.
    """

    plugin: str
    version: str
    code: str
    settings: dict[str, Any] = {}
    created: str = ""
    reason: str = ""


class RunRecord(Config):
    """What ``run.json`` holds.

    A record of schema 1 has no checksum of its own, and an id that knew versions alone: the code of
    that time may have been any. It is read, and marked by ``outdated``.
    """

    schema_version: Literal[1, 2] = SCHEMA
    id: str = Field(pattern=r"^[0-9a-f]{12}$")
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
    threads: int = 0
    """Of torch, as the run began; 0 where that was not recorded."""
    ranked: bool = False
    metrics: tuple[MetricRecord, ...] = ()
    timings: Timings = Timings()
    simulator_calls: int = 0
    search_calls: int = 0
    training_calls: int = 0
    answered: float | None = None
    moves: Moves | None = None
    """How far candidates were moved to allowed designs; None without constraints."""
    parameters: int = 0
    config: dict[str, Any] = {}
    versions: dict[str, str] = {}
    code: dict[str, str] = {}
    scoring: dict[str, Scoring] = {}
    created: str = ""
    files: dict[str, str] = {}
    stored: bool = Field(False, exclude=True)
    """Whether a run was found done, rather than done now: what `invcore.run` says."""

    @field_validator("config")
    @classmethod
    def _readable(cls, config: dict[str, Any]) -> dict[str, Any]:
        """What listings and pages read of it is as they expect it, whoever wrote the file."""
        for name, kind in _READ.items():
            value = config.get(name)
            if name in config and not isinstance(value, (list, tuple) if kind is list else kind):
                raise ValueError(f"{name} is no {kind.__name__}")
            if kind is list and not all(isinstance(text, str) for text in value or ()):
                raise ValueError(f"{name} is no list of texts")
        return config

    @property
    def outdated(self) -> bool:
        """Whether an equal run is done again: its id does not tell the code that made it."""
        return self.schema_version < SCHEMA

    @property
    def answered_share(self) -> float | None:
        """The share of targets with a candidate that has a response; None where nobody knows."""
        if self.answered is not None:
            return self.answered
        shares = [m.value for m in self.metrics if m.name == "unanswered" and m.value is not None]
        return 1.0 - shares[0] if shares else None

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
