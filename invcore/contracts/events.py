"""What happens in a run's life, as ``invcore_on_event`` sees it."""

from dataclasses import dataclass, field
from typing import Any, Literal

EventName = Literal["run-started", "stage-ended", "epoch", "artefact", "run-finished"]


@dataclass(frozen=True)
class Event:
    """One moment of a run, or of a piece of work of ``solve``.

    Args:
        name: ``run-started`` (data: ``kind``, ``config``, ``store``, ``bench``), ``stage-ended``
            (``stage``: data, warm-up, fit, propose, rerank, simulate, score; ``seconds``),
            ``epoch`` (what the training logs: ``stage``, ``epoch``, ``loss``, ``val_loss``, …),
            ``artefact`` (``name``, ``path``), or ``run-finished`` (``record``, ``path``).
        run: the run's id.
        data: facts in JSON types; paths are texts, empty where nothing is kept.
    """

    name: EventName
    run: str
    data: dict[str, Any] = field(default_factory=dict)
