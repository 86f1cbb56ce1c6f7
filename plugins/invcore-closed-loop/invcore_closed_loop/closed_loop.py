"""The loop ``closed-loop``."""

from __future__ import annotations

from torch import Tensor

from invcore.plugin import Answers, FitEnvironment, Loop, Pairs, Problem, Targets
from invcore_closed_loop.config import ClosedLoopConfig
from invcore_closed_loop.started import StartedClosedLoop


class ClosedLoop(Loop[ClosedLoopConfig]):
    """The fewest calls: a surrogate of all rows, expected improvement, and a polish.

    All targets share all rows, and one surrogate. After some rows that fill the space, each target
    without an answer asks for the design whose error is expected to improve the most, by the
    surrogate of the whole space or by one of its neighbourhood, whichever has gained more; where an
    error is small, Broyden's steps find the last digits.

    Settings are set by ``--set``: ``invcore solve --simulator … --method closed-loop --set
    calls=40``, ``invcore campaign new … --set calls=40``, ``invcore run --method closed-loop
    --set method.calls=40``. With a budget, and in a campaign, calls are limited only if that is
    said.

    References:
        Jones, Schonlau, Welch, Efficient global optimization of expensive black-box functions,
        Journal of Global Optimization 13, 1998, https://doi.org/10.1023/A:1008306431147.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "closed-loop", "targets": 2}
        >>> run(RunConfig.resolve(settings, preset="quick")).status
        'ok'
    """

    Config = ClosedLoopConfig
    answers = Answers.INTERVALS | Answers.GOALS
    uses_context = True
    joint = True

    def numbers(self, problem: Problem) -> int:
        """Few: all targets are searched for together."""
        return 1

    def start(
        self, problem: Problem, targets: Targets, pairs: Pairs, points: Tensor,
        env: FitEnvironment, *, variance: Tensor | None = None,
    ) -> StartedClosedLoop:  # fmt: skip
        """Begin with what is known, and rows that fill the space."""
        started = StartedClosedLoop(self.config, problem, targets, points, variance)
        started.know(pairs)
        return started

    def restore(
        self, problem: Problem, state: dict[str, Tensor], env: FitEnvironment
    ) -> StartedClosedLoop:
        """Go on where it was."""
        return StartedClosedLoop.restored(self.config, problem, state)
