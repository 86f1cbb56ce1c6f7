"""What became of batches of designs, and the counts that are shown at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

NO_RESPONSE = "NaN"  # the simulator itself said that there is no response


@dataclass(frozen=True)
class Outcome:
    """What became of one batch.

    Args:
        y: (N, Dy), float64; None where the batch failed.
        reason: why it failed, in a few words that batches share; empty if it did not.
        detail: what is wrong with what a program gave.
        retries: how many times it was tried again.
        said: the last line that a program printed.
    """

    y: npt.NDArray[np.float64] | None
    reason: str = ""
    detail: str = ""
    retries: int = 0
    said: str = ""


def whole_rows(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Responses (N, Dy) as they count: a row that is not finite throughout is NaN throughout."""
    return np.where(np.isfinite(y).all(axis=1, keepdims=True), y, np.nan)


@dataclass
class Counts:
    """What a simulator was asked for, and what came of it; in rows, but for ``retries``.

    Args:
        calls: rows asked for.
        gradients: those of which a gradient was asked for too.
        recalled: rows read back from the journal.
        retries: batches tried again.
        failures: rows without a response, by reason.
        details: by reason, of the latest.
        said: the last line that a program printed, by reason, of the latest.

    Example:
        >>> counts = Counts(calls=20)
        >>> counts.failures["exit code 3"] += 5
        >>> counts.summary()
        '20 calls, 5 without a response (5 exit code 3)'
    """

    calls: int = 0
    gradients: int = 0
    recalled: int = 0
    retries: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Rows without a response."""
        return sum(self.failures.values())

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Counts:
        """The counts that ``document`` gave plain data of."""
        numbers = {key: document[key] for key in ("calls", "gradients", "recalled", "retries")}
        return cls(**numbers, failures=Counter(document["failures"]))

    def add(self, y: npt.NDArray[np.float64], outcome: Outcome) -> None:
        """Count a batch's rows (N, Dy), of which those without a response are NaN."""
        self.retries += outcome.retries
        missing = int(np.isnan(y[:, 0]).sum())
        if missing:
            reason = outcome.reason or NO_RESPONSE
            self.failures[reason] += missing
            for texts, text in ((self.details, outcome.detail), (self.said, outcome.said)):
                if text:
                    texts[reason] = text

    def summary(self) -> str:
        """One line for people."""
        parts = [f"{self.calls} call{'s' * (self.calls != 1)}"]
        if self.gradients:
            parts[0] += f" and {self.gradients} gradient{'s' * (self.gradients != 1)}"
        if self.recalled:
            parts.append(f"{self.recalled} of them read back")
        if self.retries:
            parts.append(f"{self.retries} batch{'es' * (self.retries != 1)} tried again")
        if self.failed:
            parts.append(f"{self.failed} without a response ({self.reasons()})")
        return ", ".join(parts)

    def reasons(self) -> str:
        """The reasons of failures with their rows, the most frequent first."""
        return ", ".join(f"{rows} {reason}" for reason, rows in self.failures.most_common())

    def document(self) -> dict[str, Any]:
        """Plain data, for records and ``--json``."""
        return {
            "calls": self.calls,
            "gradients": self.gradients,
            "recalled": self.recalled,
            "retries": self.retries,
            "failed": self.failed,
            "failures": dict(self.failures.most_common()),
        }
