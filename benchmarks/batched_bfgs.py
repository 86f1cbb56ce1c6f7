"""BFGS on many inverse problems in one batch, against SciPy's BFGS one problem after another.

    python benchmarks/batched_bfgs.py [--problems 256] [--frequency free] [--json]

The task is wave-packet; both minimise the same function from the same starts, with gradients by
autograd through the same simulator, in one process with one thread, to the same tolerance. Times
are of the process, the least of `--rounds` taken in turns. Two optima are the same if their values
differ by less than 1e-6 of the larger one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from invcore_optimisers import BFGSConfig, Problems, minimise_bfgs
from invcore_optimisers.coordinates import scales
from scipy.optimize import minimize
from torch import Tensor

from invcore.plugin import Simulator, Targets, generator, installed

GTOL = 1e-6
STEPS = 200
SAME = 1e-6


def problems_of(task: Any, count: int, seed: int) -> tuple[Problems, Tensor]:
    """The objective of so many measured targets, one start of the prior each; the targets."""
    truth = task.pairs(count, generator(seed, "test"))
    wanted = task.observe(truth.y, generator(seed, "measured"))
    starts = task.designs.sample(count, generator(seed, "starts"))[:, None]
    return Problems(Simulator(task), task.designs, Targets(wanted), starts), wanted


def by_scipy(task: Any, problems: Problems, wanted: Tensor) -> tuple[np.ndarray, int]:
    """SciPy's values of all problems, and its evaluations.

    The objective is written out, as one would for a single problem: nothing of the batch slows it.
    """
    low, high = task.designs.low, task.designs.high
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    pace = scales(task.designs)[1] / half

    def one(z: np.ndarray, target: Tensor) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(z).requires_grad_()
        x = middle + half * (pace * point).sin()
        value = (task.simulate(x[None])[0] - target).square().mean()
        (slope,) = torch.autograd.grad(value, point)
        return value.item(), slope.numpy()

    options = {"gtol": GTOL, "maxiter": STEPS}
    found = [
        minimize(one, z.numpy(), args=(target,), jac=True, method="BFGS", options=options)
        for z, target in zip(problems.start, wanted, strict=True)
    ]
    return np.array([f.fun for f in found]), sum(f.nfev for f in found)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Process time of some work, and what it gave."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def main() -> None:
    """Print both times, their ratio, and how many optima are the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=256)
    parser.add_argument("--frequency", choices=("fixed", "free"), default="fixed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    component = installed().registry.load("task", "wave-packet")
    task = component(component.Config.resolve({"frequency": given.frequency}))
    problems, wanted = problems_of(task, given.problems, given.seed)
    config = BFGSConfig(gtol=GTOL, steps=STEPS)
    few, some = problems_of(task, 4, given.seed + 1)
    minimise_bfgs(few, few.start, config)  # what is imported late is imported now
    by_scipy(task, few, some)
    rounds = [
        (
            seconds(lambda: minimise_bfgs(problems, problems.start, config)),
            seconds(lambda: by_scipy(task, problems, wanted)),
        )
        for _ in range(given.rounds)
    ]
    batch_s = min(batch[0] for batch, _ in rounds)
    single_s = min(single[0] for _, single in rounds)
    found, (values, evaluations) = rounds[0][0][1], rounds[0][1][1]
    own = found.value.numpy()
    same = np.abs(own - values) <= SAME * np.maximum(np.abs(own), np.abs(values))
    row = {
        "problems": given.problems,
        "batch_s": batch_s,
        "scipy_s": single_s,
        "ratio": single_s / batch_s,
        "same": int(same.sum()),
        "lower": int((~same & (own < values)).sum()),
        "batch_evaluations": int(found.evaluations.sum()),
        "scipy_evaluations": int(evaluations),
    }
    if given.json:
        print(json.dumps(row, indent=2))
    else:
        print(
            f"wave-packet, {task.designs.dim} variables, {given.problems} problems: one batch "
            f"{batch_s:.3f} s, SciPy {single_s:.2f} s, ratio {row['ratio']:.0f}; the same optimum "
            f"in {row['same']} of {given.problems} ({row['lower']} lower in the batch); "
            f"evaluations {row['batch_evaluations']} and {row['scipy_evaluations']}"
        )


if __name__ == "__main__":
    main()
