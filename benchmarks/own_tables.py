"""Designs from people's own tables, beside what an engineer does without us.

    python benchmarks/own_tables.py FOLDER [PART …] [--splits 20] [--rows FILE]

FOLDER holds the tables (energy_efficiency.csv, concrete.csv, airfoil_self_noise.tsv,
crossed_barrel.csv, oer_plate_3851.csv, tecator.csv). Each measurement is appended to FILE as a line
of JSON, and one that is there is not done again, so that no figure needs one long sitting; at the
end the figures of all lines are printed. Parts:

    first     error of the first design, n = 40, 150, 600, judged by rows that nobody saw
    barrel    designs chosen among measured structures; the truth are other replicates
    tecator   composition from spectra
    rules     relations, levels and distances of all methods' proposals
    coverage  how often stated errors cover held-out rows that were chosen
    proposers error of the first design with and without an inverse method
    judge     error on unseen rows beside scikit-learn's forest and Gaussian process
    cpu       processor time and memory

Splits are seeded by their numbers; settings were chosen on splits from 1000 on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

TABLES = {
    "energy": ("energy_efficiency.csv", ",", 8),
    "concrete": ("concrete.csv", ",", 8),
    "airfoil": ("airfoil_self_noise.tsv", "\t", 5),
    "barrel": ("crossed_barrel.csv", ",", 4),
    "oer": ("oer_plate_3851.csv", ",", 6),
}
FOUR = ("energy", "concrete", "airfoil", "barrel")
TARGETS = 15
APART = 0.5  # median neighbour distances that a proposal keeps from every row
TABLE_FOLDER = Path(".")


def load(name: str) -> tuple[Numbers, Numbers]:
    """Designs and responses of a table."""
    import pandas as pd

    file, delimiter, width = TABLES[name]
    rows = pd.read_csv(TABLE_FOLDER / file, sep=delimiter, encoding="utf-8-sig").to_numpy(float)
    return rows[:, :width], rows[:, width:]


def fitted(x: Any, y: Any, **options: Any) -> Any:
    """A designer for rows."""
    import invcore_solve

    return invcore_solve.fit(x, y, **options)


class Truth:
    """A process and trees fitted to the rows that no competitor saw."""

    def __init__(self, x: Numbers, y: Numbers) -> None:
        import torch
        from invcore_surrogates.process import ProcessSurrogate
        from invcore_surrogates.trees import TreesSurrogate

        from invcore.plugin import FitEnvironment, Pairs, Problem, Space, Uniform, Variable

        designs = Space.of(*(
            Variable(name=f"x{i}", prior=Uniform(low=low, high=high))
            for i, (low, high) in enumerate(zip(x.min(0) - 1, x.max(0) + 1, strict=True))
        ))  # fmt: skip
        responses = Space.of(*(Variable(name=f"y{i}") for i in range(y.shape[1])))
        pairs = Pairs(torch.from_numpy(x), torch.from_numpy(y))
        problem = Problem("truth", designs, responses)
        self._members = [
            model.fit(problem, pairs, FitEnvironment(1))
            for model in (ProcessSurrogate(), TreesSurrogate())
        ]
        self._scale = y.std(axis=0)

    def error(self, x: Numbers, targets: Numbers) -> Numbers:
        """Root mean square over responses, in their standard deviations, of each design (N,)."""
        import torch

        rows = torch.from_numpy(np.ascontiguousarray(x))
        said = np.mean([member.predict(rows).mean.numpy() for member in self._members], axis=0)
        return np.sqrt(np.square((said - targets) / self._scale).mean(axis=1))


def scikit_process(x: Numbers, y: Numbers) -> Callable[[Numbers], Numbers]:
    """What ten lines of scikit-learn give: a Gaussian process of each response."""
    import warnings

    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    models = []
    for column in y.T:
        kernel = ConstantKernel(1.0) * Matern(np.ones(x.shape[1]), nu=2.5) + WhiteKernel(0.1)
        model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            models.append(model.fit(scaler.transform(x), column))

    def predict(rows: Numbers) -> Numbers:
        scaled = scaler.transform(rows)
        return np.stack([model.predict(scaled) for model in models], axis=1)

    return predict


def nearest(y: Numbers, targets: Numbers) -> npt.NDArray[np.intp]:
    """For each target the row whose response is nearest."""
    scale = y.std(axis=0)
    return np.array([np.square((y - t) / scale).sum(axis=1).argmin() for t in targets])


def proposals(ranked: Any, count: int) -> list[npt.NDArray[np.intp]]:
    """For each target the positions of its first designs that are no measured rows."""
    measured = ranked.measured.numpy()
    return [
        np.array([row for row in rows if not measured[row]][:count]) for rows in ranked.groups()
    ]


def first(table: str, n: int, split: int) -> dict[str, Any]:
    """Error of the first design, and of the best of ten, beside baselines."""
    x, y = load(table)
    rng = np.random.default_rng(split)
    order = rng.permutation(len(x))
    train, rest = order[:n], order[n:]
    targets = y[rng.choice(rest, TARGETS, replace=False)]
    truth = Truth(x[rest], y[rest])
    start = time.process_time()
    designer = fitted(x[train], y[train])
    ranked = designer.propose(targets, candidates=20, apart=APART)
    seconds = time.process_time() - start
    chosen = proposals(ranked, 10)
    designs = ranked.designs.numpy()
    errors = [truth.error(designs[rows], t[None]) for rows, t in zip(chosen, targets, strict=True)]
    typicality = designer.typicality
    pool = designer.pool.x
    pool = pool[typicality.neighbourhood.nearest(pool)[0] >= APART]
    said = scikit_process(x[train], y[train])(pool)
    scale = y[train].std(axis=0)
    best = [np.square((said - t) / scale).sum(axis=1).argmin() for t in targets]
    row = nearest(y[train], targets)
    return {
        "first": float(np.mean([e[0] for e in errors])),
        "best_of_ten": float(np.mean([e.min() for e in errors])),
        "nearest_row": float(truth.error(x[train][row], targets).mean()),
        "process_on_mixes": float(truth.error(pool[best], targets).mean()),
        "variety": float(np.mean([_variety(designer, designs[rows]) for rows in chosen])),
        "cpu_s": seconds,
    }


def _variety(designer: Any, x: Numbers) -> float:
    """Median distance between designs, in units of the distance between rows."""
    neighbourhood = designer.typicality.neighbourhood
    places = neighbourhood.whitening(x) / neighbourhood.unit
    apart = np.sqrt(np.square(places[:, None] - places[None]).sum(axis=2))
    return float(np.median(apart[np.triu_indices(len(x), 1)])) if len(x) > 1 else 0.0


def proposers(table: str, n: int, split: int) -> dict[str, Any]:
    """The table's own mixes alone, and with candidates of cinn in the pool."""
    x, y = load(table)
    rng = np.random.default_rng(split)
    order = rng.permutation(len(x))
    train, rest = order[:n], order[n:]
    targets = y[rng.choice(rest, TARGETS, replace=False)]
    truth = Truth(x[rest], y[rest])
    found: dict[str, Any] = {}
    for who, method in (("mixes", ()), ("with_cinn", ("cinn",))):
        start = time.process_time()
        designer = fitted(x[train], y[train], method=method, preset="quick")
        ranked = designer.propose(targets, candidates=20, apart=APART)
        found[f"{who}_cpu_s"] = time.process_time() - start
        designs = ranked.designs.numpy()
        pairs = zip(proposals(ranked, 10), targets, strict=True)
        errors = [truth.error(designs[rows], target[None]) for rows, target in pairs]
        found[f"{who}_first"] = float(np.mean([e[0] for e in errors]))
        found[f"{who}_best_of_ten"] = float(np.mean([e.min() for e in errors]))
        own = [_variety(designer, designs[rows]) for rows in proposals(ranked, 10)]
        found[f"{who}_variety"] = float(np.mean(own))
    return found


