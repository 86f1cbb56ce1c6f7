"""The scaling that networks see: features and responses, normalised, in a box of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.base.types import Context
from invcore.data.embedding import MANY, described, embedded
from invcore.data.normaliser import Normaliser
from invcore.data.pairs import Pairs, flat
from invcore.data.planes import Planes
from invcore.spaces.space import Space

_RING = 0.5  # width of the ring that the noise makes of a circle, as a share of its radius
_SHEET = 0.2  # and of the sheet that it makes of a plane, in ranges of the variables
_OWN = "descriptors_"  # and a variable's position: what was learnt of many categories
NEAR = 3.0  # standard deviations: the least width of a box, where what is near it is asked for


@dataclass(frozen=True)
class Scaling:
    """How a network sees designs and responses: features, normalised, in a box of the data.

    What is known of a problem stands beside its design, in C further columns of a network's inputs,
    and beside its target, where a network is asked for designs.

    Args:
        designs: the designs' space, cut to the box that the training designs span; where a variable
            has many categories, with descriptors that are learnt from the training pairs.
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
        designs = embedded(designs, train)
        box = designs.bounded(train.x.amin(0), train.x.amax(0))
        x, y = train.x.double(), train.y.double()
        # Pixels share a scale, so that images can be shifted
        scale = Normaliser.standard if designs.grid is None else Normaliser.pooled
        features = scale(designs.encode(x))
        columns = flat(train.context, len(train)).double()
        context = Normaliser.standard(columns) if columns.shape[1] else None
        scaling = cls(box, features, Normaliser.standard(y), context)
        if features.varies is None:
            return scaling
        # A category that no training pair has stays one: else its designs would be of none
        categories = box.variables
        of_one = scaling.mask(lambda i: bool(categories[i].categories)).to(features.centre.device)
        return replace(scaling, x=features.freed(of_one))

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
        """Designs (…, Dx) to normalised features (…, F), float32.

        Of a design far outside the box a network says anything, and one such row would spoil a
        mean: what lies twice the box's width outside of it counts as lying there.
        """
        features = self.x(self.designs.encode(values.double()))
        low, high = (end.to(features) for end in self._ends)
        apart = 2 * (high - low).clamp(min=NEAR)
        return features.clamp(low - apart, high + apart).float()

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
        """Normalised features (N, F) with noise that ``decode`` takes away again.

        A density of values that come in steps is infinite at each, and so is one of values that
        lie on a circle or a plane. The noise makes it finite: uniform within half a step of whole
        numbers and levels, and of the same size on the columns of a category, whose largest one
        ``decode`` takes, or within what tells its descriptors from those of others; on the radius
        of a circle; and across the planes of linear equalities.
        Other features stay as they are.

        References:
            Uria, Murray, Larochelle, NeurIPS 2013, https://arxiv.org/abs/1306.0186.
        """
        steps, width = self._steps.to(features), features.shape[1]

        def even(columns: int) -> Tensor:
            shape = len(features), columns
            return torch.rand(shape, generator=generator).to(features) - 0.5

        if bool((steps > 0).any()):
            noise = even(width) * steps / self.x.scale.to(features)
            features = features + torch.where(steps > 0, noise, 0.0)
        room = self._room(features)
        if room is not None:
            features = features + 2 * even(width) * room
        if not self.designs.constraints:
            return features
        circles = self.mask(lambda i: self._forms[i] == "circle").to(features.device)
        if bool(circles.any()):
            radius = 1 + _RING * even(self.designs.dim)[:, list(self.designs.feature_columns)]
            scale, centre = self.x.scale.to(features), self.x.centre.to(features)
            wider = self.x.kept(((features * scale + centre) * radius - centre) / scale)
            features = torch.where(circles, wider, features)
        across = self.planes.across.to(features)
        return features + _SHEET * even(len(across)) @ across if len(across) else features

    def _room(self, features: Tensor) -> Tensor | None:
        """How far features (N, F) of described categories may be off; None where none is."""
        if "descriptors" not in self._forms:
            return None
        own = self.designs.variable_features
        parts = self.x.inverse(features.double().cpu()).split([one.width for one in own], dim=1)
        room = [torch.zeros_like(part) for part in parts]
        for i, one in enumerate(own):
            if one.table is not None:
                room[i] += one.table.room[one.decode(parts[i]).long()][:, None]
        return (torch.cat(room, dim=1) / self.x.scale.double().cpu()).to(features)

    @cached_property
    def planes(self) -> Planes:
        """The linear equalities, as planes of the normalised features."""
        designs, columns = self.designs, torch.tensor(self.designs.feature_columns)
        if not designs.constraints:
            return Planes.none(len(columns))
        numbers = torch.tensor([form == "number" for form in self._forms]) | designs.fixed
        layout = designs.layout
        whole = [not bool((row[~numbers] != 0).any()) for row in layout.matrix]
        matrix, value = layout.matrix[whole][:, columns], layout.value[whole]
        centre, scale = self.x.centre.double().cpu(), self.x.scale.double().cpu()
        moves = ~designs.fixed[columns]
        if self.x.varies is not None:
            moves &= self.x.varies.cpu()
        width = layout.width[columns] / scale
        at = torch.where(matrix == 0, 0.0, matrix * centre)
        return Planes.of(matrix * scale * moves, value - at.sum(1), width)

    @cached_property
    def _forms(self) -> list[str]:
        """How networks see each variable (Dx,)."""
        return [own.form for own in self.designs.variable_features]

    @cached_property
    def _steps(self) -> Tensor:
        """The step between values of each feature (F,), float64; 0 for continuous ones."""
        designs = self.designs
        steps = designs.whole.double()
        levels = designs.layout.levels if designs.constraints else {}
        for i, values in levels.items():
            own = designs.variable_features[i]
            if own.form not in ("one-hot", "descriptors"):
                steps[i] = own.encode(values)[:, 0].diff().min() if len(values) > 1 else 0.0
        none = [form in ("circle", "descriptors") for form in self._forms]
        steps[torch.tensor(none)] = 0.0
        return steps[list(designs.feature_columns)]

    def box(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of the normalised features: two (F,), float32.

        A feature that did not vary in the training pairs stays where it was.
        """
        low, high = self._ends
        return low.float().to(device), high.float().to(device)

    @cached_property
    def _ends(self) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of the normalised features: two (F,), float64."""
        columns = list(self.designs.feature_columns)
        ends = torch.tensor([own.ends for own in self.designs.variable_features]).double()
        low, high = ends[columns].unbind(1)
        return self.x(low), self.x(high)

    def movable(self) -> tuple[Tensor, Tensor]:
        """Which features a gradient may move (F,): at first (no categories, no fixed values), and
        once what comes in steps has been rounded (continuous ones alone). None that did not vary in
        the training pairs: a network knows nothing of its ways.
        """
        variables, fixed = self.designs.variables, self.designs.fixed.tolist()
        first = self.mask(lambda i: not variables[i].categories and not fixed[i])
        masks = first, self._continuous
        if self.x.varies is None:
            return masks
        return masks[0] & self.x.varies.cpu(), masks[1] & self.x.varies.cpu()

    @property
    def _continuous(self) -> Tensor:
        """The features (F,) of variables that do not come in steps."""
        designs = self.designs
        stepped = set(designs.whole.nonzero()[:, 0].tolist())
        if designs.constraints:
            stepped |= set(designs.layout.levels)
            stepped |= {i for where, _ in designs.layout.lists for i in where.tolist()}
        return self.mask(lambda i: i not in stepped)

    def log_slopes(self, values: Tensor) -> Tensor | None:
        """Log of the volume of features for one of designs, at designs (N, Dx): (N,), float64.

        Added to a log density of features, it makes one of designs.

        Returns:
            None where designs have no density: with categories, and with constraints.
        """
        designs = self.designs
        if designs.constraints or any(variable.categories for variable in designs.variables):
            return None
        slopes = -self.x.scale.cpu().double().log().sum()
        for i, form in enumerate(self._forms):
            if form == "logarithm":
                slopes = slopes - values[:, i].double().cpu().log()
        return slopes.expand(len(values))

    def mask(self, keep: Callable[[int], bool]) -> Tensor:
        """The features (F,), bool, whose variable's position satisfies ``keep``."""
        return torch.tensor([keep(i) for i in self.designs.feature_columns])

    def state(self) -> dict[str, Tensor]:
        """Tensors to store; ``restore`` gives the scaling back."""
        state = {
            **self.x.state("x_"), **self.y.state("y_"),
            "low": self.designs.low, "high": self.designs.high,
        }  # fmt: skip
        for i, variable in enumerate(self.designs.variables):
            if len(variable.categories) > MANY and variable.descriptors is not None:
                rows = torch.tensor(variable.descriptors, dtype=torch.float64)
                state[f"{_OWN}{i}"] = rows
        return state if self.context is None else state | self.context.state("context_")

    @classmethod
    def restore(cls, designs: Space, state: dict[str, Tensor]) -> Scaling:
        """The scaling that ``state`` came from."""
        learnt = {int(n.removeprefix(_OWN)): v for n, v in state.items() if n.startswith(_OWN)}
        if learnt:
            designs = described(designs, learnt)
        return cls(
            designs.bounded(state["low"], state["high"]),
            Normaliser.restore(state, "x_"),
            Normaliser.restore(state, "y_"),
            Normaliser.restore(state, "context_") if "context_centre" in state else None,
        )
