"""NA, all targets at once, against the plain published loop on the same network.

    python benchmarks/neural_adjoint.py               # a table
    python benchmarks/neural_adjoint.py --json        # the same, for machines

The loop takes one target at a time: Adam on all its starts, 300 steps, the boundary loss as a
mean with weight 10, the rate halved on a plateau; of several first rates the one with the best
r_50 is shown. It does `--loop-targets` targets, ours all of them; r_50 is compared on the former.
A third loop has a network of the published size, whose weights do not matter for its speed: it is
timed on one target, and has no r_50. Times are those of the processor, on one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from typing import Any

import torch
from invcore_na.config import NeuralAdjointConfig
from invcore_na.method import NeuralAdjoint
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore.base.progress import Progress
from invcore.pipeline.proposals import propose_in_batches
from invcore.plugin import FitEnvironment, Problem, Targets, generator, isolated
from invcore.registry.loader import installed
from invcore.results import expected_best
from invcore.scoring.errors import squared_error

TASKS = ("sine-wave", "robotic-arm", "ballistics")
RATES = (0.1, 0.03, 0.01)
DEPTHS = {"sine-wave": 4, "robotic-arm": 4, "ballistics": 3}  # of the published networks
WIDTH = 500


def published_loop(surrogate: Any, starts: Tensor, target: Tensor, lr: float) -> Tensor:
    """Designs (K, Dx) for one scaled target, best first by the network's error."""
    scaling = surrogate.scaling
    low, high = scaling.box(starts.device)
    x = scaling.encode(starts).requires_grad_()
    optimiser = torch.optim.Adam([x], lr=lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=10)
    for _ in range(300):
        optimiser.zero_grad()
        error = (surrogate(x) - target).square().mean()
        outside = torch.relu(low - x) + torch.relu(x - high)
        loss = error + 10 * outside.mean()
        loss.backward()
        optimiser.step()
        plateau.step(loss.detach())
    with torch.no_grad():
        order = (surrogate(x) - target).square().mean(dim=1).argsort()
        return scaling.decode(x[order])


class PublishedSize(torch.nn.Module):
    """A network of the published size with the scaling of another, not trained: for its speed."""

    def __init__(self, like: Any, depth: int, responses: int) -> None:
        super().__init__()
        self.scaling = like.scaling
        widths = [self.scaling.designs.features, *[WIDTH] * depth]
        layers: list[torch.nn.Module] = []
        for before, after in pairwise(widths):
            layers += [torch.nn.Linear(before, after), torch.nn.BatchNorm1d(after), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, responses))
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Scaled responses."""
        y: Tensor = self.layers(x)
        return y


def r_50(task: Any, designs: Tensor, targets: Tensor) -> float:
    """The mean over targets of the best of the first 50 designs (B, K, Dx)."""
    y = task.simulate(designs.flatten(0, 1)).unflatten(0, designs.shape[:2])
    return float(expected_best(squared_error(y, targets), [50], ranked=True)[0].nanmean())


def compare(name: str, targets: int, starts: int, loop_targets: int, seed: int) -> dict[str, Any]:
    """Rates and errors of both on one task."""
    task = installed().registry.load("task", name)()
    data = task.dataset(10_000, targets, seed)
    problem = Problem(name, task.designs, task.responses, task.differentiable)
    method = NeuralAdjoint(NeuralAdjointConfig.resolve({}, task=name))
    model = method.fit(problem, data.train, data.val, FitEnvironment(seed))
    points = torch.rand(
        targets, starts, model.point_dim, generator=generator(seed, "points"), dtype=torch.float64
    )
    begin = time.process_time()
    found = propose_in_batches(model, Targets(data.test.y), points, None, Progress())
    ours = targets * starts / (time.process_time() - begin)
    surrogate = model._surrogate
    wanted = surrogate.scaling.y(data.test.y).float()
    some = slice(0, loop_targets)
    loops = []
    for lr in RATES:
        begin = time.process_time()
        designs = torch.stack([
            published_loop(surrogate, task.designs.from_unit(points[b]), wanted[b], lr)
            for b in range(loop_targets)
        ])  # fmt: skip
        rate = loop_targets * starts / (time.process_time() - begin)
        loops.append({"lr": lr, "rate": rate, "r_50": r_50(task, designs, data.test.y[some])})
    with isolated(seed):
        large = PublishedSize(surrogate, DEPTHS[name], task.responses.dim)
    begin = time.process_time()
    published_loop(large, task.designs.from_unit(points[0]), wanted[0], RATES[0])
    large_rate = starts / (time.process_time() - begin)
    quickest = max(loop["rate"] for loop in loops)
    best = min(loops, key=lambda loop: loop["r_50"])
    return {
        "task": name,
        "ours_per_s": ours,
        "loop_per_s": quickest,
        "ratio": ours / quickest,
        "published_size_per_s": large_rate,
        "ratio_to_published_size": ours / large_rate,
        "ours_r_50": r_50(task, found.x[some], data.test.y[some]),
        "loop_r_50": best["r_50"],
        "loops": loops,
    }


def main() -> None:
    """Compare on the closed-form tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", action="append", choices=TASKS)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=256)
    parser.add_argument("--loop-targets", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        compare(name, wanted.targets, wanted.starts, wanted.loop_targets, wanted.seed)
        for name in wanted.task or TASKS
    ]
    if wanted.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(
        "task", "candidates/s", "loop's", "ratio", "published size's", "ratio", "r_50",
        "loop's r_50",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row["task"], f"{row['ours_per_s']:.0f}", f"{row['loop_per_s']:.0f}",
            f"{row['ratio']:.1f}",
            f"{row['published_size_per_s']:.1f}", f"{row['ratio_to_published_size']:.0f}",
            f"{row['ours_r_50']:.2e}", f"{row['loop_r_50']:.2e}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