def barrel(split: int) -> dict[str, Any]:
    """Among the measured structures, fitted to one replicate of each; truth: the others."""
    x, y = load("barrel")
    rng = np.random.default_rng(split)
    structures, which = np.unique(x, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = rng.permutation(len(x))
    seen = np.unique(which[order], return_index=True)[1]
    train = order[seen]
    others = np.setdiff1d(np.arange(len(x)), train)
    truth = np.array([y[others][which[others] == i, 0].mean() for i in range(len(structures))])
    targets = y[rng.choice(others, TARGETS, replace=False)]
    ranked = fitted(x[train], y[train]).propose(targets, candidates=10, among=structures)
    place = {row.tobytes(): i for i, row in enumerate(structures)}
    best = [rows[0] for rows in ranked.groups()]
    own = [place[ranked.designs[i].numpy().tobytes()] for i in best]
    row = which[train][nearest(y[train], targets)]
    return {
        "first": float(np.abs(truth[own] - targets[:, 0]).mean()),
        "nearest_row": float(np.abs(truth[row] - targets[:, 0]).mean()),
    }


def tecator(split: int) -> dict[str, Any]:
    """Fat, moisture and protein from spectra, percentage points."""
    import pandas as pd
    from sklearn.cross_decomposition import PLSRegression

    table = pd.read_csv(TABLE_FOLDER / "tecator.csv")
    designs, channels = ["fat", "moisture", "protein"], [*table.columns[1:101]]
    order = np.random.default_rng(split).permutation(len(table))
    test, train = table.iloc[order[:20]], table.iloc[order[20:]].reset_index(drop=True)
    start = time.process_time()
    designer = fitted(train[designs + channels], None, responses=channels)
    ranked = designer.propose(test[channels].to_numpy(), candidates=20)
    seconds = time.process_time() - start
    own = ranked.designs[[rows[0] for rows in proposals(ranked, 1)]].numpy()
    truth = test[designs].to_numpy()
    pls = PLSRegression(12).fit(train[channels], train[designs]).predict(test[channels])
    row = nearest(train[channels].to_numpy(), test[channels].to_numpy())
    near = train[designs].to_numpy()[row]
    found = {"first": own, "pls": pls, "nearest_row": near}
    return {
        **{
            f"{who}_{what}": float(np.abs(x[:, i] - truth[:, i]).mean())
            for who, x in found.items() for i, what in enumerate(designs)
        },
        "cpu_s": seconds,
    }  # fmt: skip


def coverage(table: str, n: int, split: int) -> dict[str, Any]:
    """Whether the stated 90% covers measured rows, chosen among held-out ones.

    The designs to choose from are rows that no fit saw; each is as good as measured once, so that
    what is covered is a measurement.
    """
    x, y = load(table)
    rng = np.random.default_rng(split)
    order = rng.permutation(len(x))
    train, rest = order[:n], order[n : n + 300]
    designer = fitted(x[train], y[train])
    targets = y[rng.choice(order[n:], 30, replace=False)]
    known = {row.tobytes() for row in x[train] + 0.0}
    new = np.array([row for row in rest if (x[row] + 0.0).tobytes() not in known])
    listed, first_row = np.unique(x[new], axis=0, return_index=True)
    measured = y[new][first_row]
    verdict = designer.judge.predict(_tensor(listed), designer.level)
    mean, error = verdict.response.numpy(), verdict.error.numpy()
    covered = (np.abs(measured - mean) <= error).all(axis=1)
    residual = np.abs(measured - mean).mean(axis=0)
    ranked = designer.propose(targets, candidates=10, among=listed, diverse=False)
    place = {row.tobytes(): i for i, row in enumerate(listed)}
    at_one, at_ten = [], []
    for rows in ranked.groups():
        picked = [place[ranked.designs[i].numpy().tobytes()] for i in rows]
        at_one.append(bool(covered[picked[0]]))
        at_ten += covered[picked].tolist()
    return {
        "level": designer.level, "rank_1": float(np.mean(at_one)), "selections": len(at_one),
        "first_ten": float(np.mean(at_ten)), "all_rows": float(covered.mean()),
        "width": float((error.mean(axis=0) / residual).mean()),
    }  # fmt: skip


def _tensor(x: Numbers) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(x))


