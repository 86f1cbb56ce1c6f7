"""What the tasks of this plugin share: noise that designs decide, and the ten observations."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import field_validator
from torch import Tensor

from invcore.numerics import in_chunks
from invcore.plugin import Config, Field, Pairs, ShapeError, Splits, Task
from invcore_sbibm.noise import uniforms
from invcore_sbibm.reference_files import OBSERVATIONS, observation, observations_checksum

_ROWS = 8192


class ObservationsConfig(Config):
    """Which targets a run has."""

    observations: tuple[int, ...] = Field(
        (),
        description="Which of the benchmark's ten observations are the targets, in that order, by "
        "their numbers; they are read from the package sbibm. None: targets are drawn, as pairs "
        "are.",
    )

    @field_validator("observations")
    @classmethod
    def _numbers(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= number <= OBSERVATIONS for number in value):
            raise ValueError(f"observations have the numbers 1 to {OBSERVATIONS}")
        if len(set(value)) != len(value):
            raise ValueError("an observation is named twice")
        return value


class StochasticTask(Task[ObservationsConfig]):
    """A task whose responses are draws of p(y | x), as the benchmark has them.

    A design's draw is its own: it is the same whenever the design is simulated
    (``invcore_sbibm.noise``). Derivatives of such a response say nothing.

    References:
        Lueckmann, Boelts, Greenberg, Gonçalves, Macke, *Benchmarking simulation-based inference*,
        AISTATS 2021, https://arxiv.org/abs/2101.04653, appendix T
    """

    Config = ObservationsConfig
    differentiable = False
    stochastic = True
    free_calls = True
    folder: ClassVar[str]
    """Where the package sbibm keeps the task's files."""
    observation_file: ClassVar[str] = "observation.csv"
    randoms: ClassVar[int]
    """How many uniform random numbers a response takes."""

    @abstractmethod
    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, Dy) of designs (N, Dx) and uniform random numbers (N, randoms), all
        float64.
        """

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Draw a response (N, Dy) of each design (N, Dx): the same for the same design.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return in_chunks(self._rows, _ROWS, x.detach().double()).to(x.dtype)

    def _rows(self, x: Tensor) -> Tensor:
        finite = x.isfinite().all(dim=1, keepdim=True)
        inner = torch.where(finite, x, 0.5)
        y = self.respond(inner, uniforms(inner, self.randoms))
        return torch.where(finite & y.isfinite(), y, torch.nan)

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        """Pairs and targets of a run: the observations that are asked for, or else drawn ones.

        Raises:
            DataError: the observations cannot be read.
        """
        numbers = self.config.observations
        drawn = super().dataset(pairs, 1 if numbers else targets, seed)
        if not numbers:
            return drawn
        parts = [self.observed(number) for number in numbers[:targets]]
        test = Pairs(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]))
        return Splits(drawn.train, drawn.val, test)

    def observed(self, number: int) -> Pairs:
        """An observation y (1, Dy) of the benchmark, and the design x (1, Dx) behind it.

        Raises:
            DataError: it cannot be read.
        """
        x, y = observation(self.folder, number, self.observation_file)
        try:
            self.designs.check(x)
            self.responses.check(y, "the observation")
        except ShapeError as error:
            raise ShapeError(f"observation {number} of sbibm's {self.folder}: {error}") from None
        return Pairs(x, y)

    @property
    def fingerprint(self) -> str:
        """Checksum of the observations that are the targets; empty without any."""
        numbers = self.config.observations
        return observations_checksum(self.folder, numbers, self.observation_file) if numbers else ""
