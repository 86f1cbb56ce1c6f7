"""How many simulator calls a target takes until its error is small."""

import torch
from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric, UnfitError
from invcore.results import CALL_LEVELS, median

_ROUNDING = 1e-9  # of a level's logarithm


class CallsToConfig(Config):
    """Settings of ``calls-to``."""

    levels: tuple[float, ...] = Field(
        (1e-2, 1e-4, 1e-6, 1e-12),
        min_length=1,
        description="Parts of the responses' variance that the error is to fall to, from 1 to "
        "1e-16, or of one where wishes are answered; a level between two that are recorded counts "
        "as the lower one.",
    )
    quantile: float = Field(0.9, gt=0, lt=1, description="Of the targets, beside their median.")


class CallsTo(Metric[CallsToConfig]):
    """Simulator calls of a target until its error is at most a part of the responses' variance.

    The median over targets, a quantile, and the share of targets that get there; one that never
    does takes infinitely many. Counted are the calls that served a target: those of a search, then
    those that judge candidates, in their order. Of a method whose calls serve all targets, it is
    all calls until then, divided by the number of targets, and named ``shared-calls-to-…``: the two
    do not compare. Calls for training pairs are not in it.
    """

    Config = CallsToConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Three numbers a level, without intervals."""
        evaluation.need_errors()
        history = evaluation.history
        if history is None:
            raise UnfitError("the run has no history of its simulator calls")
        shared, targets = bool(history.shared > 0), history.reached.shape[1]
        calls = history.reached_of_all / targets if shared else history.reached
        estimates = []
        for level in dict.fromkeys(self.config.levels):
            row = _row(level)
            if row is None:
                continue
            name = f"{'shared-' if shared else ''}calls-to-{level:.0e}"
            own = calls[row]
            solved = float(own.isfinite().double().mean())
            tail = f"q{100 * self.config.quantile:g}"
            estimates += [
                Estimate(name, median(own)),
                Estimate(f"{name}-{tail}", _quantile(own, self.config.quantile)),
                Estimate(f"{name}-solved", solved, better="higher"),
            ]
        return estimates


def _row(level: float) -> int | None:
    """Which recorded level is the largest one that is at most this."""
    log = torch.tensor(level, dtype=torch.float64).log()
    lower = (CALL_LEVELS.log() <= log + _ROUNDING).nonzero()[:, 0]
    return int(lower[0]) if len(lower) else None


def _quantile(values: Tensor, share: float) -> float:
    """The smallest value that a share of all are at most; infinite values are the largest."""
    place = -(-share * len(values) // 1) - 1
    return float(values.sort().values[max(0, int(place))])
