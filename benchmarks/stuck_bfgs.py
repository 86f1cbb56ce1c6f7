"""How often SciPy's BFGS does not find what it looks for: the figures of the task cards.

    python benchmarks/stuck_bfgs.py [--task wave-packet ...] [--seed 0] [--targets 200]
        [--starts 16] [--set frequency=free] [--json]

Exact gradients through the task's simulator; starts are draws of the prior that know nothing of
the truth; designs stay within their bounds by a smooth map. "Not solved" is an error above twice
the noise's variance or, where there is no noise, above 1e-6 of the responses' variance. The
searches are SciPy's own, one thread each; what they ask is simulated together.
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
from typing import Any

import numpy as np
import torch
from invcore_optimisers import Evaluator, Problems
from scipy.optimize import minimize

from invcore.plugin import Simulator, Targets, component_settings, generator, installed

TASKS = ("wave-packet", "billiards", "kuramoto-sivashinsky", "incompressible-flow")
WORST = 1e6  # what a design without a response is worth: SciPy's line search wants a number


def by_scipy(problems: Problems) -> tuple[np.ndarray, int]:
    """Where SciPy's BFGS ends on each problem (N, D), and evaluations in all."""
    asked: queue.Queue[tuple[int, np.ndarray | None]] = queue.Queue()
    answers: list[queue.Queue[Any]] = [queue.Queue() for _ in problems.start]
    ends: dict[int, np.ndarray] = {}

    def search(row: int) -> None:
        def ask(z: np.ndarray) -> tuple[float, np.ndarray]:
            asked.put((row, z.copy()))
            return answers[row].get()

        ends[row] = minimize(ask, problems.start[row].numpy(), jac=True, method="BFGS").x
        asked.put((row, None))

    for row in range(len(answers)):
        threading.Thread(target=search, args=(row,), daemon=True).start()
    evaluator, running, evaluations = Evaluator(problems, 4096), len(answers), 0
    while running:
        batch: list[tuple[int, np.ndarray]] = []
        while len(batch) < running:
            row, z = asked.get()
            if z is None:
                running -= 1
            else:
                batch.append((row, z))
        if not batch:
            break
        rows = torch.tensor([row for row, _ in batch])
        value, slope = evaluator(torch.tensor(np.stack([z for _, z in batch])), rows)
        known = value.isfinite() & slope.isfinite().all(dim=1)
        value = torch.where(known, value, WORST)
        slope = torch.where(known[:, None], slope, 0.0)
        evaluations += len(batch)
        for (row, _), one, its in zip(batch, value.tolist(), slope.numpy(), strict=True):
            answers[row].put((one, its.copy()))
    return np.stack([ends[row] for row in range(len(answers))]), evaluations


def measure(name: str, settings: dict[str, Any], seed: int, count: int, starts: int) -> Any:
    """The shares of targets that the best of 1, 4, 16 … starts does not solve."""
    kind = installed().registry.load("task", name)
    task = kind(kind.Config.resolve(settings))
    test = task.dataset(10, count, seed).test
    x0 = torch.stack(
        [task.designs.sample(count, generator(seed, "start", k)) for k in range(starts)], dim=1
    )
    spread = float(test.y.var(dim=0, unbiased=False).mean())
    targets = Targets(test.y, test.context)
    problems = Problems(Simulator(task), task.designs, targets, x0, scale=spread)
    z, evaluations = by_scipy(problems)
    error = problems.result(torch.from_numpy(z)).error.view(count, starts)
    solved = error <= (2 * task.noise_floor or 1e-6 * spread)
    sizes = [size for size in (1, 4, 16, 64) if size <= starts]
    return {
        "task": name, "settings": settings, "seed": seed, "targets": count,
        "not_solved": {k: 1 - float(solved[:, :k].any(1).double().mean()) for k in sizes},
        "evaluations_a_search": evaluations / count / starts,
        "mean": float(test.y.mean()), "std": float(test.y.std()),
        "low": float(test.y.min()), "high": float(test.y.max()),
    }  # fmt: skip


def main() -> None:
    """Print a line for each task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", default=list(TASKS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--starts", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="A task's setting, KEY=VALUE.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    threading.stack_size(2**20)
    for name in given.task:
        config = installed().registry.load("task", name).Config
        settings = component_settings(given.set, config)
        row = measure(name, settings, given.seed, given.targets, given.starts)
        if given.json:
            print(json.dumps(row), flush=True)
            continue
        shares = ", ".join(f"best of {k} {v:.1%}" for k, v in row["not_solved"].items())
        print(
            f"{name} {' '.join(given.set)} seed {given.seed}: not solved {shares} of "
            f"{given.targets} targets; {row['evaluations_a_search']:.0f} evaluations a search; "
            f"responses {row['mean']:.3f} ± {row['std']:.3f} in [{row['low']:.2f}, "
            f"{row['high']:.2f}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
