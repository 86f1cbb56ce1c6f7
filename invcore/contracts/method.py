"""Inverse methods: fitting gives a model, and a model proposes candidates for targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Flag, auto
from typing import ClassVar

from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.base.types import Context, Files
from invcore.configs.configurable import C, Configurable
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.problem import Problem, Targets
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs


class Needs(Flag):
    """What a method must be given beside the targets."""

    PAIRS = auto()
    """Pairs to learn from."""
    SIMULATOR = auto()
    """The simulator, when it proposes."""
    GRADIENT = auto()
    """The simulator's gradient too."""


class Answers(Flag):
    """What targets a model takes, beside exact responses, which all take.

    Of those that it does not take, the pipeline makes such as it takes: levels of goals, which a
    bit more than the best known pairs reach, and exact responses drawn from the intervals.
    """

    EXACT = 0
    """Exact responses alone."""
    INTERVALS = auto()
    """Intervals to meet: it follows ``Targets.violation``."""
    GOALS = auto()
    """What is to be minimised or maximised too."""
    PARTIAL = auto()
    """Exact responses of some alone, where the others may have any value."""


class InverseModel(ABC):
    """A fitted method. Its answers depend on the targets and points alone."""

    answers: Answers = Answers.EXACT
    """What targets it takes as they are."""

    point_dim: int
    """L: how many numbers of the unit cube drive one candidate."""
    ranked: bool = False
    """Whether candidates come best first by the model's own judgement."""
    joint: bool = False
    """Whether it works on all targets as one: a target's candidates depend on the others asked for
    with it, and all are given at once."""

    @abstractmethod
    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Propose K candidates for each target, all targets at once.

        Args:
            targets: B of them.
            points: (B, K, point_dim) in the open unit cube: the only source of randomness.
            simulator: given to methods that need one.
            env: progress, and what to keep; ``env.seeds(targets, points)`` for libraries that draw
                samples by themselves. Its generators are the same in every run.

        Raises:
            ShapeError: sizes do not match; ``check_sizes`` does that.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Tensors from which ``InverseMethod.restore`` rebuilds this model, bit for bit."""

    def files(self) -> Files:
        """What else ``InverseMethod.restore`` needs: the contents of files by name, never code.

        They are for models of other libraries, in these libraries' own formats; by default there
        are none.
        """
        return {}

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, for designs in their own units, where the model has a density.

        Args:
            targets: B of them.
            designs: (B, Dx), one for each target.

        Returns:
            (B,), float64; None for a model without a density, which is the default.
        """
        return None

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor | None:
        """How the responses that the model expects change with designs, in their own units.

        Refinement steps by it; without one, a surrogate is fitted to the pairs.

        Args:
            designs: (N, Dx).
            context: what is known of each one's problem.

        Returns:
            (N, Dy, Dx), 0 for categories; None for a model that has no forward model to
            differentiate, which is the default.
        """
        return None

    def check_sizes(self, targets: Targets, points: Tensor, responses: int) -> None:
        """Check what ``propose`` was given.

        Raises:
            ShapeError: targets are not (B, ``responses``) or points not (B, K, ``point_dim``).
        """
        if targets.low.ndim != 2 or targets.low.shape[1] != responses:
            shape = tuple(targets.low.shape)
            raise ShapeError(f"targets: expected (B, {responses}), got {shape}")
        if points.ndim != 3 or len(points) != len(targets) or points.shape[2] != self.point_dim:
            raise ShapeError(
                f"points: expected ({len(targets)}, K, {self.point_dim}), got {tuple(points.shape)}"
            )


class InverseMethod(Configurable[C]):
    """A way to answer targets: ``fit`` returns the fitted model, ``restore`` brings one back."""

    needs: ClassVar[Needs] = Needs.PAIRS
    answers: ClassVar[Answers] = Answers.EXACT
    """What targets its models take as they are, for people who ask before there is a model; each
    model says it of itself."""
    uses_context: ClassVar[bool] = False
    """Whether it makes use of what is known of each problem; one that does not is not asked where
    there is such."""
    trains: ClassVar[bool] = True
    """Whether it trains networks: torch is then made ready for that before the fit is timed, which
    takes seconds once a process."""
    uses_partial: ClassVar[bool] = False
    """Whether it learns from pairs some of whose responses are unknown (NaN) too; to others such
    pairs are not given."""

    @abstractmethod
    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> InverseModel:
        """Learn from pairs.

        Args:
            problem: the spaces.
            train: (N, Dx) and (N, Dy), in the task's own units.
            val: more pairs, to choose a checkpoint with. The test split is never seen here.
            env: device, seeds, progress.
        """

    @abstractmethod
    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> InverseModel:
        """Rebuild the model that ``state`` came from, on the device of its tensors.

        Args:
            problem: that it was fitted to.
            state: of the model.
            files: of the model, as it gave them.
        """
