"""The loop ``random-search``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.numerics import scattered
from invcore.plugin import Answers, FitEnvironment, Loop, Pairs, Problem, Targets
from invcore.search import PointLoop, stored_targets
from invcore_optimisers.loops.config import RandomSearchConfig


class RandomSearch(Loop[RandomSearchConfig]):
    """Simulate designs of the prior, and keep the best: what any other search has to beat.

    Each candidate has its own ``tries`` designs, which the digits of its point decide; its point's
    design is the first.

    References:
        Bergstra, Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012,
        https://jmlr.org/papers/v13/bergstra12a.html.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "random-search", "targets": 2}
        >>> run(RunConfig.resolve(settings, preset="quick")).status
        'ok'
    """

    Config = RandomSearchConfig
    answers = Answers.INTERVALS | Answers.GOALS
    uses_context = True

    def numbers(self, problem: Problem) -> int:
        """Of the best designs so far."""
        return 4 * (problem.designs.dim + 1)

    def start(
        self, problem: Problem, targets: Targets, pairs: Pairs, points: Tensor,
        env: FitEnvironment, *, variance: Tensor | None = None,
    ) -> StartedRandomSearch:  # fmt: skip
        """Begin with the points' own designs."""
        started = StartedRandomSearch(self.config, problem, targets, points)
        started.know(pairs)
        return started

    def restore(
        self, problem: Problem, state: dict[str, Tensor], env: FitEnvironment
    ) -> StartedRandomSearch:
        """Go on with the try that is next."""
        started = StartedRandomSearch(self.config, problem, stored_targets(state), state["points"])
        started.resume(state)
        started.place, started.end = (int(value) for value in state["own.places"])
        return started


class StartedRandomSearch(PointLoop):
    """How many designs of all searches were asked for: the tries of all, one after another."""

    def __init__(
        self, config: RandomSearchConfig, problem: Problem, targets: Targets, points: Tensor
    ) -> None:
        super().__init__(problem, targets, points)
        self._config, self._flat = config, self.points.flatten(0, 1)
        self.place, self.end = 0, config.tries * len(self._flat)

    def further(self, count: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """The next tries, of all searches in turn."""
        size, place = max(1, len(self._flat)), self.place
        if count is None:
            # Twice as many each time, so that the history shows the way to the best
            first = place // size
            most = max(1, self._config.rows_at_once // size)
            count = size * max(1, min(first, most)) - place % size
        behind = min(place + count, self.end)
        numbers = torch.arange(place, behind)
        tries = scattered(self._flat, place // size, max(place, behind - 1) // size + 1)
        units = tries.flatten(0, 1)[place % size :][: len(numbers)]
        self.place = behind
        return numbers % size, numbers, self.problem.designs.from_unit(units)

    def learn(self, row: Tensor, tag: Tensor, asked: Tensor, made: Tensor, error: Tensor) -> None:
        """Nothing: the next designs do not depend on it."""

    def begin_again(self) -> None:
        """As many tries again."""
        self.end = self.place + self._config.tries * len(self._flat)

    def tensors(self) -> dict[str, Tensor]:
        """How many tries there were, and are to be."""
        return {"places": torch.tensor([self.place, self.end])}

    def finished(self) -> Tensor:
        """All targets at once, when all tries were asked for and told."""
        done = self.place >= self.end and not len(self.pending())
        return torch.full((len(self.targets),), done)
