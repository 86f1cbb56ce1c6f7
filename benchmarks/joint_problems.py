"""Joint optimisation against BFGS on each problem alone, as more problems share a network.

    python benchmarks/joint_problems.py --out joint.jsonl [--task wave-packet ...] [--seed 0 1 2]
        [--joint 4 8 16 32 64 128 256] [--problems 256] [--set steps=1000] [--device cpu]
        [--picture joint.png]

For each task and seed, 256 problems are drawn. BFGS and gradient descent start from one draw of the
prior each, the same for both. `jpo` trains one network for each group of n problems; then BFGS goes
on from its designs ("jpo + bfgs"). The table has the share of problems that end below BFGS, with a
95% interval over problems, and those level with it. A line of --out is one task, seed and n:
finished ones are not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from invcore_metrics.better_than_reference import compared
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore import (
    FitContext,
    Pairs,
    Problem,
    Simulator,
    Targets,
    Task,
    bootstrap,
    component_settings,
    generator,
    installed,
    resolve_device,
)

TASKS = ("wave-packet", "billiards", "kuramoto-sivashinsky", "incompressible-flow")
JOINT = (4, 8, 16, 32, 64, 128, 256)
EDGE = 2.0**-33
Line = dict[str, Any]


def solve(
    task: Task[Any],
    name: str,
    targets: Targets,
    points: Tensor | None,
    seed: int,
    device: torch.device,
    **settings: Any,
) -> tuple[Tensor, Tensor, Line]:
    """Designs (B, Dx) of one candidate, their errors (B,), and what they cost."""
    kind = installed().registry.load("method", name)
    method = kind(kind.Config.resolve(settings))
    problem = Problem("joint", task.designs, task.responses, task.differentiable)
    # These methods learn nothing from pairs but the responses' scale
    middle = task.designs.from_unit(torch.full((len(targets), task.designs.dim), 0.5).double())
    known = Pairs(middle, targets.y)
    model = method.fit(problem, known, known, FitContext(seed, device))
    if points is None:
        points = torch.empty(len(targets), 1, 0, dtype=torch.float64)
    simulator, start = Simulator(task), time.perf_counter()
    x = model.propose(targets, points, simulator=simulator).x[:, 0].cpu().double()
    cost = {"seconds": time.perf_counter() - start, "calls": simulator.calls}
    error = (task.simulate(x, targets.context) - targets.y).square().mean(dim=1)
    return x, error.nan_to_num(nan=torch.inf), cost


def shares(task: Task[Any], targets: Targets, own: Tensor, known: Tensor, seed: int) -> Line:
    """The share below the reference with its interval, and that level with it."""
    solved = 1e-8 * max(float(targets.y.var(dim=0, unbiased=False).mean()), task.noise_floor)
    below, level = compared(own, known, solved=solved)
    value, low, high = bootstrap(below.double(), generator(seed, "shares"))
    return {
        "below": value, "low": low, "high": high, "level": float(level.double().mean()),
        "median_error": float(own.median()),
    }  # fmt: skip


@lru_cache(maxsize=1)
def alone(
    name: str, seed: int, problems: int, device: torch.device
) -> tuple[Task[Any], Targets, Tensor, Tensor, Line]:
    """The problems, the starts, what BFGS makes of them, and what that says."""
    kind = installed().registry.load("task", name)
    task = kind(kind.Config())
    test = task.dataset(10, problems, seed).test
    targets = Targets(test.y, test.context)
    shape = (problems, 1, task.designs.dim)
    starts = torch.rand(shape, generator=generator(seed, "start"), dtype=torch.float64)
    starts = starts.clamp(EDGE, 1 - EDGE)
    _, known, cost = solve(task, "bfgs", targets, starts, seed, device)
    solved = 2 * task.noise_floor or 1e-6 * float(targets.y.var(dim=0, unbiased=False).mean())
    share = float((known <= solved).double().mean())
    said = {"bfgs": cost | {"median_error": float(known.median()), "solved": share}}
    return task, targets, starts, known, said


def measure(
    name: str, seed: int, joint: int, problems: int, device: torch.device, settings: Line
) -> Line:
    """One line: a task, a seed, a number of problems that share a network."""
    task, targets, starts, known, said = alone(name, seed, problems, device)
    line: Line = {"task": name, "seed": seed, "joint": joint, "problems": problems, **said}
    line["device"] = str(device)
    if joint == 1:  # no network: each problem alone
        _, error, cost = solve(task, "gradient-descent", targets, starts, seed, device)
        return {**line, "gradient-descent": shares(task, targets, error, known, seed) | cost}
    x, error, cost = solve(task, "jpo", targets, None, seed, device, joint=joint, **settings)
    line["jpo"] = shares(task, targets, error, known, seed) | cost
    points = task.designs.to_unit(x).clamp(EDGE, 1 - EDGE)[:, None]
    _, error, more = solve(task, "bfgs", targets, points, seed, device)
    total = {part: cost[part] + more[part] for part in cost}
    line["jpo + bfgs"] = shares(task, targets, error, known, seed) | total
    return line


def table(lines: list[Line]) -> Table:
    """Means over seeds."""
    shown = Table(title="share of problems below BFGS (level with it), means over seeds")
    for head in ("task", "problems a network", "gradient descent", "jpo", "jpo + bfgs", "seeds"):
        shown.add_column(head, justify="left" if head == "task" else "right")
    for task, joint in dict.fromkeys((line["task"], line["joint"]) for line in lines):
        some = [x for x in lines if (x["task"], x["joint"]) == (task, joint)]
        cells = []
        for name in ("gradient-descent", "jpo", "jpo + bfgs"):
            parts = [x[name] for x in some if name in x]
            below, level = (
                sum(part[key] for part in parts) / max(1, len(parts)) for key in ("below", "level")
            )
            cells.append(f"{below:.0%} ({level:.0%})" if parts else "-")
        shown.add_row(task, "-" if joint == 1 else str(joint), *cells, str(len(some)))
    return shown


def picture(lines: list[Line], path: Path) -> None:
    """The shares over the number of problems that share a network, a panel a task."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(line["task"] for line in lines))
    figure = Figure(figsize=(3.2 * len(names), 3.2), layout="constrained")
    for axes, task in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        some = [line for line in lines if line["task"] == task and line["joint"] > 1]
        for name, colour in (("jpo", "tab:blue"), ("jpo + bfgs", "tab:orange")):
            sizes = sorted({line["joint"] for line in some})
            values = [[x[name]["below"] for x in some if x["joint"] == n] for n in sizes]
            means = [sum(v) / len(v) for v in values]
            axes.fill_between(
                sizes, [min(v) for v in values], [max(v) for v in values], color=colour, alpha=0.2
            )
            axes.plot(sizes, means, color=colour, marker="o", label=name)
        axes.axhline(0.5, color="grey", linewidth=0.8)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_ylim(0, 1)
        axes.set_title(task, fontsize="medium")
        axes.set_xlabel("problems that share a network")
    figure.axes[0].set_ylabel("share below BFGS")
    figure.axes[0].legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Parse the command line, measure what is missing, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("joint.jsonl"), help="Lines of JSON.")
    parser.add_argument("--task", nargs="+", default=list(TASKS), help="Which.")
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2], help="Draws.")
    parser.add_argument("--joint", nargs="+", type=int, default=[1, *JOINT], help="1: no network.")
    parser.add_argument("--problems", type=int, default=256, help="Of each task and seed.")
    parser.add_argument("--set", action="append", default=[], help="A setting of jpo, KEY=VALUE.")
    parser.add_argument("--picture", type=Path, help="Draw the shares into this file.")
    parser.add_argument("--device", default="cpu", help="Where simulators and networks work.")
    given = parser.parse_args()
    device = resolve_device(given.device)
    settings = component_settings(given.set, installed().registry.load("method", "jpo").Config)
    kept = given.out.read_text().splitlines() if given.out.exists() else []
    lines = [json.loads(text) for text in kept]
    done = {(line["task"], line["seed"], line["joint"], line["problems"]) for line in lines}
    for task in given.task:
        for seed in given.seed:
            for joint in given.joint:
                if (task, seed, joint, given.problems) in done:
                    continue
                lines.append(measure(task, seed, joint, given.problems, device, settings))
                with given.out.open("a") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
                print(json.dumps(lines[-1]), flush=True)
    Console(width=110).print(table(lines))
    if given.picture:
        picture(lines, given.picture)


if __name__ == "__main__":
    main()
