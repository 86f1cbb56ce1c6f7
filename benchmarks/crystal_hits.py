"""The study of the papers on crystal-mos2: 1,000 designs for each of three wanted band gaps.

    python benchmarks/crystal_hits.py [--source table] [--preset quick] [--method ipage] [--json]

Each method learns from rows of the DFT table (`--source table`, which needs INVCORE_DATA or the
network) or from pairs of the proxy, and proposes `--count` designs for 0.5, 1.0 and 1.5 eV. The
task's proxy says their gaps; a hit is off by 0.1 eV at most. "localised" are the designs after
`invcore.localise` on one surrogate, which learnt from the same pairs; ipage and na localise by
themselves: for them "raw" are their starts. "At an end" of the box of the training rows are designs
that a method had outside and put back, or whose search ended there: compare the published
"outside" with these.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from invcore import Space
from invcore.base.progress import Progress
from invcore.learning import Scaling, Surrogate, SurrogateConfig, fit_surrogate
from invcore.pipeline.proposals import draw_points, propose_in_batches
from invcore.plugin import (
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Problem,
    Splits,
    Targets,
    generator,
    installed,
)
from invcore.search import LocalisationConfig, Trust, localised_candidates

TASK = "crystal-mos2"
GAPS = (0.5, 1.0, 1.5)  # eV
METHODS = ("ipage", "cinn", "inn", "na", "mdn")
HIT = 0.1  # eV
CELL = ("a", "b", "c", "alpha", "beta", "gamma")
HEAD = (
    "method", "wanted eV", "hits raw", "hits localised", "MAE raw", "MAE localised",
    "outside", "at an end raw", "localised", "a, b, c Å; alpha, beta, gamma ° of the hits",
)  # fmt: skip


def resolved(name: str, preset: str, **more: Any) -> InverseMethod[Any]:
    """A method with its settings for this task."""
    method = installed().registry.load("method", name)
    built: InverseMethod[Any] = method(method.Config.resolve(more, preset=preset, task=TASK))
    return built


def proposed(model: InverseModel, count: int, seed: int) -> Tensor:
    """Designs (3, count, 7) for the wanted gaps, from space-filling points where they may be."""
    targets = Targets(torch.tensor(GAPS, dtype=torch.float64)[:, None])
    sampler = installed().registry.load("sampler", "lhs")()
    points = draw_points(sampler, model, len(GAPS), count, generator(seed, "points"))
    return propose_in_batches(model, targets, points, None, Progress()).x


def shared(data: Splits, task: Any, preset: str, seed: int) -> tuple[Surrogate, Trust]:
    """One surrogate for the methods that do not localise, of NA's settings."""
    method = installed().registry.load("method", "na")
    config: SurrogateConfig = method.Config.resolve({}, preset=preset, task=TASK).surrogate
    context, scaling = FitEnvironment(seed), Scaling.fit(task.designs, data.train)
    surrogate, _ = fit_surrogate(config, scaling, data.train, data.val, context)
    return surrogate, Trust.fit(surrogate, scaling.pairs(data.train), context.generator("trust"))


def localised(surrogate: Surrogate, trust: Trust, designs: Tensor) -> Tensor:
    """The designs (3, K, 7) moved to where the surrogate gives the wanted gaps."""
    scaling = surrogate.scaling
    wanted = scaling.y(torch.tensor(GAPS, dtype=torch.float64)[:, None]).float()
    config = LocalisationConfig()
    starts = scaling.encode(designs)
    return localised_candidates(surrogate, starts, wanted, scaling, config, trust).x


def figures(task: Any, box: Space, raw: Tensor, moved: Tensor) -> list[dict[str, Any]]:
    """What the proxy says of one method's designs, a row for each wanted gap."""
    rows, slack = [], 1e-6 * (box.high - box.low)  # networks compute in float32
    for place, gap in enumerate(GAPS):
        row: dict[str, Any] = {"gap": gap, "count": len(raw[place])}
        for name, x in (("raw", raw[place]), ("localised", moved[place])):
            off = (task.simulate(x)[:, 0] - gap).abs()
            row[f"hits_{name}"] = int((off <= HIT).sum())
            row[f"mae_{name}"] = float(off.mean())
            row[f"outside_{name}"] = float((~task.designs.contains(x)).double().mean())
            ends = (x <= box.low + slack) | (x >= box.high - slack)
            row[f"at_an_end_{name}"] = float(ends.any(dim=1).double().mean())
        hits = moved[place][(task.simulate(moved[place])[:, 0] - gap).abs() <= HIT]
        row["cell"] = {
            name: [float(hits[:, i].mean()), float(hits[:, i].std())]
            for i, name in enumerate(CELL)
            if len(hits) > 1
        }
        rows.append(row)
    return rows


def measure(
    names: list[str], source: str, preset: str, pairs: int, count: int, seed: int
) -> list[dict[str, Any]]:
    """Fit each method on the same pairs, and propose."""
    kind = installed().registry.load("task", TASK)
    task = kind(kind.Config(source=source))
    data = task.dataset(pairs, 1, seed)
    box = Scaling.fit(task.designs, data.train).designs
    problem = Problem(TASK, task.designs, task.responses, task.differentiable)
    judge = None if set(names) <= {"ipage", "na"} else shared(data, task, preset, seed)
    rows = []
    for name in names:
        method = resolved(name, preset)
        model = method.fit(problem, data.train, data.val, FitEnvironment(seed))
        designs = proposed(model, count, seed)
        if judge and name not in ("ipage", "na"):
            raw, moved = designs, localised(*judge, designs)
        else:
            still = resolved(name, preset, localisation={"steps": 0, "adam_steps": 0})
            raw = proposed(still.restore(problem, model.state()), count, seed)
            moved = designs
        rows += [{"method": name, **row} for row in figures(task, box, raw, moved)]
    return rows


def cells(row: dict[str, Any]) -> list[str]:
    """One row as text."""
    cell = " ".join(f"{mean:.2f}±{spread:.2f}" for mean, spread in row["cell"].values())
    outside = max(row["outside_raw"], row["outside_localised"])
    return [
        row["method"], f"{row['gap']:g}", str(row["hits_raw"]), str(row["hits_localised"]),
        f"{row['mae_raw']:.3f}", f"{row['mae_localised']:.3f}", f"{outside:.0%}",
        f"{row['at_an_end_raw']:.0%}", f"{row['at_an_end_localised']:.0%}", cell or "-",
    ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--method", action="append", choices=METHODS)
    parser.add_argument("--source", choices=("table", "proxy"), default="table")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--pairs", type=int, default=9000)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = measure(
        given.method or list(METHODS), given.source, given.preset, given.pairs, given.count,
        given.seed,
    )  # fmt: skip
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
