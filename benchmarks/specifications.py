"""What every method makes of specifications, checked by the true simulators.

    python benchmarks/specifications.py PART … [--methods na mdn] [--tasks robotic-arm]
        [--pairs 10000] [--preset quick] [--count 40] [--seed 0] [--rows FILE]

Each figure is appended to FILE as a line of JSON, and one that is there is not done again, so that
no table needs one long sitting; at the end the figures of all lines are printed. Parts:

    shares    the share of candidates that meet, and of specifications that the best of ten meets

Specifications lie around fresh responses, or at the ends of the training ones. Settings were chosen
with seeds from 1000 on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from invcore.contracts.simulation.simulator import Simulator
from invcore.learning import ResponseDensity
from invcore.pipeline import build, fit_model, propose, resimulate
from invcore.pipeline.fit import SEARCHES
from invcore.plugin import (
    FitEnvironment,
    Pairs,
    Problem,
    Splits,
    Targets,
    generator,
    installed,
)

CANDIDATES = 10
MANY = {"thin-film": 20_000}  # other tasks cost less
ROOM = 0.02  # standard deviations by which a goal can be better than at the best pair
TASKS = ("robotic-arm", "ballistics", "thin-film")
COUNTS = {"thin-film": 16}
NARROW = {
    ("robotic-arm", 10_000): 0.01, ("robotic-arm", 300): 0.05,
    ("ballistics", 10_000): 2e-4, ("ballistics", 300): 5e-3,
}  # fmt: skip
"""Half widths, in standard deviations, of intervals that hold no pair."""
WIDE = 0.25
"""Half width of intervals that hold many."""


@dataclass(frozen=True)
class Known:
    """What specifications are made of.

    Args:
        y: (N, Dy), training responses.
        fresh: (M, Dy), others of the same task.
        many: (R, Dy), very many more, which tell what can be reached.
        narrow: half width, in standard deviations, of an interval that holds no pair.
        random: draws what there is to choose.
    """

    y: Tensor
    fresh: Tensor
    many: Tensor
    narrow: float
    random: torch.Generator

    @property
    def spread(self) -> Tensor:
        """Of the training responses, (Dy,)."""
        return self.y.std(dim=0)

    def choice(self, most: int) -> int:
        """A whole number below ``most``."""
        return int(torch.randint(most, (1,), generator=self.random))


def targets_of(low: Tensor, high: Tensor, goal: Tensor | None = None) -> Targets:
    """Targets from ends (B, Dy), with weights of one."""
    goal = torch.zeros_like(low).long() if goal is None else goal
    return Targets.of_parts(low, high, goal, torch.ones_like(low), torch.full_like(low, torch.nan))


def around(known: Known, centre: Tensor, half: float) -> tuple[Tensor, Tensor]:
    """The ends of intervals around responses, by standard deviations."""
    return centre - half * known.spread, centre + half * known.spread


def many(known: Known, count: int) -> Targets:
    """Intervals that hold many pairs."""
    return targets_of(*around(known, known.fresh[:count], WIDE))


def none(known: Known, count: int) -> Targets:
    """Narrow intervals that hold no pair."""
    low, high = around(known, known.fresh, known.narrow)
    held = torch.stack([
        ((known.y >= a) & (known.y <= b)).all(dim=1).any() for a, b in zip(low, high, strict=True)
    ])  # fmt: skip
    return targets_of(low[~held][:count], high[~held][:count])


def _free(known: Known, count: int) -> tuple[Tensor, Tensor]:
    shape = count, known.y.shape[1]
    return torch.full(shape, -torch.inf).double(), torch.full(shape, torch.inf).double()


def edge(known: Known, count: int) -> Targets:
    """One response between its quantiles of 99% and 99.85%, or as far down, and no other."""
    low, high = _free(known, count)
    for row in range(count):
        j = known.choice(known.y.shape[1])
        shares = (0.99, 0.9985) if known.choice(2) else (0.0015, 0.01)
        low[row, j], high[row, j] = known.y[:, j].quantile(torch.tensor(shares).double())
    return targets_of(low, high)


def extreme(known: Known, count: int) -> Targets:
    """One response beyond all pairs but one to three."""
    low, high = _free(known, count)
    for row in range(count):
        j, rows = known.choice(known.y.shape[1]), 1 + known.choice(3)
        values = known.y[:, j].sort().values
        if known.choice(2):
            low[row, j] = 0.5 * (values[-rows] + values[-rows - 1])
        else:
            high[row, j] = 0.5 * (values[rows - 1] + values[rows])
    return targets_of(low, high)


def jointly(known: Known, count: int) -> Targets:
    """Two responses in their outer tenths at once, as a few pairs at least are."""
    low, high = _free(known, count)
    if known.y.shape[1] < 2:
        return targets_of(low[:0], high[:0])
    row = 0
    while row < count:
        i, j = torch.randperm(known.y.shape[1], generator=known.random)[:2].tolist()
        share, held = 0.9 - 0.3 * float(torch.rand(1, generator=known.random)), 0
        low[row], high[row] = -torch.inf, torch.inf
        for k in (i, j):
            if known.choice(2):
                low[row, k] = known.y[:, k].quantile(share)
            else:
                high[row, k] = known.y[:, k].quantile(1 - share)
        held = int(((known.y >= low[row]) & (known.y <= high[row])).all(dim=1).sum())
        row += held >= 3
    return targets_of(low, high)


def free(known: Known, count: int) -> Targets:
    """A narrow interval of one response; others may be anything."""
    low, high = _free(known, count)
    if known.y.shape[1] < 2:
        return targets_of(low[:0], high[:0])
    ends = around(known, known.fresh[:count], known.narrow)
    for row in range(count):
        j = known.choice(known.y.shape[1])
        low[row, j], high[row, j] = ends[0][row, j], ends[1][row, j]
    return targets_of(low, high)


def envelope(known: Known, count: int, half: float) -> Targets:
    """A fifth of a curve, within so many standard deviations."""
    low, high = _free(known, count)
    ends, width = around(known, known.fresh[:count], half), known.y.shape[1] // 5
    for row in range(count):
        begin = known.choice(known.y.shape[1] - width)
        part = slice(begin, begin + width)
        low[row, part], high[row, part] = ends[0][row, part], ends[1][row, part]
    return targets_of(low, high)


def goal(known: Known, count: int, place: int) -> Targets:
    """One response to be made small (``place`` 1) or large (2); in each second specification the
    other is within a wide interval. Of them those count of which more than the best pair has can
    be reached.
    """
    low, high = _free(known, len(known.fresh))
    goals = torch.zeros_like(low).long()
    ends = around(known, known.fresh, 2 * WIDE)
    for row in range(len(known.fresh)):
        j = known.choice(known.y.shape[1])
        goals[row, j] = place
        if row % 2 and known.y.shape[1] == 2:
            low[row, 1 - j], high[row, 1 - j] = ends[0][row, 1 - j], ends[1][row, 1 - j]
    kept = []
    for row in range(len(known.fresh)):
        targets = targets_of(*(part[row : row + 1] for part in (low, high, goals)))
        ours, theirs = (best_goal(targets, y) for y in (known.y, known.many))
        if bool(theirs < ours - ROOM * known.spread[goals[row] > 0].item()):
            kept.append(row)
    return targets_of(*(part[kept[:count]] for part in (low, high, goals)))


def best_goal(targets: Targets, y: Tensor) -> Tensor:
    """The smallest goal (B,) among responses (N, Dy) that meet the rest of targets."""
    rows = y.expand(len(targets), *y.shape)
    value = targets.goals(rows).sum(dim=2)
    return torch.where(targets.met(rows), value, torch.inf).amin(dim=1)


Case = Callable[[Known, int], Targets]
CASES: dict[str, Case] = {
    "many": many, "none": none, "edge": edge, "extreme": extreme, "jointly": jointly, "free": free,
    "minimise": lambda known, count: goal(known, count, 1),
    "maximise": lambda known, count: goal(known, count, 2),
}  # fmt: skip
CURVES: dict[str, Case] = {
    "envelope-0.1": lambda known, count: envelope(known, count, 0.1),
    "envelope-0.03": lambda known, count: envelope(known, count, 0.03),
    "minimise": CASES["minimise"], "maximise": CASES["maximise"],
}  # fmt: skip


def met(targets: Targets, y: Tensor, known: Tensor) -> Tensor:
    """Which candidates (B, K) meet their specification: of goals, which beat the best pair that
    meets the rest.
    """
    good = targets.met(y)
    if not targets.has_goals:
        return good
    return good & (targets.goals(y).sum(dim=2) < best_goal(targets, known)[:, None])


def shares(asked: argparse.Namespace, done: set[str]) -> Iterator[dict[str, Any]]:
    """For each task, number of pairs, method and case, what is met."""
    plugins = installed()
    for task_name in asked.tasks:
        task = build(plugins, "task", task_name, preset="default").component
        cases = CURVES if task.responses.dim > 16 else CASES
        for count in asked.pairs:
            for method_name in asked.methods:
                facts = {
                    "part": "shares", "task": task_name, "pairs": count, "method": method_name,
                    "preset": asked.preset, "seed": asked.seed,
                }  # fmt: skip
                left = [case for case in cases if key({**facts, "case": case}) not in done]
                if left:
                    yield from _of_fit(asked, facts, task, {name: cases[name] for name in left})


def _of_fit(
    asked: argparse.Namespace, facts: dict[str, Any], task: Any, cases: dict[str, Case]
) -> Iterator[dict[str, Any]]:
    plugins, seed, pairs = installed(), asked.seed, facts["pairs"]
    drawn = task.pairs(pairs, generator(seed, "specifications", "pairs"))
    fresh = task.pairs(400, generator(seed, "specifications", "fresh")).y.double()
    many = task.pairs(
        MANY.get(facts["task"], 200_000), generator(seed, "specifications", "many")
    ).y.double()
    train, val = drawn.split(0.8, generator=generator(seed, "specifications", "split"))
    method = build(
        plugins, "method", facts["method"], preset=asked.preset, task=facts["task"]
    ).component
    problem = Problem(facts["task"], task.designs, task.responses, task.differentiable)
    begin = time.perf_counter()
    model = fit_model(method, problem, Splits(train, val, _nothing(val)), FitEnvironment(seed))
    fit_s = time.perf_counter() - begin
    density = ResponseDensity.fit(train, generator(seed, "responses"))
    sampler = build(plugins, "sampler", "sobol").component
    error = model.state().get("trust.error")
    narrow = NARROW.get((facts["task"], pairs), 0.01)
    for name, case in cases.items():
        random = generator(seed, "specifications", name)
        known = Known(train.y.double(), fresh, many, narrow, random)
        targets = case(known, min(asked.count, COUNTS.get(facts["task"], asked.count)))
        if not len(targets):
            continue
        targets = targets.measured_in(density.spread)
        simulator = Simulator(task, targets=targets)
        begin = time.perf_counter()
        found = propose(
            model, problem, sampler, targets, CANDIDATES, seed=seed,
            simulator=simulator if method.needs & SEARCHES else None, density=density,
        )  # fmt: skip
        seconds = time.perf_counter() - begin
        y = resimulate(simulator.judge(), found.x, targets)
        good = met(targets, y, known.y)
        yield {
            **facts, "case": name, "specifications": len(targets),
            "share": float(good.double().mean()), "best": float(good.any(dim=1).double().mean()),
            "calls": simulator.calls / len(targets), "fit_s": fit_s, "propose_s": seconds,
            "error": None if error is None else float(error.mean()),
        }  # fmt: skip


def _nothing(pairs: Pairs) -> Pairs:
    return pairs[:0]


PARTS: dict[str, Callable[[argparse.Namespace, set[str]], Iterator[dict[str, Any]]]] = {
    "shares": shares
}


def key(row: dict[str, Any]) -> str:
    """What a line is of."""
    names = ("part", "task", "pairs", "method", "preset", "case", "seed")
    return json.dumps([row.get(name) for name in names])


def table(rows: Sequence[dict[str, Any]]) -> None:
    """The figures of all lines, a case a line and a method a column."""
    methods = list(dict.fromkeys((row["method"], row["preset"]) for row in rows))
    lines = list(dict.fromkeys((row["task"], row["pairs"], row["case"]) for row in rows))
    print("share of candidates that meet / of specifications met by one of ten")
    print(f"{'':36}" + "".join(f"{name + ' ' + preset:>22}" for name, preset in methods))
    for line in lines:
        cells = []
        for method in methods:
            own = [
                row for row in rows
                if (row["task"], row["pairs"], row["case"]) == line
                and (row["method"], row["preset"]) == method
            ]  # fmt: skip
            count = sum(row["specifications"] for row in own)
            parts = [
                sum(row[name] * row["specifications"] for row in own) / max(1, count)
                for name in ("share", "best")
            ]
            cells.append(f"{parts[0]:.2f}/{parts[1]:.2f}" if own else "")
        print(f"{line[0]:14}{line[1]:>7} {line[2]:14}" + "".join(f"{cell:>22}" for cell in cells))


def main(arguments: Sequence[str]) -> None:
    """Do the parts that are left, then print all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--methods", nargs="+", default=["na", "mdn"])
    parser.add_argument("--tasks", nargs="+", default=["robotic-arm", "ballistics"])
    parser.add_argument("--pairs", nargs="+", type=int, default=[10_000])
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, default=Path("specifications.jsonl"))
    asked = parser.parse_args(arguments)
    rows = []
    if asked.rows.exists():
        rows = [json.loads(line) for line in asked.rows.read_text().splitlines()]
    done = {key(row) for row in rows}
    for part in dict.fromkeys(asked.parts):
        for row in PARTS[part](asked, done):
            rows.append(row)
            with asked.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    table([row for row in rows if row["part"] in asked.parts])


if __name__ == "__main__":
    main(sys.argv[1:])
