"""Yields of designs by a judge, whose own error is a part of their intervals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import FittedJudge, MadeDesigns, Targets
from invcore.results import Robustness, judged_robustness, worst_mean
from invcore_solve.derived.judge import DerivedJudge
from invcore_solve.judging.probability.scenarios import Foresight, Scenarios

DRAWS = 200
"""Of a judge's error."""

_LEFT = 0.5  # of a judge's error about a copy, where that about its design is known
_NORMAL = 1.6448536269514722  # half-width of a normal's 90%, in standard deviations
_NUMBERS = 1 << 22  # of responses, held at once
_DESIGNS = 16_384  # made designs that are judged at once


@dataclass(frozen=True)
class JudgedCopies:
    """Made copies of designs by a judge.

    What a judge has wrong about a design it has wrong in the same way a little beside it, so that
    the copies of a design share each draw of the error. Draws are errors of held-out rows, of all
    responses together, in units of what the judge expects of them.

    Args:
        judge: of designs.
        made: the deviations of copies.
        draws: of the judge's error.
        exactly: take the judge's word for the truth: one draw, without an error.
    """

    judge: FittedJudge
    made: MadeDesigns
    draws: int = DRAWS
    exactly: bool = False
    _errors: dict[int, Tensor] = field(default_factory=dict, repr=False)

    def robustness(
        self, x: Tensor, targets: Targets, owner: Tensor, truth: Tensor | None = None
    ) -> Robustness:
        """What becomes of designs.

        Args:
            x: nominal ones (N, Dx).
            targets: B of them.
            owner: (N,), the target of each design.
            truth: (N, Dy), what is known of these, NaN where nothing is; what the judge has wrong
                about them is taken from their copies too.
        """
        x = x.double()
        response = self.judge.predict(x).response.double()
        wrong = None if truth is None else truth.double() - response
        if truth is not None:
            response = torch.where(truth.isnan(), response, truth.double())
        nominal = torch.stack([
            targets[int(b) : int(b) + 1].error(y[None, None])[0, 0]
            for b, y in zip(owner, response, strict=True)
        ]) if len(x) else response.new_zeros(0)  # fmt: skip
        worst, shares = [], []
        step = max(1, _DESIGNS // len(self.made))
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            for i, (b, y, std, own) in enumerate(self._copies(x[rows], owner[rows]), start):
                if wrong is not None:
                    off = wrong[i, : y.shape[1]]  # of what was learnt; the rest follows from it
                    y, std = y + off.nan_to_num(0.0), torch.where(off.isnan(), std, _LEFT * std)
                one = self._one(y, std, own, targets[b : b + 1])
                worst.append(one[0])
                shares.append(one[1])
        if not len(x):
            return Robustness(*(nominal,) * 5)
        return judged_robustness(
            nominal, torch.stack(worst), torch.stack(shares), len(self.made)
        )  # fmt: skip

    def _copies(self, x: Tensor, owner: Tensor) -> list[tuple[int, Tensor, Tensor, Tensor]]:
        """Of each design its target, what is expected of its copies (S, Dy), the standard
        deviation around it, and the copies (S, Dx).
        """
        copies = self.made.of(x)
        mean, std = self._expected(copies.flatten(0, 1))
        parts = zip(
            owner.tolist(), mean.view(len(x), len(self.made), -1),
            std.view(len(x), len(self.made), -1), copies, strict=True,
        )  # fmt: skip
        return [*parts]

    @property
    def _own(self) -> FittedJudge:
        """The judge of responses that were learnt."""
        return self.judge.judge if isinstance(self.judge, DerivedJudge) else self.judge

    def _expected(self, x: Tensor) -> tuple[Tensor, Tensor]:
        verdict = self._own.predict(x)
        std = verdict.std
        if std is None and isinstance(self._own, Foresight):
            known = self._own.scenarios(x)
            std = torch.from_numpy(known.scale * _size(known))
        elif std is None:
            std = verdict.error / _NORMAL
        return verdict.response.double(), std.double()

    def _one(self, mean: Tensor, std: Tensor, x: Tensor, target: Targets) -> tuple[Tensor, Tensor]:
        """Of one design, for each draw, the worst copies' error and the share that is met: (D,)."""
        errors = self._drawn_errors(x, mean.shape[1])
        width = mean.shape[1] + (len(target.spread) - mean.shape[1])
        worst, share = [], []
        for part in errors.split(max(1, _NUMBERS // max(1, width * len(mean)))):
            y = mean + part[:, None] * std  # (d, S, Dy)
            if isinstance(self.judge, DerivedJudge):
                own = x.expand(len(y), *x.shape)
                y = torch.cat([y, self.judge.followers.values(own, y)], dim=2)
            y = self.made.measured(y)[None]
            worst.append(worst_mean(target.error(y))[0])
            share.append(target.met(y)[0].double().mean(dim=1))
        return torch.cat(worst), torch.cat(share)

    def _drawn_errors(self, x: Tensor, width: int) -> Tensor:
        """Errors (D, Dy) in units of the standard deviation, the same for all designs."""
        if width not in self._errors:
            self._errors[width] = self._draw(x, width)
        return self._errors[width]

    def _draw(self, x: Tensor, width: int) -> Tensor:
        if self.exactly:
            return torch.zeros(1, width, dtype=torch.float64)
        if isinstance(self._own, Foresight):
            known = self._own.scenarios(x[:1])
        else:
            zero = np.zeros((1, width))
            known = Scenarios.normal(zero, zero + 1.0, self.draws)
        residuals = np.where(np.isnan(known.residuals), 0.0, known.residuals)
        # Rows by their weights, evenly: as many draws as can stand for them
        share = (np.arange(self.draws) + 0.5) / self.draws
        rows = np.searchsorted(np.cumsum(known.weights), share).clip(0, len(residuals) - 1)
        return torch.from_numpy(residuals[rows] / _size(known))


def _size(known: Scenarios) -> np.ndarray:
    """Weighted root mean square of the errors (Dy,)."""
    squares = np.square(known.residuals)
    there = ~np.isnan(squares)
    weight = known.weights[:, None] * there
    mean = (weight * np.where(there, squares, 0.0)).sum(axis=0) / np.maximum(
        weight.sum(axis=0), np.finfo(np.float64).tiny
    )
    return np.where(mean > 0, np.sqrt(mean), 1.0)
