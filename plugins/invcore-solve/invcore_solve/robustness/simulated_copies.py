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
_PILOTS = 40  # designs of a target among which those are chosen, where no judge does
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
            judge: who answers where there are no calls for it, and else chooses whose copies are
                simulated; without one, half of the calls do.
        """
        rows = found.wanted if found.wanted is not None else Targets(found.target)
        work = _Answers(
            Tolerances.of_texts(self.tolerances, *spaces), spaces, seed, rows.measured_in(spread)
        )
        if judge is not None:
            found, work = work.judged(found, judge)
        if self.calls is None:
            return found
        groups = [*found.groups()]
        each, most = self.calls // len(groups), max(map(len, groups))
        pilots = min(most, _PILOTS, each // 2 // _FEWEST)
        if judge is None and pilots > 1:  # which designs are worth more copies
            found, work = work.simulated(found, pilots, _FEWEST, simulate)
            each -= pilots * _FEWEST
        count = max(1, min(_DESIGNS, each // _ENOUGH, most))
        return work.simulated(found, count, each // count, simulate)[0]


@dataclass(frozen=True)
class _Answers:
    """Yields of the rows of a table, each row with its own target; each step has its own copies."""

    tolerances: Tolerances
    spaces: tuple[Space, Space]
    seed: int
    rows: Targets

    def judged(self, found: Proposal, judge: FittedJudge) -> tuple[Proposal, _Answers]:
        """The table ranked by what a judge says of all designs."""
        made = MadeDesigns.draw(self.tolerances, *self.spaces, _JUDGED, seed=self.seed)
        owner = torch.arange(len(found))
        known = JudgedCopies(judge, made).robustness(
            found.designs, self.rows, owner, found.responses
        )
        return self._ranked(found, Making(known, self.tolerances.texts, "judge"))

    def simulated(
        self, found: Proposal, count: int, copies: int, simulate: Callable[[Tensor], Tensor]
    ) -> tuple[Proposal, _Answers]:
        """The table ranked by what copies of the first designs of each target are simulated to be;
        others have no yield, and stay behind them.
        """
        first = torch.tensor([row for group in found.groups() for row in group[:count]])
        made = MadeDesigns.draw(self.tolerances, *self.spaces, copies, seed=self.seed)
        x = made.of(found.designs[first])
        y = made.measured(simulate(x.flatten(0, 1)).double().view(*x.shape[:2], -1))
        some = self.rows[first]
        nominal = torch.full((len(first),), torch.nan, dtype=torch.float64)
        if found.responses is not None:
            nominal = some.error(found.responses[first][:, None].double())[:, 0]
        known = simulated_robustness(nominal, some.error(y), some.met(y))
        unknown = torch.full((len(found),), torch.nan, dtype=torch.float64)
        whole = Robustness(**{
            name: unknown.index_copy(0, first, value.double())
            for name, value in vars(known).items()
        })  # fmt: skip
        return self._ranked(found, Making(whole, self.tolerances.texts, "simulator"))

    def _ranked(self, found: Proposal, making: Making) -> tuple[Proposal, _Answers]:
        keep, rank = _order(found, making.robustness, self.rows)
        ranked = replace(replace(found, making=making).rows(keep), rank=rank)
        return ranked, replace(self, rows=self.rows[keep], seed=self.seed + 1)


def _order(found: Proposal, known: Robustness, rows: Targets) -> tuple[Tensor, Tensor]:
    """By yield, and by goals where yields allow; designs without a yield last, as they were.

    Returns:
        Positions (R,), and the rank of each row in that order.
    """
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
    return torch.tensor(order, dtype=torch.long), torch.tensor(ranks, dtype=torch.long)
