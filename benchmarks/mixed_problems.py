"""Mixed problems: how often 100 candidates at 2,000 simulator calls hold the optimum.

    python benchmarks/mixed_problems.py --out mixed.jsonl [--families catalyst vessel …]
        [--seeds 100 101 102 103] [--methods neighbours neighbours-at-once cma-es random-search]

Every problem has categories, levels and whole numbers alone, up to a million designs, and all of
them have been evaluated: its optimum is known. The specification is to minimise the response. All
methods make 2,000 calls of the simulator.

* ``neighbours-at-once``: a network learns from 1,900 designs of the prior. From the best of them,
  and from further draws, designs go to their best neighbours by the network; the best 100 different
  ones that this came across and nobody has measured are the candidates, and are simulated.
* ``neighbours``: the same in rounds. 1,000 designs of the prior; three times the network is trained
  anew and 300 such designs are simulated; a last network proposes the 100 candidates.
* ``cma-es``: CatCMA with margin, which moves categories, levels and whole numbers, begun again
  where it has come to an end.
* ``random-search``: designs of the prior.

A row of the file is a problem, a method and what it found: among its candidates (the last 100 calls
of neighbours) and the designs that it had measured before. Rows that are there are not done again.
Settings were chosen on seeds 0 and 1; the results are of seeds from 100 on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from cmaes import CatCMAwM
from mixed_families import FAMILIES, MixedProblem
from torch import Tensor

from invcore.pipeline import build
from invcore.plugin import (
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Problem,
    Space,
    Variable,
    generator,
    installed,
)
from invcore.search import SearchLimits, Visited, discrete_search

CALLS, CANDIDATES = 2000, 100
AT_ONCE, ROUNDS = (1900,), (1000, 300, 300, 300)
STARTS = 30  # of each: the best that are known, and draws
LIMITS = SearchLimits(pairs=300)
LOW = 0.05  # share of the first designs whose responses are told from each other most


class Calls:
    """A problem whose simulator is counted, and what was measured."""

    def __init__(self, problem: MixedProblem) -> None:
        self.problem = problem
        self.x, self.y = torch.empty(0, problem.designs.dim).double(), torch.empty(0).double()

    def __call__(self, x: Tensor) -> Tensor:
        """Responses (N,) of designs (N, Dx)."""
        y = self.problem.response(x)
        self.x, self.y = torch.cat([self.x, x]), torch.cat([self.y, y])
        if len(self.y) > CALLS:
            raise RuntimeError(f"{len(self.y)} calls, and {CALLS} are allowed")
        return y

    def new(self, x: Tensor) -> Tensor:
        """Which designs (N, Dx) were not measured (N,), bool."""
        known = {row.tobytes() for row in self.x.numpy()}
        return torch.tensor([row.tobytes() not in known for row in x.numpy()]).bool()

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Different designs of the prior that were not measured."""
        found = torch.empty(0, self.problem.designs.dim).double()
        while len(found) < count:
            drawn = self.problem.designs.sample(count, random)
            found = torch.cat([found, drawn])
            found = found[np.sort(np.unique(found.numpy(), axis=0, return_index=True)[1])]
            found = found[self.new(found)]
        return found[:count]


def neighbours(problem: MixedProblem, seed: int, plan: tuple[int, ...]) -> tuple[float, float]:
    """The best of 100 candidates, and of all calls, by local search on a network."""
    calls, random = Calls(problem), generator(seed, "designs")
    calls(calls.draw(plan[0], random))
    for number, count in enumerate((*plan[1:], CANDIDATES)):
        fitted = trained(calls, seed + number)
        x = proposed(calls, fitted, count, random)
        found = float(calls(x).min())
    return min(found, float(calls.y.min())), found


def trained(calls: Calls, seed: int) -> FittedSurrogate:
    """A network of the rows so far, of responses that are stretched where they are small."""
    low, middle = calls.y.min(), calls.y.quantile(LOW)
    stretched = ((calls.y - low) / (middle - low).clamp(min=1e-300)).log1p()
    surrogate = build(installed(), "surrogate", "network").component
    spaces = calls.problem.designs, Space.of(Variable(name="y"))
    pairs = Pairs(calls.x, stretched[:, None])
    return surrogate.fit(Problem("mixed", *spaces), pairs, FitEnvironment(seed))


