"""Designs found with a simulator, and what it was asked for."""

from dataclasses import dataclass
from typing import Any

from invcore.results import RunRecord
from invcore_solve.answers.proposal import Proposal
from invcore_solve.designer import Designer
from invcore_solve.simulators.outcomes import Counts


@dataclass(frozen=True)
class Solution:
    """What ``solve_with`` gives.

    Args:
        ranked: the designs of each target, best first by the simulator's responses, or by the
            judge's opinion where the simulator was not asked.
        notes: what one should know: which targets the pairs that were learnt from do not reach,
            and why; that the budget was used up.
        record: of the work, as it stands in the store if there is one.
        simulator: what it was asked for, and what failed: plain data.
        designer: of a method that learns from pairs, the fitted model; for more targets.
    """

    ranked: Proposal
    notes: tuple[str, ...]
    record: RunRecord
    simulator: dict[str, Any]
    designer: Designer | None = None

    @property
    def summary(self) -> str:
        """What the simulator was asked for, and what failed: one line."""
        return Counts.of(self.simulator).summary()
