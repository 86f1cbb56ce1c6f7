"""How many candidates it takes to find all modes of sine-wave at y* = -0.3, by sampler.

    python benchmarks/sine_modes.py [--picture docs/sine-modes.png] [--json]

The solutions form 16 closed curves (some cut by the box), one around each minimum of
sin(3 pi x1) + cos(3 pi x2). Those minima lie at x1 = -5/6, -1/6, 1/2, 7/6 and at
x2 = -1, -1/3, 1/3, 1. At -0.3 the curves do not touch, so the nearest minimum tells which curve a
solution is on.
A mode is found by a candidate whose true squared error is below 1e-4. Each number of candidates is
tried with `--repeats` designs of the sampler.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore.base.progress import Progress
from invcore.pipeline.proposals import propose_in_batches
from invcore.plugin import FitEnvironment, InverseModel, Problem, Targets, generator
from invcore.registry.loader import installed

Y = -0.3
SAMPLERS = ("random", "lhs", "maximin-lhs")
COUNTS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
MODES = 16


def fitted(name: str, seed: int) -> tuple[Any, InverseModel]:
    """The task, and a method fitted to it with its default settings."""
    registry = installed().registry
    task, method = registry.load("task", "sine-wave")(), registry.load("method", name)
    data = task.dataset(10_000, 1, seed)
    problem = Problem("sine-wave", task.designs, task.responses, task.differentiable)
    config = method.Config.resolve({}, task="sine-wave")
    return task, method(config).fit(problem, data.train, data.val, FitEnvironment(seed))


def proposals(model: InverseModel, sampler: str, count: int, repeats: int, seed: int) -> Tensor:
    """Designs (repeats, count, 2) for y*, each row from another design of the sampler."""
    drawn = installed().registry.load("sampler", sampler)()
    points = torch.stack([  # anew each time: reflections of one design would be too much alike
        drawn.sample(count, model.point_dim, generator(seed, "points", count, repeat))
        for repeat in range(repeats)
    ])  # fmt: skip
    targets = Targets(torch.full((repeats, 1), Y, dtype=torch.float64))
    return propose_in_batches(model, targets, points, None, Progress()).x


def modes(task: Any, designs: Tensor) -> Tensor:
    """For each row of designs (R, K, 2), how many modes it holds: (R,)."""
    error = (task.simulate(designs.flatten(0, 1)) - Y).square()[:, 0].view(designs.shape[:2])
    column = ((designs[..., 0] + 5 / 6) * 1.5).round().clamp(0, 3)
    row = ((designs[..., 1] + 1) * 1.5).round().clamp(0, 3)
    label = (4 * column + row).long()
    found = torch.zeros(len(designs), MODES).scatter_add_(1, label, (error < 1e-4).float())
    return (found > 0).sum(dim=1)


def measure(method: str, repeats: int, seed: int) -> tuple[list[dict[str, Any]], Any, InverseModel]:
    """Mean number of modes and share of complete sets, by sampler and number of candidates."""
    task, model = fitted(method, seed)
    rows = []
    for sampler in SAMPLERS:
        for count in COUNTS:
            found = modes(task, proposals(model, sampler, count, repeats, seed))
            rows.append({
                "method": method, "sampler": sampler, "candidates": count,
                "modes": float(found.double().mean()),
                "all": float((found == MODES).double().mean()),
            })  # fmt: skip
    return rows, task, model


def picture(
    path: Path,
    fits: dict[str, tuple[Any, InverseModel]],
    rows: list[dict[str, Any]],
    count: int,
    seed: int,
) -> None:
    """Solutions over the error map, methods side by side; below, how often all modes are found."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    axis = torch.linspace(-1, 1, 401, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    shown = ("random", "maximin-lhs")
    figure, frames = pyplot.subplots(
        len(shown) + 1, len(fits), figsize=(4.6 * len(fits), 4.2 * len(shown) + 3), squeeze=False,
        layout="constrained", height_ratios=[1.4] * len(shown) + [1],
    )  # fmt: skip
    for j, (method, (task, model)) in enumerate(fits.items()):
        error = (task.simulate(grid.flatten(0, 1)) - Y).square().view(401, 401)
        for i, sampler in enumerate(shown):
            designs = proposals(model, sampler, count, 1, seed)
            frame, found = frames[i][j], int(modes(task, designs)[0])
            image = frame.pcolormesh(
                axis, axis, error.clamp(min=1e-3).log10(), cmap="Blues_r", shading="auto",
                rasterized=True,
            )  # fmt: skip
            frame.plot(*designs[0].T, "o", ms=3.5, mfc="#e4572e", mec="white", mew=0.4)
            frame.set(title=f"{method}, {sampler}: {found} of {MODES} modes", aspect="equal")
            frame.set(xlabel="x1", ylabel="x2", xlim=(-1, 1), ylim=(-1, 1))
        curves = frames[-1][j]
        for sampler in SAMPLERS:
            some = [r for r in rows if (r["method"], r["sampler"]) == (method, sampler)]
            curves.plot([r["candidates"] for r in some], [r["all"] for r in some], label=sampler)
        curves.set(xscale="log", xlabel="candidates", ylabel=f"share that finds all {MODES}")
        curves.set(title=f"{method}: share of designs that find all modes")
        curves.legend()
    bar = figure.colorbar(image, ax=frames[:-1], shrink=0.6)
    bar.set_label("log10 of the squared error")
    figure.suptitle(f"sine-wave, y* = {Y}: one design of {count} candidates each (above)")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Count for both methods, and draw if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", action="append")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--picture-candidates", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    rows, fits = [], {}
    for method in wanted.method or ("na", "ipage"):
        part, task, model = measure(method, wanted.repeats, wanted.seed)
        rows += part
        fits[method] = (task, model)
    if wanted.picture:
        picture(wanted.picture, fits, rows, wanted.picture_candidates, wanted.seed)
    if wanted.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("method", "candidates", *(f"{s}: modes, all found" for s in SAMPLERS))
    for method in fits:
        for count in COUNTS:
            cells = [
                f"{r['modes']:.2f}  {100 * r['all']:.0f}%"
                for s in SAMPLERS for r in rows
                if (r["method"], r["sampler"], r["candidates"]) == (method, s, count)
            ]  # fmt: skip
            table.add_row(method, str(count), *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
