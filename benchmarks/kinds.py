"""Every kind of wish and of constraint, by every method: two tables.

    python benchmarks/kinds.py [wishes|constraints …] [--methods na mdn …] [--rows FILE] [--seed 0]

Each cell is one fit (or, for wishes, one set of proposals by a method that was fitted once) at
preset quick. Its measurements are appended to FILE as a line of JSON, and a cell that is there is
not done again, so that the tables need no long sitting; at the end both are printed:

    wishes       share of candidates that meet | share of targets whose specification is met by the
                 best of ten, re-simulated | how different the ten are; for goals in the place of
                 the second the regret, in standard deviations, against the best that any method
                 found among candidates that meet the rest
    constraints  share of candidates that satisfy all constraints | share of targets that the best
                 of ten comes nearer than a tenth of a standard deviation | how different they are

Wishes are asked of the robotic arm, with 2,000 pairs: an envelope of thin films' spectra, and goals
of a smooth function of seven variables with bounds (the arm's have none, and so its goals have
none), of which constraints are asked with 1,000 pairs. Searches on the simulator
have 300 calls a candidate at most.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import torch
from kinds_cases import CONSTRAINTS, TARGETS, plugins, wishes
from torch import Tensor

from invcore import Requirement, Specification
from invcore.plugin import Targets

CANDIDATES, TEN = 32, 10


class Fitted:
    """A method fitted to a task once, at preset quick, and asked many times."""

    def __init__(self, everything: Any, method: str, task: str, pairs: int, seed: int,
                 settings: dict[str, Any] | None = None) -> None:  # fmt: skip
        from invcore.configs.run_config import RunConfig
        from invcore.pipeline import Pipeline
        from invcore.runs.plan import Plan, problem_of

        config = RunConfig.parse({
            "task": {"name": task, **(settings or {})}, "method": method, "preset": "quick",
            "pairs": pairs, "seed": seed, "targets": TARGETS, "candidates": CANDIDATES,
            "device": "cpu",
        })  # fmt: skip
        self.plan = Plan.of(config, everything)
        self.task, self.problem = self.plan.task, problem_of(self.plan)
        self.splits = self.task.dataset(pairs, TARGETS, seed)
        self.pipeline = Pipeline(self.plan.request)
        self.spread = self.splits.train.y.std(dim=0)
        self.model = self.pipeline.fit(self.problem, self.splits)

    def designs(self, targets: Targets) -> Tensor:
        """Candidates (B, K, Dx), best first where the model ranks them."""
        from invcore.contracts.simulation.simulator import Budget, Simulator
        from invcore.pipeline.fit import SEARCHES

        simulator = None
        if self.plan.method.needs & SEARCHES:
            simulator = Simulator(
                self.task, targets=targets, each=Budget(300 * CANDIDATES, None), keep=CANDIDATES
            )
        return self.pipeline.propose(self.model, self.problem, targets, simulator).x


def measured(task: Any, targets: Targets, x: Tensor) -> dict[str, Any]:
    """What is told of candidates (B, K, Dx)."""
    y = task.simulate(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    ten, met = y[:, :TEN], targets.met(y)
    width = (task.designs.high - task.designs.low).nan_to_num(posinf=4.0)
    apart = [
        torch.cdist(each / width, each / width).sum() / (TEN * (TEN - 1)) for each in x[:, :TEN]
    ]
    row = {
        "met": float(met.double().mean()),
        "targets met": float(met[:, :TEN].any(1).double().mean()),
        "apart": float(torch.stack(apart).mean()),
        "allowed": float(task.feasible(x.flatten(0, 1)).double().mean()),
        "error": targets.error(ten).amin(1).tolist(),
    }  # fmt: skip
    if targets.has_goals:
        goals = targets.goals(ten) / targets.spread
        good = targets.met(ten)
        best = torch.where(good[..., None], goals, torch.inf)
        row["goals"] = best.tolist()
    return row


def wish_cells(everything: Any, methods: list[str], seed: int, done: set[str]) -> Iterator[Any]:
    """The cells of the first table that are not there."""
    cases = wishes(seed)
    for method in methods:
        for task in dict.fromkeys(task for task, _ in cases.values()):
            kinds = [kind for kind, (own, _) in cases.items() if own == task]
            kinds = [kind for kind in kinds if f"wishes/{kind}/{method}/{seed}" not in done]
            fitted = None
            for kind in kinds:
                cell = {"part": "wishes", "kind": kind, "method": method, "seed": seed}
                start = time.process_time()
                try:
                    fitted = fitted or Fitted(everything, method, task, 2000, seed)
                    specifications = cases[kind][1]
                    responses = fitted.problem.responses
                    targets = Targets.of(specifications, responses).measured_in(fitted.spread)
                    facts = measured(fitted.task, targets, fitted.designs(targets))
                except Exception as error:
                    facts = {"failed": f"{type(error).__name__}: {error}"[:300]}
                yield {**cell, **facts, "cpu": time.process_time() - start}


def constraint_cells(
    everything: Any, methods: list[str], seed: int, done: set[str]
) -> Iterator[Any]:
    """The cells of the second table that are not there."""
    for kind in CONSTRAINTS:
        for method in methods:
            if f"constraints/{kind}/{method}/{seed}" in done:
                continue
            cell = {"part": "constraints", "kind": kind, "method": method, "seed": seed}
            start = time.process_time()
            try:
                fitted = Fitted(everything, method, "machine", 1000, seed, {"constraint": kind})
                y = fitted.splits.test.y
                wide = [{"low": -0.1 * s, "high": 0.1 * s} for s in fitted.spread.tolist()]
                specifications = [
                    Specification.of({
                        n: Requirement(low=v + w["low"], high=v + w["high"])
                        for n, v, w in zip(("y1", "y2"), row, wide, strict=True)
                    })
                    for row in y.tolist()
                ]  # fmt: skip
                targets = Targets.of(specifications, fitted.problem.responses)
                x = fitted.designs(Targets(y))
                facts = measured(fitted.task, targets.measured_in(fitted.spread), x)
            except Exception as error:
                facts = {"failed": f"{type(error).__name__}: {error}"[:300]}
            yield {**cell, **facts, "cpu": time.process_time() - start}


def tables(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Both tables, as Markdown."""
    for part in ("wishes", "constraints"):
        own = [row for row in rows if row["part"] == part]
        if not own:
            continue
        kinds, methods = (list(dict.fromkeys(r[name] for r in own)) for name in ("kind", "method"))
        yield f"\n| {part} | " + " | ".join(methods) + " |"
        yield "|---" * (len(methods) + 1) + "|"
        for kind in kinds:
            cells = {row["method"]: row for row in own if row["kind"] == kind}
            texts = [_cell(part, cells.get(m), list(cells.values())) for m in methods]
            yield f"| {kind} | " + " | ".join(texts) + " |"