def judge(table: str, n: int, split: int) -> dict[str, Any]:
    """Mean error on unseen rows, in standard deviations of the responses."""
    from sklearn.ensemble import RandomForestRegressor

    x, y = load(table)
    order = np.random.default_rng(split).permutation(len(x))
    train, test = order[:n], order[n : n + 600]
    scale = y.std(axis=0)
    own = fitted(x[train], y[train]).judge.predict(_tensor(x[test])).response.numpy()
    forest = np.stack([
        RandomForestRegressor(random_state=0).fit(x[train], column[train]).predict(x[test])
        for column in y.T
    ], axis=1)  # fmt: skip
    process = scikit_process(x[train], y[train])(x[test])
    each = {"judge": own, "forest": forest, "process": process}
    return {k: float((np.abs(v - y[test]) / scale).mean()) for k, v in each.items()}


def rules(table: str, method: str) -> dict[str, Any]:
    """How many proposals break a relation, a level or the distance rule; of one method's own."""
    x, y = load(table)
    order = np.random.default_rng(0).permutation(len(x))[:150]
    designer = fitted(x[order], y[order], method=[method] if method else (), preset="quick")
    rng = np.random.default_rng(1)
    targets = y[rng.choice(len(y), TARGETS, replace=False)]
    ranked = designer.propose(targets, candidates=100)
    designs = ranked.designs.numpy()[~ranked.measured.numpy()]
    typicality = designer.typicality
    by_method = designer._by_methods(_tensor(targets), 100, "maximin-lhs", 0, None)
    if by_method is not None:
        designs = np.concatenate([designs, typicality.drawn_in(by_method[0][0])[0]])
    worst = 0.0
    for relation in designer.data.schema.relations:
        own = [designer.data.designs.index(name) for name in relation.coefficients]
        sums = designs[:, own] @ np.array([*relation.coefficients.values()])
        worst = max(worst, float(np.abs(sums - relation.value).max()))
    return {
        "designs": len(designs), "not_allowed": int((~typicality.allowed(designs)).sum()),
        "too_far": int((~typicality.near(designs)).sum()), "worst_relation": worst,
    }  # fmt: skip


