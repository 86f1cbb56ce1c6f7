"""Tasks: a forward system with the spaces of its designs and responses."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.base.seeding import generator
from invcore.base.types import Context
from invcore.configs.configurable import C, Configurable
from invcore.data.pairs import Pairs, Splits, joined
from invcore.spaces.space import Space

_SPECTRUM = 16  # responses of so many numbers are drawn as a curve
_ROWS = 1 << 16  # designs drawn at once, where few of them can be made
_DRAWS = 1 << 20  # after which some must have been found that can be made
_MOST = 1 << 30  # draws, if it goes on as it began
_TRIES = 20  # draws of a prior before a task counts as one that never responds


@dataclass(frozen=True)
class Modes:
    """The separate solutions of some targets, and which of them candidates belong to.

    Args:
        count: (B,), how many modes each target has.
        label: (B, K), which mode a candidate belongs to: 0 to count - 1, or -1 for none.
    """

    count: Tensor
    label: Tensor


class Task(Configurable[C]):
    """A forward system y = F(x).

    Set ``designs``, ``responses`` and ``differentiable`` on the class, or in a property.

    Example:
        >>> from invcore import Uniform, Variable
        >>> class Square(Task):
        ...     designs = Space.of(Variable(name="x", prior=Uniform(low=-1.0, high=1.0)))
        ...     responses = Space.of(Variable(name="y"))
        ...     def simulate(self, x, context=None):
        ...         return x**2
        >>> Square().simulate(torch.tensor([[0.5]]))
        tensor([[0.2500]])
    """

    if TYPE_CHECKING:  # attributes of the class, of the object, or properties: as a task likes

        @property
        def designs(self) -> Space:
            """Space of x; each variable has a prior."""

        @property
        def responses(self) -> Space:
            """Space of y."""

        @property
        def differentiable(self) -> bool:
            """Whether autograd can follow ``simulate``."""

        @property
        def context_shapes(self) -> Mapping[str, tuple[int, ...]]:
            """What is known of each problem beside its target: shapes of one problem's, by name."""

        @property
        def noise_floor(self) -> float:
            """The variance that ``observe`` adds: the error that a target's own design has."""
    else:
        designs: Space
        responses: Space
        differentiable: bool = True
        context_shapes: Mapping[str, tuple[int, ...]] = {}
        noise_floor: float = 0.0
    gradient_calls: ClassVar[int] = 1
    """How many simulator calls a gradient of one row counts as."""
    free_calls: ClassVar[bool] = False
    """Whether the simulator may be called freely, as a million times for a metric's reference.

    Else metrics make at most a tenth of the calls that judge a run, and methods that do not learn
    from pairs get a few alone.
    """
    stochastic: ClassVar[bool] = False
    """Whether a response is a draw, so that other designs, however near, have other noise.

    Methods that learn a distribution then leave out what a surrogate makes of pairs: it has none.
    """
    reference: ClassVar[str] = ""
    """The method that others are compared with, problem by problem; empty for none."""

    tolerances: ClassVar[Mapping[str, str]] = {}
    """How far made designs are off where nobody says otherwise: ``{"width": "±0.01"}``.

    The texts are those of ``invcore.spaces.tolerances``; ``*`` stands for all, ``response gap`` for
    a response.
    """

    @property
    def fingerprint(self) -> str:
        """A checksum of data that the task stands on and its config does not tell, if any.

        It is part of a run's identity: other data, other runs.
        """
        return ""

    @abstractmethod
    def simulate(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Compute responses.

        Args:
            x: designs (N, Dx); not to be written into.
            context: what is known of each row's problem; leading dimension N.

        Returns:
            Responses (N, Dy) of x's type and device; a row of NaN where there is no response.
        """

    def contexts(self, count: int, generator: torch.Generator) -> Context | None:
        """Draw what is known of ``count`` problems: the tensors of ``context_shapes``, float64.

        Returns:
            None where problems differ by their targets alone, which is the default.
        """
        return None

    def observe(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """What is measured of responses (N, Dy), and becomes the targets; the default is y itself.

        Noise is added here, never by ``simulate``, which gives the same response again.
        """
        return y

    def feasible(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Which designs (N, Dx) can be made: (N,), bool.

        The default is the space's bounds and constraints. A task overrides it for what a space
        cannot say; designs that cannot be made are neither simulated nor drawn.
        """
        return self.designs.contains(x)

    def residual(self, x: Tensor, context: Context | None = None) -> Tensor:
        """How far designs (N, Dx) are from what ``feasible`` allows in code: (N, R), at most zero
        where it does, differentiable.

        A task that overrides ``feasible`` may offer it; then candidates that cannot be made are
        moved to where it is at most zero, rather than rejected.
        """
        return x.new_zeros(len(x), 0)

    @property
    def constrained(self) -> bool:
        """Whether ``feasible`` is more than the bounds: the space has constraints, or the task its
        own.
        """
        return type(self).feasible is not Task.feasible or bool(self.designs.constraints)

    def pairs(self, count: int, generator: torch.Generator) -> Pairs:
        """Draw pairs from the prior, of designs that can be made; one without any response is drawn
        again. Some of a pair's responses may be unknown (NaN).

        Returns:
            ``count`` pairs, float64.

        Raises:
            DataError: the prior hardly ever gives a design that can be made, or has a response.
        """
        parts: list[Pairs] = []
        missing = count
        for _ in range(_TRIES):
            x, context = self._drawn(missing, generator)
            drawn = Pairs(x, self.simulate(x, context), context)
            parts.append(drawn[drawn.y.isfinite().any(dim=1)])
            missing -= len(parts[-1])
            if missing == 0:
                return joined(parts)
        raise DataError(
            f"task {type(self).__name__}: {missing} of {count} draws of the prior have no response "
            f"after {_TRIES} tries"
        )

    def _drawn(self, count: int, generator: torch.Generator) -> tuple[Tensor, Context | None]:
        """Designs of the prior that can be made, and contexts, drawn in excess as far as needed.

        Raises:
            DataError: hardly any design of the prior can be made.
        """
        if not self.constrained:
            return self.designs.sample(count, generator), self.contexts(count, generator)
        parts: list[Pairs] = []
        found, drawn = 0, 0
        while found < count or not parts:
            share = max(found, 1) / max(drawn, 1)  # of what was drawn so far
            size = min(math.ceil(1.2 * (count - found) / share), _ROWS) if drawn else count
            x, context = self.designs.sample(size, generator), self.contexts(size, generator)
            # What is drawn together is kept together; a pair needs a response, which comes later
            part = Pairs(x, torch.zeros(size, 0), context)[self.feasible(x, context)]
            parts.append(part[: count - found])
            found, drawn = found + len(parts[-1]), drawn + size
            hopeless = found == 0 or drawn * count / found > _MOST
            if drawn >= _DRAWS and found < count and hopeless:
                raise DataError(
                    f"task {type(self).__name__}: {found} of {drawn} designs of the prior can be "
                    f"made, and {count} are needed; give it a prior that fits its constraints"
                )
        every = joined(parts)
        return every.x, every.context

    def modes(self, targets: Tensor, designs: Tensor) -> Modes | None:
        """All separate solutions of each target, where a task knows how to find them for certain.

        The task says in its docstring what counts as one: a connected piece of the solution set,
        a local maximum of the posterior.

        Args:
            targets: (B, Dy).
            designs: (B, K, Dx), to be told which mode they belong to; how good they are is for
                the caller to judge.

        Returns:
            None where the task does not know.
        """
        return None

    def draw(
        self, axes: Any, target: Tensor, designs: Tensor, responses: Tensor,
        context: Context | None = None,
    ) -> bool:  # fmt: skip
        """Draw a target and its candidates, the way that people of the field look at them.

        The default draws responses of many numbers as spectra, and nothing else.

        Args:
            axes: of matplotlib, empty; the task needs no import of matplotlib.
            target: (Dy,).
            designs: (K, Dx), best first.
            responses: (K, Dy), NaN where there is none.
            context: what is known of the problem; leading dimension 1.

        Returns:
            Whether something was drawn.
        """
        if self.responses.dim < _SPECTRUM:
            return False
        axes.plot(responses.T.numpy(), color="tab:blue", alpha=0.4, linewidth=1)
        axes.plot(target.numpy(), color="black", linewidth=1.5, label="wanted")
        axes.set_xlabel("response's number")
        axes.legend()
        return True

    def dataset(self, pairs: int, targets: int, seed: int) -> Splits:
        """The data of one run: pairs for training and validation (80/20), and test targets.

        A task that owns a table overrides this to split the table.

        Args:
            pairs: how many pairs a method may learn from.
            targets: how many test pairs, whose responses become the targets.
            seed: decides the draw.
        """
        data = self.pairs(pairs, generator(seed, "pairs"))
        train, val = data.split(0.8, generator=generator(seed, "split"))
        test = self._whole_pairs(targets, generator(seed, "test"))
        measured = self.observe(test.y, generator(seed, "measured"))
        return Splits(train, val, Pairs(test.x, measured, test.context))

    def _whole_pairs(self, count: int, generator: torch.Generator) -> Pairs:
        """Pairs all of whose responses are known, as targets need them.

        Raises:
            DataError: hardly any pair is of that kind.
        """
        parts = [self.pairs(count, generator).whole()]
        for _ in range(_TRIES):
            missing = count - sum(len(part) for part in parts)
            if missing == 0:
                return joined(parts)
            parts.append(self.pairs(missing, generator).whole())
        raise DataError(
            f"task {type(self).__name__}: hardly any draw of the prior has all responses, so that "
            f"there are no {count} targets"
        )