def _cell(part: str, row: dict[str, Any] | None, every: list[dict[str, Any]]) -> str:
    if row is None:
        return ""
    if "failed" in row:
        return row["failed"].split(":")[0]
    first = row["met"] if part == "wishes" else row["allowed"]
    second = f"{row['targets met']:.2f}"
    if "goals" in row:
        second = f"{_regret(row, every):.2f} sd"
    return f"{first:.2f} | {second} | {row['apart']:.2f}".replace(" | ", " / ")


def _regret(row: dict[str, Any], every: list[dict[str, Any]]) -> float:
    """How much worse the best of ten is than that of any method, on average; goals count alike."""
    sums = {other["method"]: _best_sum(other) for other in every if "goals" in other}
    found, own = torch.stack(list(sums.values())), sums[row["method"]]
    some = found.isfinite().any(dim=0)
    worst = torch.where(found.isfinite(), found, -torch.inf).amax(dim=0)
    own = torch.where(own.isfinite(), own, worst)  # nothing met: as the worst of all methods
    return float((own - found.amin(dim=0))[some].mean())


def _best_sum(row: dict[str, Any]) -> Tensor:
    return torch.tensor(row["goals"]).sum(dim=2).amin(dim=1)


def main() -> None:
    """Fill what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["wishes", "constraints"])
    parser.add_argument("--methods", nargs="*")
    parser.add_argument("--rows", type=Path, default=Path("kinds.jsonl"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    everything = plugins()
    names = [entry.component.name for entry in everything.registry.entries("method")]
    methods = options.methods or sorted(names)
    rows: list[dict[str, Any]] = []
    if options.rows.exists():
        rows = [json.loads(line) for line in options.rows.read_text().splitlines()]
    done = {f"{r['part']}/{r['kind']}/{r['method']}/{r['seed']}" for r in rows}
    cells = {"wishes": wish_cells, "constraints": constraint_cells}
    for part in options.parts:
        for row in cells[part](everything, methods, options.seed, done):
            with options.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
            rows.append(row)
            what = row.get("failed") or f"{row['met']:.2f} {row['targets met']:.2f}"
            print(f"{row['part']} {row['kind']} {row['method']}: {what}", file=sys.stderr)
    print("\n".join(tables([row for row in rows if row["seed"] == options.seed])))


if __name__ == "__main__":
    main()
