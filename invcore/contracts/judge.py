"""Judges: who says how good designs are where there is no simulator to ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from invcore.configs.configurable import C, Configurable
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Splits


@dataclass(frozen=True)
class Verdict:
    """What a judge says of designs.

    Args:
        response: (N, Dy), expected, in the responses' own units.
        error: (N, Dy), how far the true response may be off at the level that was asked for.
        std: (N, Dy), standard deviation of the true response around it, without what measurements
            of it differ by; None where the judge has none.
    """

    response: Tensor
    error: Tensor
    std: Tensor | None = None


class FittedJudge(ABC):
    """A judge that has been fitted to a table."""

    @abstractmethod
    def predict(self, x: Tensor, level: float = 0.9) -> Verdict:
        """What to expect of designs.

        Args:
            x: (N, Dx).
            level: the share of true responses that the error shall cover.

        Raises:
            ConfigError: a level that the rows do not support.
        """

    @abstractmethod
    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The probability that each design meets its target.

        Of a response, the interval from ``low`` to ``high`` counts, wider by ``Targets.slack`` at
        both ends. Goals and what is ignored are met by any value, unless they have limits too.

        Args:
            x: (B, K, Dx).
            targets: B of them.

        Returns:
            (B, K), 0 to 1.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Tensors from which ``Judge.restore`` rebuilds it."""


class Judge(Configurable[C]):
    """Who judges designs on a table; it is fitted apart from the method that proposes them."""

    @abstractmethod
    def fit(self, problem: Problem, data: Splits, env: FitEnvironment) -> FittedJudge:
        """Learn from the rows of ``train`` and ``val``, and be calibrated on those of ``test``."""

    @abstractmethod
    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedJudge:
        """The fitted judge that ``state`` came from."""
