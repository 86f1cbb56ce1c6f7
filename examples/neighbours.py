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

    count: int = Field(20, ge=3, description="Rows that are asked about a design.")


class NeighbourJudge(Judge[NeighbourConfig]):
    """Asks the nearest rows of the table."""

    Config = NeighbourConfig

    def fit(self, problem: Problem, data: Splits, env: FitEnvironment) -> Neighbours:
        """Keep the rows; those of ``test`` tell how wide the neighbours' range has to be."""
        x, y = (torch.cat([getattr(data.train, n), getattr(data.val, n)]) for n in "xy")
        return Neighbours(self.config.count, Pairs(x, y), torch.ones(1, y.shape[1]).double(), data)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> Neighbours:
        """The rows again."""
        rows = Pairs(state["x"], state["y"])
        return Neighbours(self.config.count, rows, state["ratios"], None)


class Neighbours(FittedJudge):
    """The rows of a table."""

    def __init__(self, count: int, rows: Pairs, ratios: Tensor, held: Splits | None) -> None:
        self._count, self._rows = count, Pairs(rows.x.double().clone(), rows.y.double().clone())
        self._scale = self._rows.x.std(dim=0).clamp(min=1e-12)
        self._floor = 1e-3 * self._rows.y.std(dim=0) + 1e-12
        self._ratios = ratios
        if held is not None:
            near = self._near(held.test.x)
            centre, spread = near.mean(dim=1), near.std(dim=1) + self._floor
            self._ratios = ((held.test.y - centre).abs() / spread).sort(dim=0).values

    def _near(self, x: Tensor) -> Tensor:
        """Responses (N, count, Dy) of the rows nearest to designs (N, Dx)."""
        distance = torch.cdist(x.double() / self._scale, self._rows.x / self._scale)
        return self._rows.y[distance.topk(self._count, largest=False).indices]

    def predict(self, x: Tensor, level: float = 0.9) -> Verdict:
        """The neighbours' mean, and how far off rows that were held out were from theirs."""
        near = self._near(x)
        place = min(int(level * (len(self._ratios) + 1)), len(self._ratios) - 1)
        error = (near.std(dim=1) + self._floor) * self._ratios[place]
        return Verdict(near.mean(dim=1), error)

    def probability(self, x: Tensor, targets: Targets) -> Tensor:
        """The share of neighbours that are what is wanted, each as wide as rows held out show."""
        near = self._near(x.flatten(0, 1))[:, :, None]  # (N, count, 1, Dy)
        spread = near.std(dim=1, keepdim=True) + self._floor
        steps = torch.cat([-self._ratios.flip(0), self._ratios])[:: len(self._ratios) // 10 or 1]
        values = near.mean(dim=1, keepdim=True) + steps[None, None] * spread
        wide = targets.tolerance.nan_to_num(0.0)
        low, high = targets.low - wide, targets.high + wide
        low, high = (end.repeat_interleave(x.shape[1], dim=0)[:, None, None] for end in (low, high))
        return ((values >= low) & (values <= high)).all(3).double().mean((1, 2)).view(x.shape[:2])

    def state(self) -> dict[str, Tensor]:
        """The rows, and how far off those were that were held out."""
        return {"x": self._rows.x, "y": self._rows.y, "ratios": self._ratios}


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
