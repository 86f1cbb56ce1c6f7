"""Random sets of linear and discrete constraints: verdicts, samples, nearest points, conflicts.

    python benchmarks/constraint_sets.py --sets 1000 --from 0 --rows FILE

Each set is appended to FILE, if one is given, as a line of JSON, and one that is there is not done
again; at the end the figures of all sets are printed. Sets are seeded by their numbers; settings of
the library were chosen on numbers from 1,000,000 on. Times are process times on one thread.

* The verdict is compared with how the set was made and with SciPy's solvers.
* 200 samples and 200 projections of a set with points are checked against the raw rows.
* Projections are compared with a lower bound of the distance: the Lagrangian's, with multipliers
  from non-negative least squares on the raw rows; with whole numbers, for each assignment, found by
  trying all where they are few. Beyond, the search's own proof counts.
* Of a set without points, the conflict must have none, and one without any of its members must.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from constraint_kinds import CONTINUOUS, Draft
from discrete_kinds import DISCRETE
from scipy import optimize

from invcore.spaces.constraints.linear_sets.conflict import conflict
from invcore.spaces.constraints.linear_sets.mixed import MixedSet
from invcore.spaces.constraints.linear_sets.system import Floats, LinearSystem

POINTS = 200
CHECKED = 20  # projections whose distance is compared with a lower bound
_FEW = 400


def drawn(number: int) -> tuple[str, Draft]:
    """A set, and its kind."""
    generator = np.random.default_rng([20, number])
    kinds = CONTINUOUS if generator.random() < 0.6 else DISCRETE
    kind = kinds[int(generator.integers(len(kinds)))]
    draft = kind(generator)
    if generator.random() < 0.25:
        draft.contradict()
    return kind.__name__, draft


def decided(system: LinearSystem) -> bool | None:
    """Whether SciPy finds a point; None if it cannot tell."""
    scaled = np.where(system.integer, 1.0, system.width)
    origin = np.where(np.isfinite(system.low), system.low, 0.0)
    shift = system.matrix @ origin
    norm = np.linalg.norm(system.matrix * system.width, axis=1)
    norm = np.where(norm > 0, norm, 1.0)
    rows = optimize.LinearConstraint(
        system.matrix * scaled / norm[:, None],
        (system.row_low - shift) / norm,
        (system.row_high - shift) / norm,
    )
    found = optimize.milp(
        np.zeros(system.columns),
        constraints=rows if len(norm) else (),
        integrality=system.integer.astype(int),
        bounds=optimize.Bounds((system.low - origin) / scaled, (system.high - origin) / scaled),
        options={"time_limit": 60.0},
    )
    return {0: True, 2: False}.get(found.status)


def lower_bound(system: LinearSystem, given: Floats, point: Floats) -> float:
    """A bound of the distance of a continuous set to a point, by multipliers of the raw rows."""
    unit = system.width / np.sqrt(np.where(system.weight > 0, system.weight, 1e-4))
    rows, eye = system.matrix, np.eye(system.columns)
    normals = np.vstack([rows, -rows, eye, -eye]) * unit
    limits = np.concatenate([system.row_high, -system.row_low, system.high, -system.low])
    limits = limits - np.vstack([rows, -rows, eye, -eye]) @ point
    finite = np.isfinite(limits) & (np.linalg.norm(normals, axis=1) > 0)
    normals, limits = normals[finite], limits[finite]
    norm = np.linalg.norm(normals, axis=1)
    normals, limits = normals / norm[:, None], limits / norm
    way, best = (given - point) / unit, 0.0
    for close in (1e-12, 1e-10, 1e-8, 1e-6):
        active = limits <= close
        if active.any():
            shares, _ = optimize.nnls(normals[active].T, way)
            total = normals[active].T @ shares
            square = 2 * shares @ (normals[active] @ way - limits[active]) - total @ total
            best = max(best, float(np.sqrt(max(square, 0.0))))
    return best


def worst_gap(system: LinearSystem, chosen: MixedSet, given: Floats) -> float:
    """By how much projections are farther than they need be, at most; NaN if nothing tells."""
    found = chosen.project(given)
    gaps = []
    for g, point, distance in zip(given, found.points, found.distance, strict=True):
        fixed = _at(system, point[system.integer])
        whole = system.integer & (system.weight > 0)
        part = ((g - point)[whole] / system.width[whole]) ** 2 @ system.weight[whole]
        own = np.sqrt(lower_bound(fixed, np.where(whole, point, g), point) ** 2 + part)
        gaps.append(0.0 if distance < 1e-10 else distance - own)
    if not system.integer.any():
        return float(max(gaps))
    values = _all_assignments(system, chosen)
    if values is None:
        return float("nan")
    best = np.full(len(given), np.inf)
    for assignment in values:
        leaf = MixedSet(_at(system, assignment))
        if leaf.feasible:
            best = np.minimum(best, leaf.project(given).distance)
    return float(max(max(gaps), (found.distance - best).max()))


def _at(system: LinearSystem, values: Floats) -> LinearSystem:
    low, high = system.low.copy(), system.high.copy()
    low[system.integer] = high[system.integer] = values
    return replace(system, low=low, high=high)


def _all_assignments(system: LinearSystem, chosen: MixedSet) -> Floats | None:
    low, high = system.low[system.integer], system.high[system.integer]
    if (chosen.assignments or _FEW + 1) > _FEW or np.prod(high - low + 1) > 3000:
        return None
    grids = np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)))
    return np.stack([grid.ravel() for grid in grids], axis=1)


def measured(number: int) -> dict[str, Any]:
    """All about one set."""
    kind, draft = drawn(number)
    system, seconds = draft.system(), {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = call()
        seconds[name] = time.process_time() - start
        return result

    chosen = MixedSet(system)
    feasible = timed("verdict", lambda: chosen.feasible)
    row: dict[str, Any] = {
        "set": number,
        "kind": kind,
        "columns": system.columns,
        "rows": system.rows,
        "whole": int(system.integer.sum()),
        "made": draft.feasible,
        "scipy": decided(system),
        "feasible": feasible,
        "seconds": seconds,
    }
    if not feasible:
        owners = timed("conflict", lambda: conflict(system))
        row["conflict"] = len(owners)
        smaller = [decided(system.keeping(set(owners) - {owner})) for owner in owners]
        row["irreducible"] = decided(system.keeping(owners)) is False and all(smaller)
        return row
    row["assignments"] = timed("assignments", lambda: chosen.assignments)
    generator = np.random.default_rng([21, number])
    samples = timed("samples", lambda: chosen.sample(POINTS, generator))
    spread = generator.choice([0.3, 1.0, 3.0])
    middle = 0.5 * (system.low + system.high)
    given = middle + spread * generator.standard_normal((POINTS, system.columns)) * system.width
    found = timed("projections", lambda: chosen.project(given))
    return row | {
        "uniform": samples.uniform,
        "sampled": float(system.violation(samples.points).max()),
        "projected": float(system.violation(found.points).max()),
        "proven": float(found.proven.mean()),
        "gap": worst_gap(system, chosen, given[:CHECKED]),
    }


def done(file: Path) -> Iterator[dict[str, Any]]:
    """The lines there are."""
    if file.exists():
        yield from map(json.loads, file.read_text().splitlines())


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What all sets say together."""
    points = [r for r in rows if r["feasible"]]
    total = {r["set"]: sum(r["seconds"].values()) for r in rows}
    groups = {
        "continuous": [r for r in rows if not r["whole"]],
        "listed": [r for r in points if r["whole"] and r["assignments"] is not None],
        "beyond": [r for r in points if r["whole"] and r["assignments"] is None],
        "empty": [r for r in rows if not r["feasible"]],
    }
    return {
        "sets": len(rows),
        "wrong verdicts": [r["set"] for r in rows if r["feasible"] != r["made"]],
        "SciPy differs": [r["set"] for r in rows if r["feasible"] != r["scipy"]],
        "violated": [r["set"] for r in points if max(r["sampled"], r["projected"]) > 1e-9],
        "not nearest": [r["set"] for r in points if r["gap"] > 1e-10],
        "not compared": sum(bool(np.isnan(r["gap"])) for r in points),
        "not proven": [r["set"] for r in points if r["proven"] < 1],
        "not irreducible": [r["set"] for r in groups["empty"] if not r["irreducible"]],
        "seconds (median, 99%, worst)": {
            name: [
                len(g),
                *np.quantile([total[r["set"]] for r in g], [0.5, 0.99, 1]).round(2).tolist(),
            ]
            for name, g in groups.items()
            if g
        },
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--rows", type=Path)
    options = parser.parse_args()
    rows = {row["set"]: row for row in done(options.rows)} if options.rows else {}
    with options.rows.open("a") if options.rows else nullcontext() as file:
        for number in range(options.first, options.first + options.sets):
            if number not in rows:
                rows[number] = measured(number)
                if file:
                    file.write(json.dumps(rows[number]) + "\n")
                    file.flush()
    print(json.dumps(figures(list(rows.values())), indent=1))


if __name__ == "__main__":
    main()