def cpu(n: int) -> dict[str, Any]:
    """Processor time from rows to designs, beyond imports; and 1,000 targets on a fitted model."""
    import resource

    import openpyxl  # noqa: F401
    import sklearn.ensemble  # noqa: F401
    import torch

    torch.linalg.cholesky(torch.eye(4, dtype=torch.float64))
    x, y = load("concrete")
    rng = np.random.default_rng(n)
    rows = rng.integers(len(x), size=n)
    span = np.ptp(x, axis=0)
    new = x[rows] + (n > len(x)) * 0.02 * span * rng.standard_normal((n, x.shape[1]))
    response = y[rows] + (n > len(x)) * rng.standard_normal((n, 1))
    start = time.process_time()
    designer = fitted(new, response)
    designer.propose(response[:3])
    answer = time.process_time() - start
    start = time.process_time()
    targets = np.quantile(response, np.linspace(0.02, 0.98, 1000))[:, None]
    designer.propose(targets, candidates=10)
    many = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"answer_s": answer, "thousand_targets_s": many, "memory_mib": memory}


Work = tuple[dict[str, Any], Callable[[], dict[str, Any]]]


def first_work(splits: range) -> Iterator[Work]:
    """All measurements of the part, a table and a split at a time."""
    for n, tables in ((150, FOUR), (600, ("concrete", "airfoil")), (40, FOUR)):
        for split in splits:
            for table in tables:
                key = {"part": "first", "table": table, "n": n, "split": split}
                yield key, partial(first, table, n, split)


def coverage_work(splits: range) -> Iterator[Work]:
    """Likewise."""
    for split in splits:
        for n in (40, 150, 600):
            for table in TABLES:
                if table == "energy" and n == 600:
                    continue  # too few rows are left to choose from
                key = {"part": "coverage", "table": table, "n": n, "split": split}
                yield key, partial(coverage, table, n, split)


