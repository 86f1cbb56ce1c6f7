"""The scaling that networks see: features and responses, normalised, in a box of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.base.types import Context
from invcore.data.pairs import Pairs, flat
from invcore.spaces.space import Space


@dataclass(frozen=True)
class Normaliser:
    """Shift and scale of columns.

    Args:
        centre: (D,).
        scale: (D,), positive.

    Example:
        >>> normaliser = Normaliser.standard(torch.tensor([[0.0], [2.0]]))
        >>> normaliser(torch.tensor([[1.0]]))
        tensor([[0.]])
    """

    centre: Tensor
    scale: Tensor

    @classmethod
    def standard(cls, values: Tensor) -> Normaliser:
        """To mean zero and standard deviation one; a constant column keeps its scale."""
        centre, scale = values.mean(dim=0), values.std(dim=0, unbiased=False)
        constant = (values == values[0]).all(dim=0)  # the deviation may be a rounding error
        return cls(torch.where(constant, values[0], centre), torch.where(constant, 1.0, scale))

    @classmethod
    def pooled(cls, values: Tensor) -> Normaliser:
        """To mean zero and standard deviation one over all columns (N, D) together."""
        whole = cls.standard(values.reshape(-1, 1))
        return cls(*(part.repeat(values.shape[1]) for part in (whole.centre, whole.scale)))

    def __call__(self, values: Tensor) -> Tensor:
        """From the columns' own units to normalised ones."""
        return (values - self.centre.to(values)) / self.scale.to(values)

    def inverse(self, values: Tensor) -> Tensor:
        """Back to the columns' own units."""
        return values * self.scale.to(values) + self.centre.to(values)


