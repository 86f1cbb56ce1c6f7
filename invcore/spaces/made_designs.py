"""Made designs: nominal ones with the deviations that their tolerances allow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.seeding import derive
from invcore.spaces.space import Space
from invcore.spaces.tolerances import Tolerance, Tolerances

_EDGE = 2.0**-33  # a share of zero or one would be an infinite deviation


@dataclass(frozen=True)
class MadeDesigns:
    """What S made copies of any design deviate by: the same draws for all designs.

    Draws are scrambled Sobol points, so that S copies tell a yield more sharply than S independent
    ones would, and differences between designs more sharply still. What is made is what it is: it
    may lie outside the bounds, between the levels, and violate constraints. Variables that take
    whole numbers stay whole.

    Args:
        design: (S, Dx), deviations, in units of each tolerance's size; zero without one.
        response: (S, Dy), likewise of responses.
        size: (Dx,), sizes of the tolerances; zero without one.
        share: (Dx,), bool, which of them are shares of the nominal value.
        noise: (Dy,), sizes of the responses' tolerances.
        noise_share: (Dy,), bool, which of them are shares of the response.
        whole: (Dx,), bool, which variables take whole numbers alone.

    Example:
        >>> from invcore import Uniform, Variable
        >>> width = Space.of(Variable(name="width", prior=Uniform(low=0, high=1)))
        >>> tolerances = Tolerances.of_texts(["width=±0.01"], width, Space.of(Variable(name="y")))
        >>> made = MadeDesigns.draw(tolerances, width, Space.of(Variable(name="y")), 64, seed=0)
        >>> copies = made.of(torch.tensor([[0.5], [0.7]]))
        >>> copies.shape, bool(((copies - torch.tensor([[[0.5]], [[0.7]]])).abs() <= 0.01).all())
        (torch.Size([2, 64, 1]), True)
    """

    design: Tensor
    response: Tensor
    size: Tensor
    share: Tensor
    noise: Tensor
    noise_share: Tensor
    whole: Tensor

    @classmethod
    def draw(
        cls, tolerances: Tolerances, designs: Space, responses: Space, count: int, *, seed: int
    ) -> MadeDesigns:
        """Deviations of ``count`` copies.

        Args:
            tolerances: of the spaces' variables.
            designs: space of x.
            responses: space of y.
            count: S; a power of two fills the space best.
            seed: decides the draw.
        """
        own, noise = tolerances.designs, tolerances.responses
        width = max(1, len(own) + len(noise))
        engine = torch.quasirandom.SobolEngine(
            width, scramble=True, seed=derive(seed, "made designs") % 2**31
        )
        points = engine.draw(count, dtype=torch.float64).clamp(_EDGE, 1 - _EDGE)
        scores = torch.special.ndtri(points[:, : len(own)])
        scores = scores @ _root(torch.from_numpy(tolerances.matrix)).T
        shares = torch.cat([_share_below(scores), points[:, len(own) :]], dim=1)
        design = torch.zeros(count, designs.dim, dtype=torch.float64)
        for i, tolerance in enumerate(own):
            design[:, designs.names.index(tolerance.variable)] = _deviation(tolerance, shares[:, i])
        response = torch.zeros(count, responses.dim, dtype=torch.float64)
        for i, tolerance in enumerate(noise, start=len(own)):
            place = responses.names.index(tolerance.variable)
            response[:, place] = _deviation(tolerance, shares[:, i])
        return cls(
            design, response, *_sizes(own, designs), *_sizes(noise, responses), designs.whole
        )

    def __len__(self) -> int:
        return len(self.design)

    def of(self, x: Tensor) -> Tensor:
        """The copies (…, S, Dx) of nominal designs (…, Dx), float64."""
        x = x.double()[..., None, :]
        size = torch.where(self.share, self.size * x.abs(), self.size)
        made = x + self.design * size
        return torch.where(self.whole, made.round(), made)

    def measured(self, y: Tensor) -> Tensor:
        """What is measured (…, S, Dy) of the copies' responses (…, S, Dy)."""
        if not bool(self.noise.any()):
            return y
        size = torch.where(self.noise_share, self.noise * y.abs(), self.noise)
        return y + self.response * size

    def scaled(self, variable: int, factor: float) -> MadeDesigns:
        """The same copies with one variable's deviations ``factor`` times as large."""
        size = self.size.clone()
        size[variable] *= factor
        return self._with(size=size)

    def without_noise(self) -> MadeDesigns:
        """The same copies, whose responses are measured exactly."""
        return self._with(noise=torch.zeros_like(self.noise))

    @property
    def deviating(self) -> list[int]:
        """The variables of designs that have a tolerance, by their positions."""
        return self.size.nonzero()[:, 0].tolist()

    def _with(self, **changes: Tensor) -> MadeDesigns:
        return MadeDesigns(**{**vars(self), **changes})


def _sizes(tolerances: Iterable[Tolerance], space: Space) -> tuple[Tensor, Tensor]:
    size = torch.zeros(space.dim, dtype=torch.float64)
    share = torch.zeros(space.dim, dtype=torch.bool)
    for tolerance in tolerances:
        place = space.names.index(tolerance.variable)
        size[place], share[place] = tolerance.size, tolerance.relative
    return size, share


def _share_below(scores: Tensor) -> Tensor:
    """The standard normal's distribution function, kept off its ends."""
    return (0.5 * torch.special.erfc(-scores * math.sqrt(0.5))).clamp(_EDGE, 1 - _EDGE)


def _deviation(tolerance: Tolerance, share: Tensor) -> Tensor:
    """Of a share below (S,), in units of the tolerance's size."""
    return 2 * share - 1 if tolerance.kind == "uniform" else torch.special.ndtri(share)


def _root(matrix: Tensor) -> Tensor:
    """A square root of correlations (T, T), which may be singular."""
    values, vectors = torch.linalg.eigh(matrix)
    if torch.equal(matrix, torch.eye(len(matrix), dtype=matrix.dtype)):
        return matrix  # each variable keeps a Sobol dimension of its own
    return vectors * values.clamp(min=0).sqrt()
