"""Trust: how far a forward model was off at the known pairs near a design."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.types import Forward
from invcore.data.pairs import Pairs
from invcore.learning.response_density.kept_rows import kept_rows
from invcore.search.aim import Aim

_NEAREST = 10
_HELD = 4096  # pairs by which errors are measured
_SHARE = 0.68  # of held-out pairs, within the error that is stated
_NUMBERS = 1 << 22  # held at once, where each row has many
_NEARER = 4  # power of a number of the unit cube: most starts are near the nearest pairs
_BESIDE = 0.05  # of the way from a known design to another start, so that no two are one
_ROWS = 256  # designs compared with all of them at once
_AROUND = 256  # pairs around a group of designs with which they are compared first
_GROUP = 128  # designs near each other that are compared with the pairs around them


@dataclass(frozen=True)
class Anchors:
    """Known designs to start from, with what is known there.

    Args:
        features: (B, K, F), scaled designs.
        rows: (B, K), their places among the known pairs of ``Trust``.
        lacking: (B, K, Dy), what the model lacks there; added to what it says on the way from
            there, it leaves the error of the difference alone.
        doubt: (B, K), the squared error to expect of that, scaled: as large a share of the way, in
            response, as the model's squared errors are of the responses' variance.
        known: (B, K), bool, which starts are known designs; others are as they were, and nothing is
            known of what the model lacks there. None: all.
    """

    features: Tensor
    rows: Tensor
    lacking: Tensor
    doubt: Tensor
    known: Tensor | None = None


@dataclass(frozen=True)
class Trust:
    """The squared error to expect of a forward model, from its residuals at the nearest pairs.

    Many starts of a search end where the model gives exactly the target. They are equally good by
    the model's own error, but not by what is to be expected of the simulator: where the model was
    off at known designs nearby, it will be off again.

    Args:
        features: (M, F), scaled designs of known pairs.
        y: (M, Dy), their scaled responses.
        residual: (M, Dy), what the model lacks there, scaled: the truth less its answer.
        error: (Dy,), scaled: 68% of held-out pairs are no further from what the model says; None
            where that is not known, as of models that earlier versions have stored.

    Example:
        >>> pairs = Pairs(torch.arange(20.0)[:, None], torch.zeros(20, 1))
        >>> trust = Trust.fit(lambda x: (x > 9.5) * 1.0, pairs, torch.Generator())
        >>> trust(torch.tensor([[0.0], [19.0]]))
        tensor([0., 1.])
    """

    features: Tensor
    y: Tensor
    residual: Tensor
    error: Tensor | None = None

    @classmethod
    def fit(
        cls, forward: Forward, pairs: Pairs, generator: torch.Generator, held: Pairs | None = None
    ) -> Trust:
        """From scaled pairs, at most 4,096 of them: those at the ends of each response, from which
        searches for more set out, and others drawn at random.

        Args:
            forward: the model.
            pairs: that it was fitted to.
            generator: draws among them.
            held: pairs that it was not fitted to, to measure its errors by.
        """
        rows, _ = kept_rows(pairs.y.detach().cpu(), generator)
        some = pairs[rows.to(pairs.x.device)]
        with torch.no_grad():
            residual = some.y - forward(some.x)
            error = None
            if held is not None and len(held):
                part = held[:_HELD]
                error = _share(part.y - forward(part.x))
        return cls(some.x, some.y, residual, error)

    def __call__(self, features: Tensor) -> Tensor:
        """The error to expect of scaled designs (N, F): (N,)."""
        squares = self.residual.square().mean(dim=1)
        return squares[self._near(features)].mean(dim=1)

    def violation(self, features: Tensor, y: Tensor, aim: Aim) -> Tensor:
        """The squared violation to expect (N,) of designs (N, F) that the model has at responses
        (N, Dy): the mean of those with what it lacks at the known pairs nearby.
        """
        parts = []
        rows = min(_ROWS, max(1, _NUMBERS // (_NEAREST * y.shape[1])))
        for begin in range(0, len(features), rows):
            part = slice(begin, begin + rows)
            there = self.residual[self._near(features[part])]  # (n, 10, Dy)
            wide = (y[part, None] + there).flatten(0, 1)
            error = aim[part].repeated(there.shape[1]).error(wide)
            parts.append(error.view(there.shape[:2]).mean(dim=1))
        return torch.cat(parts).nan_to_num(nan=torch.inf)

    def _near(self, features: Tensor) -> Tensor:
        """The places (N, 10) of the known pairs nearest to designs (N, F)."""
        count, size = min(_NEAREST, len(self.features)), min(_AROUND, len(self.features))
        result = torch.empty(len(features), count, dtype=torch.long, device=features.device)
        unsure = torch.ones(len(features), dtype=torch.bool, device=features.device)
        for rows in _together(features):
            some = features[rows]
            middle = some.mean(dim=0, keepdim=True)
            away = torch.cdist(middle, self.features)[0].topk(size, largest=False)
            near = torch.cdist(some, self.features[away.indices]).topk(
                count, dim=1, largest=False, sorted=False
            )
            # Other pairs are farther from the middle, and so, by the triangle's inequality, from
            # a design that is near it
            reach = near.values.amax(dim=1) + (some - middle).norm(dim=1)
            result[rows] = away.indices[near.indices]
            unsure[rows] = ~(reach * (1 + 1e-5) < away.values.max())
        for rows in unsure.nonzero()[:, 0].split(_ROWS):
            apart = torch.cdist(features[rows], self.features)
            result[rows] = apart.topk(count, dim=1, largest=False, sorted=False).indices
        return result

    def nearest(self, targets: Tensor | Aim, count: int) -> tuple[Tensor, Tensor]:
        """The known pairs whose responses violate each target least: how far they are from it
        (B, count), and their places (B, count), the nearest first.
        """
        aim = Aim.at(targets)
        if aim.exact:
            return torch.cdist(aim.low, self.y).topk(count, dim=1, largest=False)
        parts, rows = [], max(1, _NUMBERS // self.y.numel())
        for begin in range(0, len(aim), rows):
            apart = aim[begin : begin + rows].beside().residual(self.y).norm(dim=2)
            parts.append(apart.topk(count, dim=1, largest=False))
        values, places = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(places)

    def anchors_of_unmet(self, aim: Aim, starts: Tensor, points: Tensor, share: float) -> Anchors:
        """Starts of a search, which are next to known designs where no known pair meets the aim.

        Few pairs are like what is wanted there, and a search from far away ends where the model is
        wrong. From the nearest pairs the way is short, and what the model lacks there is known.

        Args:
            aim: at B intervals.
            starts: (B, K, F), scaled, which stay where known pairs meet the aim.
            points: (B, K, 1), in the unit cube: which known pair; most take the nearest ones.
            share: of the known pairs, those that count as near.
        """
        apart, order = self.nearest(aim, max(1, round(share * len(self.y))))
        place = (points[..., 0].to(apart.device) ** _NEARER * order.shape[1]).long()
        place = place.clamp(max=order.shape[1] - 1)
        rows, way = order.gather(1, place), apart.gather(1, place)
        known = (apart[:, :1] > 0).expand_as(rows)
        near = self.features[rows] + _BESIDE * (starts - self.features[rows])
        doubt = self.residual.square().mean() * way.square() / self.y.shape[1]
        unmet = known[..., None]
        return Anchors(
            torch.where(unmet, near, starts), rows, torch.where(unmet, self.residual[rows], 0.0),
            doubt, known,
        )  # fmt: skip

    def anchors(self, targets: Tensor | Aim, points: Tensor, share: float) -> Anchors:
        """Known designs whose responses are near the targets.

        Args:
            targets: (B, Dy), scaled, or an aim at B intervals.
            points: (B, K, 1), in the unit cube: where in the order of the nearest, from 0 for the
                nearest of all.
            share: of the known pairs, those that count as near.
        """
        points = points.to(self.y.device)
        near = max(1, round(share * len(self.y)))
        apart, order = self.nearest(targets, near)
        place = (points[..., 0] * near).long().clamp(max=near - 1)
        rows, way = order.gather(1, place), apart.gather(1, place)
        doubt = self.residual.square().mean() * way.square() / self.y.shape[1]
        return Anchors(self.features[rows], rows, self.residual[rows], doubt)

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        state = {"features": self.features, "y": self.y, "residual": self.residual}
        return state if self.error is None else state | {"error": self.error}

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Trust:
        """The trust that ``state`` came from."""
        return cls(state["features"], state["y"], state["residual"], state.get("error"))


def _share(residual: Tensor) -> Tensor:
    """The size (Dy,) below which 68% of residuals (N, Dy) are; NaN ones are unknown."""
    sizes = residual.abs().sort(dim=0).values  # NaN last
    known = (~sizes.isnan()).sum(dim=0)
    place = (_SHARE * (known - 1)).round().long().clamp(min=0)
    return sizes.gather(0, place[None])[0].nan_to_num(0.0, 0.0)


def _together(features: Tensor) -> list[Tensor]:
    """The places of designs (N, F) in groups that are near each other, by halving.

    Each group is halved along the column in which it is widest, until it is small.
    """
    if features.device.type != "cpu":  # many small steps are dear there, and comparisons cheap
        return []
    groups, done = [torch.arange(len(features), device=features.device)], []
    while groups:
        rows = groups.pop()
        if len(rows) <= _GROUP:
            done.append(rows)
            continue
        some = features[rows]
        widest = int((some.amax(dim=0) - some.amin(dim=0)).argmax())
        order = some[:, widest].argsort()
        groups += [rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]]
    return done if len(features) else []
