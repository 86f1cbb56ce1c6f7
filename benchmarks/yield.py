"""Whether the yield of made designs lies within the interval that `solve` states.

    python benchmarks/yield.py [--cells 6] [--rows FILE] [--first-seed 0]

Tables of 300 to 1,000 rows are drawn from tasks with a known simulator. With random tolerances and
random specifications (intervals, some open at one end, some responses ignored) designs are proposed
from the table alone, ranked by their yield; the simulator then makes 4,096 copies of the first five
of each specification. Each cell (a task, a number of rows, a seed) is appended to FILE as lines of
JSON, and one that is there is not done again. Settings were chosen on seeds from 1000 on.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

TASKS = ("robotic-arm", "ballistics", "thin-film")
ROWS = (300, 600, 1000)
WAVELENGTHS = range(20, 256, 40)  # of the thin film's 256 responses
SETS, SPECIFICATIONS, DESIGNS = 3, 5, 5  # of tolerances; for each; told of each
COPIES = 4096
DEVIATIONS = (-1.5, -0.4)  # powers of ten, of a column's standard deviation
WIDTHS = (-1.5, -0.3)  # likewise of a response's


def cells(count: int, first: int) -> Iterator[tuple[str, int, int]]:
    """Tasks, rows and seeds, in the order in which they are done."""
    for i in range(count):
        seed, place = divmod(i, len(TASKS))
        yield TASKS[place], ROWS[(seed + place) % len(ROWS)], first + seed


def measure(name: str, rows: int, seed: int) -> list[dict[str, Any]]:
    """The designs of one cell."""
    import invcore_solve

    from invcore.plugin import MadeDesigns, Targets, Tolerances, generator, installed

    task = installed().registry.load("task", name)()
    columns = [*WAVELENGTHS] if name == "thin-film" else slice(None)
    pairs, fresh = (
        task.pairs(n, generator(seed, part)) for n, part in ((rows, "table"), (2000, "targets"))
    )
    y = pairs.y[:, columns]
    designer = invcore_solve.fit(pairs.x, y, seed=seed)
    spaces = designer.data.designs, designer.data.responses
    rng = np.random.default_rng([seed, rows, TASKS.index(name)])
    low, high = y.quantile(0.02, dim=0), y.quantile(0.98, dim=0)
    reached = fresh.y[:, columns]
    reached = reached[((reached > low) & (reached < high)).all(dim=1)]
    lines = []
    for part in range(SETS):
        texts = tolerances(rng, spaces[0].names, pairs.x.std(dim=0).tolist())
        own = reached[part * SPECIFICATIONS :][:SPECIFICATIONS]
        wanted = [specification(rng, spaces[1].names, row, y.std(dim=0)) for row in own]
        found = designer.propose(
            specification=wanted, tolerances=texts, candidates=20, seed=part
        ).top(DESIGNS)
        made = MadeDesigns.draw(
            Tolerances.of_texts(texts, *spaces), *spaces, COPIES, seed=seed + 77_777
        )
        copies = made.of(found.designs)
        response = task.simulate(copies.flatten(0, 1))[:, columns].view(*copies.shape[:2], -1)
        assert isinstance(found.wanted, Targets) and found.making is not None
        share = found.wanted.met(response).double().mean(dim=1)
        said = found.making.robustness
        for i in range(len(found)):
            lines.append({
                "task": name, "rows": rows, "seed": seed, "set": part, "true": float(share[i]),
                "said": float(said.share[i]), "low": float(said.low[i]),
                "high": float(said.high[i]), "rank": int(found.rank[i]),
            })  # fmt: skip
    return lines


def tolerances(rng: np.random.Generator, names: tuple[str, ...], spread: list[float]) -> list[str]:
    """Of most variables, uniform or normal."""
    texts: list[str] = []
    for i, name in enumerate(names):
        if rng.random() < 0.75 or (i == len(names) - 1 and not texts):
            size = spread[i] * 10 ** rng.uniform(*DEVIATIONS)
            texts.append(f"`{name}`={'±' if rng.random() < 0.5 else '~'}{size:.5g}")
    return texts


def specification(
    rng: np.random.Generator, names: tuple[str, ...], around: torch.Tensor, spread: torch.Tensor
) -> Any:
    """Intervals around one response; some are open at one end, and some responses are ignored."""
    from invcore import Requirement, Specification

    wanted = {}
    for i, name in enumerate(names):
        below, above = (float(spread[i] * 10 ** rng.uniform(*WIDTHS)) for _ in range(2))
        low, high = float(around[i]) - below, float(around[i]) + above
        kind = rng.random()
        if kind < 0.7:
            wanted[name] = Requirement(low=low, high=high)
        elif kind < 0.85 or i == 0:
            wanted[name] = Requirement(low=low)
        elif kind < 0.93:
            wanted[name] = Requirement(high=high)
    return Specification.of(wanted)


def told(lines: list[dict[str, Any]]) -> str:
    """How many true yields lie within their intervals, and how wide those are."""
    inside = np.array([line["low"] <= line["true"] <= line["high"] for line in lines])
    first = inside[[line["rank"] == 1 for line in lines]]
    wide = np.array([line["high"] - line["low"] for line in lines])
    off = np.array([line["true"] - line["said"] for line in lines])
    return (
        f"{inside.mean():.1%} of {len(lines)} within, {first.mean():.1%} of the {len(first)} that "
        f"are ranked first; width {wide.mean():.3f}, median "
        f"{np.median(wide):.3f}; true yield {np.mean([line['true'] for line in lines]):.3f}, "
        f"stated less by {off.mean():.3f}"
    )


def main() -> None:
    """Measure what is not in the file yet, and print the figures of all that is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=6)
    parser.add_argument("--rows", type=Path, default=Path("yield.jsonl"))
    parser.add_argument("--first-seed", type=int, default=0)
    wanted = parser.parse_args()
    there = read(wanted.rows)
    done = {(line["task"], line["rows"], line["seed"]) for line in there}
    for cell in cells(wanted.cells, wanted.first_seed):
        if cell not in done:
            text = "".join(json.dumps(line) + "\n" for line in measure(*cell))
            with open(wanted.rows, "a", encoding="utf-8") as file:
                file.write(text)
    asked = {*cells(wanted.cells, wanted.first_seed)}
    lines = [
        line for line in read(wanted.rows) if (line["task"], line["rows"], line["seed"]) in asked
    ]
    print(f"all: {told(lines)}")
    for name in TASKS:
        own = [line for line in lines if line["task"] == name]
        if own:
            print(f"{name}: {told(own)}")


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, none where there is none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