def proposed(calls: Calls, fitted: FittedSurrogate, count: int, random: torch.Generator) -> Tensor:
    """The best new designs (count, Dx) that local search comes across."""
    best = calls.x[calls.y.argsort()[:STARTS]]
    start = torch.cat([best, calls.problem.designs.sample(STARTS, random)])
    visited = Visited(count + len(calls.y))
    discrete_search(
        calls.problem.designs, start, lambda x, rows: fitted.predict(x).mean[:, 0], LIMITS,
        visited=visited,
    )  # fmt: skip
    new = visited.x[calls.new(visited.x)][:count]
    if len(new) < count:
        return torch.cat([new, calls.draw(count - len(new), random)])
    return new


def cma_es(problem: MixedProblem, seed: int) -> tuple[float, float]:
    """The best of CatCMA with margin, begun again as often as there are calls left."""
    calls, era = Calls(problem), 0
    variables = problem.designs.variables
    named = [i for i, variable in enumerate(variables) if variable.categories]
    numbers = [i for i in range(len(variables)) if i not in named]
    while len(calls.y) < CALLS:
        spaces = {
            "z_space": [problem.values[i].tolist() for i in numbers],
            "c_space": [len(problem.values[i]) for i in named],
        }
        one = CatCMAwM(**{k: v for k, v in spaces.items() if v}, seed=1000 * seed + era)
        era += 1
        while not one.should_stop() and len(calls.y) < CALLS:
            asked = [one.ask() for _ in range(one.population_size)]
            x = torch.zeros(len(asked), len(variables), dtype=torch.float64)
            for row, each in enumerate(asked):
                if numbers:
                    x[row, numbers] = torch.tensor(np.asarray(each.z, dtype=float))
                if named:
                    x[row, named] = torch.tensor(each.c.argmax(axis=1)).double()
            x = x[: CALLS - len(calls.y)]
            y = calls(x)
            if len(y) < len(asked):
                break
            one.tell(list(zip(asked, y.tolist(), strict=True)))
    best = float(calls.y.min())
    return best, best


def random_search(problem: MixedProblem, seed: int) -> tuple[float, float]:
    """The best of different designs of the prior."""
    calls = Calls(problem)
    best = float(calls(calls.draw(CALLS, generator(seed, "designs"))).min())
    return best, best


METHODS = {
    "neighbours": lambda problem, seed: neighbours(problem, seed, ROUNDS),
    "neighbours-at-once": lambda problem, seed: neighbours(problem, seed, AT_ONCE),
    "cma-es": cma_es,
    "random-search": random_search,
}


def main() -> None:
    """Do what is not in the file yet, and sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--families", nargs="+", default=[*FAMILIES], choices=[*FAMILIES])
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102, 103])
    parser.add_argument("--methods", nargs="+", default=[*METHODS], choices=[*METHODS])
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [json.loads(line) for line in options.out.open()] if options.out.exists() else []
    done = {(row["family"], row["seed"], row["method"]) for row in rows}
    for seed in options.seeds:
        for family in options.families:
            problem = FAMILIES[family](seed)
            for method in options.methods:
                if (family, seed, method) in done:
                    continue
                start = time.perf_counter()
                best, candidates = METHODS[method](problem, seed)
                row = {
                    "family": family, "seed": seed, "method": method, "designs": problem.size,
                    "optimum": problem.optimum, "best": best, "candidates": candidates,
                    "found": problem.found(best), "among_candidates": problem.found(candidates),
                    "seconds": round(time.perf_counter() - start, 1),
                }  # fmt: skip
                with options.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                rows.append(row)
    for method in options.methods:
        own = [row for row in rows if row["method"] == method]
        found, among = (sum(row[n] for row in own) for n in ("found", "among_candidates"))
        print(f"{method}: optimum in {found} of {len(own)}, among candidates in {among}")
    if not all(math.isfinite(row["best"]) for row in rows):
        raise SystemExit("a response was not finite")


if __name__ == "__main__":
    main()
