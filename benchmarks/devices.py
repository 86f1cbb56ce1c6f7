"""Simulators on a CUDA device and on the CPU: how far apart they are, and how long they take.

    python benchmarks/devices.py [--task wave-packet ...] [--problems 256 4096] [--json]

One gradient of the mean square response with respect to all designs, which takes a simulation and
its way back. Times are medians of several after one that does not count, with all cores of the CPU;
differences of responses and gradients are relative to the largest of them. Rows whose gradients
differ by more than rounding are counted: in chaotic systems, rounding grows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore.plugin import generator, installed

TASKS = (
    "wave-packet", "billiards", "kuramoto-sivashinsky", "incompressible-flow",
    "robotic-arm", "meta-material", "nanoshell", "thin-film", "architecture",
)  # fmt: skip
ROUNDING = 1e-9


def gradient(task: Any, x: Tensor, context: Any) -> tuple[Tensor, Tensor]:
    """Responses (N, Dy) and the gradient (N, Dx) of each row's mean square response."""
    leaf = x.clone().requires_grad_()
    y = task.simulate(leaf, context)
    (slope,) = torch.autograd.grad(y.square().mean(dim=1).sum(), leaf)
    return y.detach().cpu(), slope.cpu()


def timed(task: Any, x: Tensor, context: Any, repeats: int) -> tuple[Tensor, Tensor, float]:
    """The same, and the median of the seconds that it takes; what comes back is on the CPU."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        y, slope = gradient(task, x, context)
        seconds.append(time.perf_counter() - begin)
    return y, slope, statistics.median(seconds[1:])


def apart(one: Tensor, two: Tensor) -> Tensor:
    """Largest difference of each row, relative to the largest of all values."""
    return (one - two).abs().amax(dim=1) / one.abs().max()


def compare(name: str, problems: int, repeats: int) -> dict[str, Any]:
    """A row of the table."""
    task = installed().registry.load("task", name)()
    x = task.designs.sample(problems, generator(0, "designs"))
    context = task.contexts(problems, generator(0, "contexts"))
    there = context and {key: value.cuda() for key, value in context.items()}
    y, slope, cpu = timed(task, x, context, repeats)
    torch.cuda.reset_peak_memory_stats()
    far_y, far_slope, cuda = timed(task, x.cuda(), there, repeats)
    by_row = apart(slope, far_slope)
    return {
        "task": name, "problems": problems, "cpu": cpu, "cuda": cuda, "faster": cpu / cuda,
        "responses": float(apart(y, far_y).max()), "gradients": float(by_row.median()),
        "beyond_rounding": int((by_row > ROUNDING).sum()),
        "peak_mib": torch.cuda.max_memory_allocated() / 2**20,
    }  # fmt: skip


def main() -> None:
    """Parse the command line, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", default=list(TASKS))
    parser.add_argument("--problems", nargs="+", type=int, default=[256, 4096])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing to compare")  # no failure: others are to run after it
        return
    rows = [compare(name, n, given.repeats) for name in given.task for n in given.problems]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    card, threads = torch.cuda.get_device_name(), torch.get_num_threads()
    shown = Table(
        title=f"one gradient: {card} against {threads} threads, torch {torch.__version__}"
    )
    for head in (
        "task", "problems", "CPU, s", "CUDA, s", "times faster", "responses apart",
        "gradients apart (median)", "rows beyond 1e-9", "peak on the card, MiB",
    ):  # fmt: skip
        shown.add_column(head, justify="left" if head == "task" else "right")
    for row in rows:
        shown.add_row(
            row["task"], str(row["problems"]), f"{row['cpu']:.3g}", f"{row['cuda']:.3g}",
            f"{row['faster']:.2g}", f"{row['responses']:.1e}", f"{row['gradients']:.1e}",
            str(row["beyond_rounding"]), f"{row['peak_mib']:.0f}",
        )  # fmt: skip
    Console(width=140).print(shown)


if __name__ == "__main__":
    main()
