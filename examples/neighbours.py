"""A judge of one's own, which ranks designs by the probability that they are what is wanted.

    python examples/neighbours.py

What the rows of a table that are nearest to a design gave tells what the design would give. As a
plugin's component, `invcore solve --judge NAME` would ask it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from invcore.plugin import (
    Config,
    Field,
    FitEnvironment,
    FittedJudge,
    Judge,
    Normal,
    Pairs,
    Problem,
    Requirement,
    Space,
    Specification,
    Splits,
    Targets,
    Variable,
    Verdict,
    read_table,
)


class NeighbourConfig(Config):
    """Settings of the judge."""

    count: int = Field(5, ge=3, description="Rows that are asked about a design.")


class NeighbourJudge(Judge[NeighbourConfig]):
    """Asks the nearest rows of the table."""

    Config = NeighbourConfig

    def fit(self, problem: Problem, data: Splits, env: FitEnvironment) -> Neighbours:
        """Keep the rows; those of ``test`` tell how far off the others are."""
        x, y = (torch.cat([getattr(data.train, n), getattr(data.val, n)]).double() for n in "xy")
        judge = Neighbours(self.config.count, {"x": x, "y": y})
        judge.parts["residuals"] = data.test.y - judge.centre(data.test.x)
        return judge

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> Neighbours:
        """The rows again."""
        return Neighbours(self.config.count, dict(state))


class Neighbours(FittedJudge):
    """The rows of a table, and how far off those were that were held out."""

    def __init__(self, count: int, parts: dict[str, Tensor]) -> None:
        self._count, self.parts = count, parts

    def centre(self, x: Tensor) -> Tensor:
        """Mean responses (N, Dy) of the rows nearest to designs (N, Dx); nearer ones count more."""
        rows = self.parts["x"]
        scale = rows.std(dim=0) + 1e-12
        distance, place = torch.cdist(x.double() / scale, rows / scale).topk(
            self._count, largest=False
        )
        share = 1 / (distance + 1e-3)
        share = share / share.sum(dim=1, keepdim=True)
        return (share[..., None] * self.parts["y"][place]).sum(dim=1)

    def predict(self, x: Tensor, level: float = 0.9) -> Verdict:
        """The neighbours' mean, and an error that covered this share of rows held out."""
        sizes = self.parts["residuals"].abs().sort(dim=0).values
        place = min(int(level * (len(sizes) + 1)), len(sizes) - 1)
        centre = self.centre(x)
        return Verdict(centre, sizes[place].clamp(min=1e-12).expand_as(centre))

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The share of rows held out whose residuals would meet the target here."""
        values = self.centre(x.flatten(0, 1))[:, None] + self.parts["residuals"]  # (N, R, Dy)
        wide = targets.tolerance.nan_to_num(0.0)
        low, high = targets.low - wide, targets.high + wide
        low, high = (end.repeat_interleave(x.shape[1], dim=0)[:, None] for end in (low, high))
        inside = ((values >= low) & (values <= high)).all(dim=2)
        return inside.double().mean(dim=1).view(x.shape[:2])

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return dict(self.parts)


def main() -> list[float]:
    """Rank mixes of concrete; give the strengths of the ten that the judge likes best."""
    table = read_table(Path(__file__).parent / "concrete.csv", prefix="x")
    values = torch.tensor(table.values, dtype=torch.float64)
    designs = Space.of(
        *(Variable(name=n, prior=Normal(mean=0.0, std=1.0)) for n in table.names[:-1])
    )
    problem = Problem("concrete", designs, Space.of(Variable(name="strength", unit="MPa")))
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(0))
    pairs = Pairs(values[order, :-1], values[order, -1:])
    data = Splits(pairs[:600], pairs[600:700], pairs[700:830])
    judge = NeighbourJudge().fit(problem, data, FitEnvironment())

    wanted = Specification.of(strength=Requirement(low=40.0, high=50.0))
    mixes = pairs[830:]  # as a method might propose them; what they gave is known, and not told
    value = judge.probability(mixes.x[None], Targets.of([wanted], problem.responses))[0]
    best = value.argsort(descending=True)[:10]
    for place in best.tolist():
        print(f"probability {value[place]:.2f}, measured {float(mixes.y[place]):.1f} MPa")
    return mixes.y[best, 0].tolist()


if __name__ == "__main__":
    main()
