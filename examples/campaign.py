"""A campaign in a laboratory: ask for five rows, make three of them, one a little differently.

    python examples/campaign.py

A loop asks for designs and is told what came of them. It does not matter how long that takes, in
which order results come, or whether a design was made exactly as it was asked for: the loop is
stored in a file after every step, and goes on from there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from invcore.pipeline import build
from invcore.plugin import (
    FitEnvironment,
    Pairs,
    Problem,
    Results,
    Space,
    Targets,
    Uniform,
    Variable,
    installed,
)

DESIGNS = Space.of(
    Variable(name="width", prior=Uniform(low=1.0, high=3.0), unit="mm"),
    Variable(name="height", prior=Uniform(low=2.0, high=6.0), unit="mm"),
)
RESPONSES = Space.of(Variable(name="stiffness", unit="N/mm"))


def laboratory(x: Tensor) -> Tensor:
    """What is measured of beams (N, 2): their stiffness (N, 1)."""
    return (x[:, :1] * x[:, 1:] ** 3) / 40


def main() -> float:
    """Run the campaign; give the error of the best beam for the first target."""
    problem = Problem("beam", DESIGNS, RESPONSES)
    targets = Targets(torch.tensor([[3.0], [9.0]], dtype=torch.float64))
    known = torch.tensor([[2.0, 4.0], [1.5, 5.0]], dtype=torch.float64)  # made before
    points = torch.rand(2, 1, DESIGNS.dim, generator=torch.Generator().manual_seed(0)).double()

    loop = build(installed(), "loop", "cma-es", {"generations": 20}).component
    started = loop.start(
        problem, targets, Pairs(known, laboratory(known)), points, FitEnvironment()
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "campaign.safetensors"
        for week in range(40):
            requests = started.ask(5)
            if not len(requests):
                break
            made = requests.designs[:3].clone()  # two beams broke in the vice, and come later
            made[1, 0] += 0.02  # and this one came out a little wider
            started.tell(Results(requests.id[:3], made, laboratory(made)))
            print(f"week {week + 1}: {len(started.pending())} rows are pending")

            save_file(started.state(), file)
            started = loop.restore(problem, load_file(file), FitEnvironment())
            later = started.pending()
            started.tell(Results(later.id, later.designs, laboratory(later.designs)))
    best = started.best(1)
    assert best.predicted is not None
    for target, x, y in zip(targets.y[:, 0], best.x[:, 0], best.predicted[:, 0], strict=True):
        width, height = x.tolist()
        print(f"for {target:g} N/mm: {width:.2f} mm by {height:.2f} mm gave {float(y):.3f} N/mm")
    return float((best.predicted[:, 0] - targets.y).abs().max())


if __name__ == "__main__":
    main()
