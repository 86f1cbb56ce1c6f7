"""Yields of designs whose made copies are simulated, or judged, in a table that stands already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import ConfigError, FittedJudge, MadeDesigns, Space, Targets, Tolerances
from invcore.results import Robustness, simulated_robustness
from invcore_solve.answers.preference import preferred
from invcore_solve.answers.proposal import Proposal
from invcore_solve.robustness.judged_copies import JudgedCopies
from invcore_solve.robustness.making import Making

_JUDGED = 128  # copies of each design, by a judge
_ENOUGH = 128  # copies of a design, where several share the calls
_FEWEST = 16
_DESIGNS = 10  # of a target whose copies are simulated, at most


@dataclass(frozen=True)
class YieldRequest:
    """What is asked of designs that a simulator was asked about.

    Args:
        tolerances: texts; empty where nothing is made.
        calls: simulator calls for made copies, of all targets together; None: a judge answers.
    """

    tolerances: tuple[str, ...] = ()
    calls: int | None = None

    def check(self, targets: int, judged: bool) -> None:
        """Refuse what cannot be done, before anything is simulated.

        Args:
            targets: how many.
            judged: whether there will be a judge.

        Raises:
            ConfigError: too few calls, or nobody who answers for what is made.
        """
        if not self.tolerances:
            if self.calls is not None:
                raise ConfigError("yield_calls: there are no tolerances to make designs with")
            return
        if self.calls is None and not judged:
            raise ConfigError(
                "a method that searches leaves no judge who could answer for made designs",
                remedy="yield_calls=1000 lets the simulator do so",
            )
        if self.calls is not None and self.calls < _FEWEST * targets:
            raise ConfigError(
                f"yield_calls: {self.calls} are too few for {targets} targets: each takes at least "
                f"{_FEWEST}"
            )

    def answered(
        self, found: Proposal, spread: Tensor, spaces: tuple[Space, Space], seed: int, *,
        simulate: Callable[[Tensor], Tensor], judge: FittedJudge | None,
    ) -> Proposal:  # fmt: skip
        """The same designs with their yields, ranked by them.

        Args:
            found: designs for B targets.
            spread: (Dy,), standard deviations of the responses.
            spaces: of designs and of responses.
            seed: of the copies.
            simulate: made designs (N, Dx) to responses (N, Dy).
            judge: who answers where there are no calls for it.
        """
        tolerances = Tolerances.of_texts(self.tolerances, *spaces)
        rows = found.wanted if found.wanted is not None else Targets(found.target)
        rows = rows.measured_in(spread)
        if self.calls is None:
            assert judge is not None
            made = MadeDesigns.draw(tolerances, *spaces, _JUDGED, seed=seed)
            owner = torch.arange(len(found))
            known = JudgedCopies(judge, made).robustness(found.designs, rows, owner)
            return _ranked(found, known, Making(known, tolerances.texts, "judge"), rows)
        groups = [*found.groups()]
        each = self.calls // len(groups)
        count = max(1, min(_DESIGNS, each // _ENOUGH, max(map(len, groups))))
        first = torch.tensor([row for group in groups for row in group[:count]])
        made = MadeDesigns.draw(tolerances, *spaces, each // count, seed=seed)
        copies = made.of(found.designs[first])
        y = simulate(copies.flatten(0, 1)).double().view(*copies.shape[:2], -1)
        y = made.measured(y)
        some = rows[first]
        responses = found.responses
        nominal = (
            torch.full((len(first),), torch.nan, dtype=torch.float64)
            if responses is None else some.error(responses[first][:, None].double())[:, 0]
        )  # fmt: skip
        known = simulated_robustness(nominal, some.error(y), some.met(y))
        unknown = torch.full((len(found),), torch.nan, dtype=torch.float64)
        whole = Robustness(**{
            name: unknown.index_copy(0, first, value.double())
            for name, value in vars(known).items()
        })  # fmt: skip
        return _ranked(found, whole, Making(whole, tolerances.texts, "simulator"), rows)


def _ranked(found: Proposal, known: Robustness, making: Making, rows: Targets) -> Proposal:
    """By yield, and by goals where yields allow; designs without a yield last, as they were."""
    own = found.responses if found.responses is not None else found.predicted
    goals = np.zeros((len(found), 1)) if own is None else (
        rows.goals(own.double()[:, None])[:, 0] / rows.spread
    ).nan_to_num(torch.inf).numpy()  # fmt: skip
    order: list[int] = []
    ranks: list[int] = []
    for group in found.groups():
        place = np.array(group)
        asked = place[~known.share[place].isnan().numpy()]
        used = np.ptp(np.nan_to_num(goals[asked], posinf=1e300), axis=0) > 0
        worst = known.worst[asked].nan_to_num(torch.inf).numpy()
        first = asked[preferred(known.share[asked].numpy(), worst, goals[asked][:, used])]
        order += [*first.tolist(), *np.setdiff1d(place, asked).tolist()]
        ranks += range(1, len(place) + 1)
    keep = torch.tensor(order, dtype=torch.long)
    return replace(
        replace(found, making=making).rows(keep), rank=torch.tensor(ranks, dtype=torch.long)
    )
