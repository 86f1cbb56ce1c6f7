"""The best optical coatings by brute force: all materials, with thicknesses on a grid.

    python benchmarks/coating_reference.py [--layers 3] [--step 20] [--limit 0.005] [--json]

For each choice of materials without equal neighbours, all thicknesses of the grid are simulated.
From the best one of each choice the thicknesses are then moved freely (SciPy's SLSQP), to the
thinnest coating that reflects at most the limit at all nine wavelengths: what a grid misses. Three
layers take some seconds, four (20 nm) some minutes of one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
from typing import Any

import numpy as np
import torch
from invcore_engineering.materials import MATERIALS
from invcore_engineering.optical_coating import (
    LIMIT,
    THICKEST,
    THINNEST,
    coating_reflectance,
)
from scipy.optimize import minimize
from torch import Tensor


def choices(layers: int) -> list[tuple[int, ...]]:
    """All materials of some layers, no two neighbours alike."""
    every = itertools.product(range(len(MATERIALS)), repeat=layers)
    return [one for one in every if all(a != b for a, b in itertools.pairwise(one))]


def on_grid(layers: int, step: float) -> list[tuple[float, float, tuple[int, ...], Tensor]]:
    """For each choice of materials the grid's design of the lowest largest reflectance.

    Returns:
        The largest reflectance, the thickness, materials and thicknesses of each, best first.
    """
    ends = torch.arange(THINNEST, THICKEST + 1e-9, step, dtype=torch.float64)
    grid = torch.cartesian_prod(*[ends] * layers).view(-1, layers)
    rows = []
    for materials in choices(layers):
        numbers = torch.tensor(materials)
        parts = [
            coating_reflectance(part, numbers.expand(len(part), -1)).amax(dim=1)
            for part in grid.split(8192)
        ]
        largest = torch.cat(parts)
        best = int(largest.argmin())
        rows.append((float(largest[best]), float(grid[best].sum()), materials, grid[best]))
    return sorted(rows, key=lambda row: row[0])


def thinnest(start: Tensor, materials: tuple[int, ...], limit: float) -> tuple[float, list[float]]:
    """The thinnest coating near a design that reflects at most the limit; infinite if there is
    none.
    """
    numbers = torch.tensor(materials)

    def room(d: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return 100 * (limit - coating_reflectance(torch.from_numpy(100 * d), numbers).numpy())

    def slope(d: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        function = lambda each: coating_reflectance(100 * each, numbers)  # noqa: E731
        return -100 * torch.func.jacrev(function)(torch.from_numpy(d)).numpy()

    found = minimize(
        lambda d: d.sum(), start.numpy() / 100, jac=lambda d: np.ones_like(d), method="SLSQP",
        bounds=[(THINNEST / 100, THICKEST / 100)] * len(start),
        constraints={"type": "ineq", "fun": room, "jac": slope},
        options={"ftol": 1e-10, "maxiter": 300},
    )  # fmt: skip
    good = found.success and room(found.x).min() > -1e-6
    return (float(100 * found.fun) if good else np.inf), (100 * found.x).tolist()


def measure(layers: int, step: float, limit: float) -> dict[str, Any]:
    """What the grid has, and what is found from its best designs."""
    rows = on_grid(layers, step)
    moved = [(*thinnest(start, materials, limit), materials) for _, _, materials, start in rows]
    thickness, design, materials = min(moved)
    return {
        "layers": layers,
        "step": step,
        "limit": limit,
        "choices": len(rows),
        "choices_within_the_limit_on_the_grid": sum(row[0] <= limit for row in rows),
        "lowest_on_the_grid": rows[0][0],
        "its_thicknesses": rows[0][3].tolist(),
        "its_materials": [MATERIALS[i] for i in rows[0][2]],
        "thinnest": thickness,
        "thinnest_thicknesses": [round(d, 2) for d in design],
        "thinnest_materials": [MATERIALS[i] for i in materials],
    }


def main() -> None:
    """Print the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--step", type=float, default=20.0)
    parser.add_argument("--limit", type=float, default=LIMIT)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    row = measure(options.layers, options.step, options.limit)
    print(json.dumps(row) if options.json else "\n".join(f"{k}: {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
