"""What moves a yield: what would be gained if one thing at a time did not deviate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from invcore.plugin import FittedJudge, MadeDesigns, Targets
from invcore_solve.robustness.judged_copies import JudgedCopies

NOISE, ERROR = "noise of the responses", "error of the judge"
"""What moves a yield beside variables."""


@dataclass(frozen=True)
class Movers:
    """What moves the yield of one design.

    Args:
        names: of the variables that deviate, of `NOISE` where responses do, and of `ERROR`.
        share: the yield as it is.
        without: what it would be if one of them did not deviate, in the order of names.
    """

    names: tuple[str, ...]
    share: float
    without: tuple[float, ...]

    @property
    def gains(self) -> tuple[float, ...]:
        """How much each takes away from the yield; below zero where its deviation helps."""
        return tuple(without - self.share for without in self.without)

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {"yield": self.share, "without": dict(zip(self.names, self.without, strict=True))}


def movers_of(
    judge: FittedJudge, made: MadeDesigns, names: tuple[str, ...], design: Tensor, target: Targets
) -> Movers:
    """Of one design (Dx,) and its target, by the judge.

    Deviations that are correlated with that of a variable stay as they are when it has none.
    """

    def share(copies: JudgedCopies) -> float:
        owner = design.new_zeros(1).long()
        return float(copies.robustness(design[None], target, owner).share)

    whole = share(JudgedCopies(judge, made))
    places = made.deviating
    without = [share(JudgedCopies(judge, made.scaled(place, 0.0))) for place in places]
    said = [names[place] for place in places]
    if bool(made.noise.any()):
        said.append(NOISE)
        without.append(share(JudgedCopies(judge, made.without_noise())))
    said.append(ERROR)
    without.append(share(JudgedCopies(judge, made, exactly=True)))
    return Movers(tuple(said), whole, tuple(without))
