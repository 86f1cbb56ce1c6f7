"""A judge of derived responses beside those that another judge has learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import FittedJudge, Targets, Verdict
from invcore_solve.derived.follow import Followers
from invcore_solve.judging.probability.scenarios import Foresight, Scenarios
from invcore_solve.judging.probability.targets import chance

Numbers = npt.NDArray[np.float64]

_NORMAL = 1.6448536269514722  # half-width of a normal's 90%, in standard deviations


@dataclass(frozen=True)
class DerivedJudge(FittedJudge):
    """Responses as a judge expects them, and what follows from them with the errors carried on.

    What follows from designs alone is exact. Of what follows from responses, the error is that of
    the responses times the derivative, with their errors' correlation; its probability is taken
    over the same errors of held-out rows as theirs, so that it is joint.

    Args:
        judge: of the responses that were learnt.
        followers: what follows from them.
    """

    judge: FittedJudge
    followers: Followers

    def predict(self, x: Tensor, level: float | None = None) -> Verdict:
        """What to expect of designs (N, Dx), derived responses last."""
        own = self.judge.predict(x) if level is None else self.judge.predict(x, level)
        y = own.response.double()
        slopes = self.followers.slopes(x.double(), y)  # (N, D', Dy)
        related = self._correlation(x, y.shape[1])

        def carried(error: Tensor) -> Tensor:
            steps = slopes * error.double()[:, None]
            square = torch.einsum("ndi,ij,ndj->nd", steps, related, steps)
            return torch.cat([error, square.clamp(min=0.0).sqrt().to(error)], dim=1)

        further = self.followers.values(x.double(), y)
        return Verdict(
            torch.cat([own.response, further.to(own.response)], dim=1), carried(own.error),
            None if own.std is None else carried(own.std),
        )  # fmt: skip

    def scenarios(self, x: Tensor) -> Scenarios:
        """What the responses that were learnt may be (N, Dy), without those that follow."""
        if isinstance(self.judge, Foresight):
            return self.judge.scenarios(x)
        verdict = self.judge.predict(x)
        std = verdict.error / _NORMAL if verdict.std is None else verdict.std
        return Scenarios.normal(verdict.response.double().numpy(), std.double().numpy())

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The probability (B, K) that designs (B, K, Dx) meet all that is wanted, jointly."""
        rows = x.flatten(0, 1).double()

        def further(y: Numbers, part: slice) -> Numbers:
            many = torch.from_numpy(y)  # (n, R, Dy)
            own = rows[part][:, None].expand(*many.shape[:2], rows.shape[1])
            return self.followers.values(own, many).numpy()

        return chance(self.scenarios(rows), targets, x.shape[1], further)

    def state(self) -> dict[str, Tensor]:
        """That of the judge: what follows is not learnt."""
        return self.judge.state()

    def _correlation(self, x: Tensor, count: int) -> Tensor:
        """Of the errors of the responses (Dy, Dy)."""
        if count == 1 or not isinstance(self.judge, Foresight):
            return torch.eye(count, dtype=torch.float64)
        residuals = self.judge.scenarios(x[:1]).residuals
        whole = residuals[~np.isnan(residuals).any(axis=1)]
        square = whole.T @ whole / max(1, len(whole))
        size = np.sqrt(np.diag(square))
        related = square / np.maximum(np.outer(size, size), np.finfo(np.float64).tiny)
        return torch.from_numpy(np.where(np.eye(count, dtype=bool), 1.0, related))