@dataclass(frozen=True)
class Scaling:
    """How a network sees designs and responses: features, normalised, in a box of the data.

    What is known of a problem stands beside its design, in C further columns of a network's inputs,
    and beside its target, where a network is asked for designs.

    Args:
        designs: the designs' space, cut to the box that the training designs span.
        x: normaliser of features (F,).
        y: normaliser of responses (Dy,).
        context: normaliser of what is known (C,); None where nothing is.
    """

    designs: Space
    x: Normaliser
    y: Normaliser
    context: Normaliser | None = None

    @classmethod
    def fit(cls, designs: Space, train: Pairs) -> Scaling:
        """From the training pairs: outside their box a network only guesses."""
        box = designs.bounded(train.x.amin(0), train.x.amax(0))
        x, y = train.x.double(), train.y.double()
        # Pixels share a scale, so that images can be shifted
        scale = Normaliser.standard if designs.grid is None else Normaliser.pooled
        columns = flat(train.context, len(train)).double()
        context = Normaliser.standard(columns) if columns.shape[1] else None
        return cls(box, scale(designs.encode(x)), Normaliser.standard(y), context)

    @property
    def columns(self) -> int:
        """C, how many numbers are known of each problem."""
        return 0 if self.context is None else len(self.context.centre)

    @property
    def inputs(self) -> int:
        """F + C, what a forward network sees."""
        return self.designs.features + self.columns

    @property
    def conditions(self) -> int:
        """Dy + C, what a network sees that is asked for designs."""
        return len(self.y.centre) + self.columns

    def context_features(self, context: Context | None, count: int) -> Tensor:
        """What is known of ``count`` problems, normalised (count, C), float32.

        Raises:
            ShapeError: another number of columns than the training pairs had.
        """
        columns = flat(context, count).double()
        if columns.shape[1] != self.columns:
            raise ShapeError(
                f"context: expected {self.columns} numbers a problem, got {columns.shape[1]}"
            )
        return columns.float() if self.context is None else self.context(columns).float()

    def target_features(self, y: Tensor, context: Context | None) -> Tensor:
        """Targets (B, Dy) and what is known of them as networks see them: (B, Dy + C), float32."""
        return torch.cat(
            [self.y(y.double()).float(), self.context_features(context, len(y)).to(y.device)], 1
        )

    def parts(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """A forward network's inputs (…, F + C) as features (…, F) and context features (…, C)."""
        return inputs[..., : self.designs.features], inputs[..., self.designs.features :]

    def turned(self, pairs: Pairs) -> Pairs:
        """Scaled pairs for a network that goes from responses to designs: features (N, F), and
        responses with context features (N, Dy + C).
        """
        features, context_features = self.parts(pairs.x)
        return Pairs(features, torch.cat([pairs.y, context_features], dim=1))

    def encode(self, values: Tensor) -> Tensor:
        """Designs (…, Dx) to normalised features (…, F), float32."""
        return self.x(self.designs.encode(values.double())).float()

    def pairs(self, pairs: Pairs) -> Pairs:
        """Pairs as networks see them: inputs (N, F + C) and responses, scaled, float32."""
        x = torch.cat(
            [self.encode(pairs.x), self.context_features(pairs.context, len(pairs))], dim=1
        )
        return Pairs(x, self.y(pairs.y.double()).float())

    def decode(self, features: Tensor, *, inside: bool = True) -> Tensor:
        """Normalised features (…, F) to designs (…, Dx), float64.

        Args:
            features: normalised.
            inside: move designs to the nearest allowed ones in the box; off: round alone.
        """
        values = self.designs.decode(self.x.inverse(features.double()))
        return self.designs.project(values) if inside else self.designs.rounded(values)

    def snap(self, features: Tensor, *, inside: bool = True) -> Tensor:
        """The normalised features of the nearest allowed designs, or of the rounded ones."""
        return self.encode(self.decode(features, inside=inside))

    def dequantise(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Normalised features (N, F) with noise on whole numbers and categories, none on others.

        A density of values that come in steps is infinite at each; noise that rounding takes away
        again makes it finite: uniform within half a step of a whole number, and of the same size
        on the columns of a category, whose largest one ``decode`` takes.

        References:
            Uria, Murray, Larochelle, NeurIPS 2013, https://arxiv.org/abs/1306.0186.
        """
        free = self.movable()[1].to(features.device)
        if bool(free.all()):
            return features
        noise = torch.rand(features.shape, generator=generator).to(features) - 0.5
        return features + torch.where(free, 0.0, noise / self.x.scale.to(features))

    def box(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of the normalised features: two (F,), float32."""
        columns = torch.tensor(self.designs.feature_columns)
        low, high = self.designs.low[columns].clone(), self.designs.high[columns].clone()
        one_hot = self.mask(lambda i: bool(self.designs.variables[i].categories))
        low[one_hot], high[one_hot] = 0.0, 1.0
        return self.x(low).float().to(device), self.x(high).float().to(device)

    def movable(self) -> tuple[Tensor, Tensor]:
        """Which features a gradient may move (F,): at first (not categories), and once whole
        numbers have been rounded (continuous ones alone).
        """
        variables = self.designs.variables
        return (
            self.mask(lambda i: not variables[i].categories),
            self.mask(lambda i: not variables[i].whole),
        )

    def mask(self, keep: Callable[[int], bool]) -> Tensor:
        """The features (F,), bool, whose variable's position satisfies ``keep``."""
        return torch.tensor([keep(i) for i in self.designs.feature_columns])

    def state(self) -> dict[str, Tensor]:
        """Tensors to store; ``restore`` gives the scaling back."""
        state = {
            "x_centre": self.x.centre, "x_scale": self.x.scale,
            "y_centre": self.y.centre, "y_scale": self.y.scale,
            "low": self.designs.low, "high": self.designs.high,
        }  # fmt: skip
        if self.context is not None:
            state |= {"context_centre": self.context.centre, "context_scale": self.context.scale}
        return state

    @classmethod
    def restore(cls, designs: Space, state: dict[str, Tensor]) -> Scaling:
        """The scaling that ``state`` came from."""
        centre = state.get("context_centre")
        return cls(
            designs.bounded(state["low"], state["high"]),
            Normaliser(state["x_centre"], state["x_scale"]),
            Normaliser(state["y_centre"], state["y_scale"]),
            None if centre is None else Normaliser(centre, state["context_scale"]),
        )
