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
import types
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from invcore import (
    Categorical,
    Component,
    Integers,
    Periodic,
    Requirement,
    Space,
    Specification,
    Uniform,
    Variable,
    hookimpl,
)
from invcore.plugin import Config, Field, Targets, Task, generator

TARGETS, CANDIDATES, TEN = 40, 32, 10
ANY = Requirement(goal="ignore")

CONSTRAINTS: dict[str, tuple[Any, ...]] = {
    "none": (),
    "sum": ("a + b + c + d == 1.6",),
    "inequality": ("a + 2*b <= 1",),
    "order": ("a <= b <= c <= d",),
    "fixed": ("c == 0.3",),
    "levels": ("a in {0, 0.25, 0.5, 1}", "b in {0.1, 0.9}"),
    "list": ("(a == 0.2 and b == 0.8) or (a == 0.7 and b == 0.1) or (a == 0.9 and b == 0.9)",),
    "periodic": (Periodic(variable="phi", low=0.0, high=360.0),),
    "categories": ("kind in {A, C}",),
    "integers": ("n >= 3",),
    "condition": ("if kind == B then 0.2 <= a <= 0.4",),
    "forbidden": ("not (kind == A and n >= 3)",),
    "few non-zero": ("at most 2 of a, b, c, d",),
    "nonlinear": ("a*b + c^2 <= 0.3",),
    "several": (
        "a + b + c + d == 1",
        "at most 3 of a, b, c, d",
        "a <= b",
        "if n > 3 then d >= 0.2",
    ),
}


class MachineConfig(Config):
    """Which constraints its designs have."""

    constraint: str = Field("none", description="A kind: see CONSTRAINTS.")


class Machine(Task[MachineConfig]):
    """A smooth function of four settings, an angle, a count and a kind, made up for this."""

    Config = MachineConfig
    responses = Space.of(Variable(name="y1"), Variable(name="y2"))
    free_calls = True

    @property
    def designs(self) -> Space:
        """With the constraints of the config."""
        parts = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"]
        return Space.of(
            *parts,
            Variable(name="phi", prior=Uniform(low=0.0, high=360.0)),
            Variable(name="n", prior=Integers(low=1, high=6)),
            Variable(name="kind", prior=Categorical(categories=("A", "B", "C"))),
            constraints=CONSTRAINTS[self.config.constraint],
        )

    def simulate(self, x: Tensor, context: Any = None) -> Tensor:
        """Responses (N, 2) of designs (N, 7)."""
        a, b, c, d, phi, n, kind = x.unbind(1)
        turn, shift = torch.deg2rad(phi), torch.stack([0 * kind, kind * 0.7, kind.square() * 0.2])
        shift = shift.gather(0, kind.round().long().clamp(0, 2)[None])[0]
        first = (a + shift - 0.5).square() + b * torch.sin(3 * c + turn) + 0.1 * n
        second = torch.exp(-d) * (1 + a * b) + 0.3 * torch.cos(turn) * c + 0.2 * shift
        return torch.stack([first, second], dim=1)


def plugins() -> Any:
    """The installed ones, and this file's task."""
    from invcore.registry.loader import Plugins

    module: Any = types.ModuleType("kinds_tasks")
    module.API_VERSION, module.Machine = 1, Machine
    components = [Component("machine", "Made up, with constraints.", "kinds_tasks:Machine")]
    module.invcore_tasks = hookimpl(lambda: components)
    sys.modules["kinds_tasks"] = module
    own = EntryPoint("kinds", "kinds_tasks", "invcore")
    return Plugins([*entry_points(group="invcore"), own])


@cache
def truths(task: str, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Fresh test responses of a task (B, Dy), many of its responses, and their deviations."""
    from invcore.registry.loader import installed

    own = Machine() if task == "machine" else installed().registry.load("task", task)()
    fresh = own.pairs(TARGETS, generator(seed, "kinds", "targets")).y
    many = own.pairs(4000, generator(seed, "kinds", "many")).y
    return fresh, many, many.std(dim=0)


def wishes(seed: int) -> dict[str, tuple[str, list[Specification]]]:
    """The specifications of each kind, and the task that they are asked of."""
    fresh, many, spread = truths("robotic-arm", seed)
    s = spread.tolist()

    def rows(make: Callable[[float, float], dict[str, Requirement]]) -> list[Specification]:
        return [Specification.of(make(*row)) for row in fresh.tolist()]

    def near(value: float, width: float) -> Requirement:
        return Requirement(low=value - width, high=value + width)

    best, _, width = truths("machine", seed)
    w = width.tolist()

    def goals(make: Callable[[float, float], dict[str, Requirement]]) -> list[Specification]:
        return [Specification.of(make(*row)) for row in best.tolist()]

    level = many.quantile(torch.tensor([0.005, 0.95], dtype=many.dtype), dim=0).tolist()
    arm = "robotic-arm"
    return {
        "exact": (arm, rows(lambda a, b: {"y1": Requirement.exact(a), "y2": Requirement.exact(b)})),
        "between": (arm, rows(lambda a, b: {"y1": near(a, s[0] / 10), "y2": near(b, s[1] / 10)})),
        "between, no row": (
            arm, rows(lambda a, b: {"y1": near(a, s[0] / 100), "y2": near(b, s[1] / 100)})
        ),
        "one free": (arm, rows(lambda a, b: {"y2": near(b, s[1] / 100)})),
        "at least": (
            arm, rows(lambda a, b: {"y2": Requirement(low=level[1][1]), "y1": near(a, 2 * s[0])})
        ),
        "at most": (
            arm, rows(lambda a, b: {"y1": Requirement(high=level[0][0]), "y2": near(b, s[1])})
        ),
        "weights, tolerances": (
            arm,
            rows(lambda a, b: {
                "y1": Requirement(low=a, high=a, tolerance=s[0] / 20, weight=4.0),
                "y2": Requirement(low=b, tolerance=s[1] / 5),
            }),
        ),
        "minimise": ("machine", goals(lambda a, b: {"y1": Requirement(goal="minimise"),
                                                    "y2": near(b, w[1] / 4)})),
        "maximise": ("machine", goals(lambda a, b: {"y2": Requirement(goal="maximise"),
                                                    "y1": near(a, w[0] / 2)})),
        "two goals": ("machine", goals(lambda a, b: {"y1": Requirement(goal="minimise"),
                                                     "y2": Requirement(goal="maximise")})),
        "envelope": ("thin-film", envelopes(seed)),
    }  # fmt: skip


def envelopes(seed: int) -> list[Specification]:
    """Masks of a tenth of a standard deviation on a fifth of each test spectrum."""
    from invcore.registry.loader import installed

    fresh, _, spread = truths("thin-film", seed)
    names = installed().registry.load("task", "thin-film")().responses.names
    width, found = len(names) // 5, []
    for row, curve in enumerate(fresh.tolist()):
        first = (37 * row) % (len(names) - width)
        found.append(Specification.of({
            names[i]: Requirement(low=curve[i] - float(spread[i]) / 10,
                                  high=curve[i] + float(spread[i]) / 10)
            for i in range(first, first + width)
        }))  # fmt: skip
    return found


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
    width = (task.designs.high - task.designs.low).nan_to_num(posinf=4.0).clamp(max=4.0)
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
