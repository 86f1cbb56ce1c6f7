"""What happens in a run's life, as ``invcore_on_event`` sees it."""

from dataclasses import dataclass, field
from typing import Any, Literal

EventName = Literal["run-started", "stage-ended", "run-finished"]


@dataclass(frozen=True)
class Event:
    """One moment of a run.

    Args:
        name: ``run-started``, ``stage-ended`` (data, fit, propose, simulate, score), or
            ``run-finished``.
        run: the run's id.
        data: facts in JSON types: the config at the start, seconds at a stage's end, the record
            at the end.
    """

    name: EventName
    run: str
    data: dict[str, Any] = field(default_factory=dict)