def judge_work(splits: range) -> Iterator[Work]:
    """Likewise."""
    for split in splits[:5]:
        for table in TABLES:
            key = {"part": "judge", "table": table, "n": 150, "split": split}
            yield key, partial(judge, table, 150, split)


def proposers_work(splits: range) -> Iterator[Work]:
    """Likewise."""
    for split in splits[:4]:
        for n in (40, 150, 600):
            for table in FOUR if n < 600 else ("concrete", "airfoil"):
                key = {"part": "proposers", "table": table, "n": n, "split": split}
                yield key, partial(proposers, table, n, split)


def rules_work(splits: range) -> Iterator[Work]:
    """Likewise."""
    methods = ("", "na", "cinn", "cvae", "inn", "ipage", "mdn", "tandem")
    for table in TABLES:
        for method in methods:
            key = {"part": "rules", "table": table, "method": method or "mixes"}
            yield key, partial(rules, table, method)


def split_work(part: str, work: Callable[[int], dict[str, Any]], splits: range) -> Iterator[Work]:
    """Likewise, a split at a time."""
    for split in splits:
        yield {"part": part, "split": split}, partial(work, split)


def cpu_work(splits: range) -> Iterator[Work]:
    """Likewise, by numbers of rows."""
    for n in (150, 1000, 10000):
        yield {"part": "cpu", "n": n}, partial(cpu, n)


def main() -> None:
    """Do what is left, and print the figures."""
    global TABLE_FOLDER
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--from", dest="start", type=int, default=0, help="first split")
    parser.add_argument("--rows", type=Path, default=Path("own_tables.jsonl"))
    words = parser.parse_args()
    TABLE_FOLDER = words.folder
    splits = range(words.start, words.start + words.splits)
    parts: dict[str, Callable[[range], Iterator[Work]]] = {
        "first": first_work,
        "barrel": partial(split_work, "barrel", barrel),
        "tecator": partial(split_work, "tecator", tecator),
        "rules": rules_work,
        "coverage": coverage_work,
        "proposers": proposers_work,
        "judge": judge_work,
        "cpu": cpu_work,
    }
    lines = words.rows.read_text().splitlines() if words.rows.exists() else []
    done = [json.loads(line) for line in lines]
    known = {json.dumps(row["key"], sort_keys=True) for row in done}
    for part in words.parts or parts:
        for key, work in parts[part](splits):
            if json.dumps(key, sort_keys=True) in known:
                continue
            row = {"key": key, **work()}
            done.append(row)
            with words.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(row, file=sys.stderr, flush=True)
    summary(done, words.parts or [*parts])


def summary(rows: Sequence[dict[str, Any]], parts: Sequence[str]) -> None:
    """The figures, a line each."""
    from invcore.plugin import generator

    for part in parts:
        own = [row for row in rows if row["key"]["part"] == part]
        cells: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in own:
            cell = (
                row["key"].get("table", ""),
                row["key"].get("n", ""),
                row["key"].get("method", ""),
            )
            cells.setdefault(cell, []).append(row)
        for cell, of_cell in cells.items():
            names = [k for k, v in of_cell[0].items() if isinstance(v, int | float)]
            means = {k: float(np.mean([row[k] for row in of_cell])) for k in names}
            text = "  ".join(f"{k} {v:.3g}" for k, v in means.items())
            print(part, *cell, f"({len(of_cell)})", text)
            for base in ("nearest_row", "process_on_mixes"):
                if "first" in means and base in means:
                    logs = np.log([row["first"] / row[base] for row in of_cell])
                    low, high = _interval(logs, generator(0, part, *map(str, cell), base))
                    print(
                        f"    first / {base}: {np.exp(logs.mean()):.3f} ({low:.3f} .. {high:.3f})"
                    )


def _interval(logs: Numbers, random: Any) -> tuple[float, float]:
    """95% of the geometric mean, over splits."""
    rng = np.random.default_rng(random.initial_seed())
    means = [rng.choice(logs, len(logs)).mean() for _ in range(2000)]
    low, high = np.exp(np.quantile(means, [0.025, 0.975]))
    return float(low), float(high)


if __name__ == "__main__":
    main()
