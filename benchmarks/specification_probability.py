"""Whether the probability that `solve` states for specifications holds, by true simulators.

    python benchmarks/specification_probability.py [--tasks robotic-arm …] [--rows 300 …] [--out F]

A table is drawn from a task with a known simulator. Specifications of several kinds are drawn; the
designs that are ranked first for each are simulated, and the share that meets it stands beside the
mean probability that was stated. Of designs that nobody selected the expected calibration error is
taken, over ten bins of the probability. Each task, number of rows and kind is a line of JSON; lines
that the file has already are not measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import invcore_solve
import numpy as np
import torch
from torch import Tensor

from invcore.plugin import Requirement, Specification, Targets, generator
from invcore.registry.loader import installed
from invcore.results import Store

CURVES = {"thin-film": 16}
"""Tasks whose responses are curves, and at how many places these are taken."""

FRESH = 1000
Kind = tuple[str, list[Specification]]


def kinds(y: Tensor, fresh: Tensor, count: int, seed: int, curve: bool) -> Iterator[Kind]:
    """Specifications by kind.

    Args:
        y: (N, Dy), responses of the table.
        fresh: (M, Dy), others of the same task, around which specifications lie.
        count: of each kind.
        seed: of what is drawn.
        curve: whether responses are a curve.
    """
    rng = np.random.default_rng([seed, 7])
    sd, dim, rows = y.std(dim=0).numpy(), y.shape[1], len(y)
    drawn = fresh[torch.from_numpy(rng.permutation(len(fresh))[:count])].numpy()
    names = [f"y{i + 1}" for i in range(dim)]

    def around(row: np.ndarray, widths: dict[int, float]) -> Specification:
        """Intervals of whole widths, in standard deviations, that hold a response somewhere."""
        wanted = {}
        for i, width in widths.items():
            low = row[i] - width * sd[i] * rng.uniform(0.2, 0.8)
            wanted[names[i]] = Requirement(low=float(low), high=float(low + width * sd[i]))
        return Specification.of(wanted)

    if curve:
        fifth = max(1, dim // 5)
        for width in (0.2, 0.06):
            starts = rng.integers(0, dim - fifth + 1, size=count)
            yield (
                f"envelope {width:g} sd",
                [
                    around(row, dict.fromkeys(range(s, s + fifth), width))
                    for row, s in zip(drawn, starts.tolist(), strict=True)
                ],
            )
    else:
        narrow = 0.02 if rows > 1000 else 0.1
        place = rng.integers(0, dim, size=count).tolist()
        yield "many rows", [around(r, {i: 0.4}) for r, i in zip(drawn, place, strict=True)]
        yield "no row", [around(r, dict.fromkeys(range(dim), narrow)) for r in drawn]
        if dim > 1:
            both = dict.fromkeys(range(dim), 0.25)
            yield "two jointly", [around(r, both) for r in drawn]
            yield "one free", [around(r, {i: narrow}) for r, i in zip(drawn, place, strict=True)]
    for kind, low, high in (("edge", 0.99, 0.9985), ("extreme", 1 - 3 / rows, 1 - 1 / rows)):
        several = []
        for i in rng.integers(0, dim, size=count).tolist():
            share = rng.uniform(min(low, 1 - 3 / rows), high)
            up = rng.random() < 0.5
            end = float(y[:, i].quantile(share if up else 1 - share))
            several.append(Specification.of({
                names[i]: Requirement(low=end) if up else Requirement(high=end)
            }))  # fmt: skip
        yield kind, several


def calibration(judge: Any, x: Tensor, y: Tensor, targets: Targets) -> dict[str, float]:
    """Expected calibration errors of designs (N, Dx) with true responses (N, Dy)."""
    stated, true = [], []
    for b in range(len(targets)):
        one = targets[b : b + 1]
        stated.append(judge.probability(x[None], one)[0].numpy())
        true.append(one.met(y[None])[0].numpy())
    p, met = np.concatenate(stated), np.concatenate(true)
    open_ = (p > 0.01) & (p < 0.99)
    return {
        "ece": _ece(p, met), "open": int(open_.sum()),
        "ece_open": _ece(p[open_], met[open_]) if open_.sum() > 100 else float("nan"),
        "stated": float(p.mean()), "true": float(met.mean()),
    }  # fmt: skip


def _ece(p: np.ndarray, met: np.ndarray) -> float:
    bins = np.minimum((10 * p).astype(int), 9)
    parts = [np.flatnonzero(bins == i) for i in range(10)]
    return float(
        sum(len(k) * abs(p[k].mean() - met[k].mean()) for k in parts if len(k)) / max(1, len(p))
    )


def measure(
    task_name: str, rows: int, seed: int, judge: str, count: int, store: Store | None,
    done: set[str],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The lines of one task and number of rows."""
    task = installed().registry.load("task", task_name)()
    places = CURVES.get(task_name)

    def responses(y: Tensor) -> Tensor:
        return y if places is None else y[..., :: y.shape[-1] // places][..., :places]

    table = task.pairs(rows, generator(seed, "table"))
    fresh = task.pairs(FRESH, generator(seed, "fresh"))
    y, truth = responses(table.y), responses(fresh.y)
    designer = None
    for kind, several in kinds(y, truth, count, seed, places is not None):
        if kind in done:
            continue
        if designer is None:
            designer = invcore_solve.fit(table.x, y, judge=judge, seed=seed, store=store)
        targets = Targets.of(several, designer.data.responses).measured_in(y.std(dim=0))
        ranked = designer.propose(specification=several, candidates=20)
        assert ranked.wanted is not None and ranked.measured is not None
        assert ranked.probability is not None
        new = ~ranked.measured
        order = torch.zeros(len(ranked), dtype=torch.long)
        for group in ranked.groups():
            own = [row for row in group if bool(new[row])]
            order[own] = torch.arange(1, len(own) + 1)
        met = ranked.wanted.met(responses(task.simulate(ranked.designs))[:, None])[:, 0]
        first, ten = order == 1, (order >= 1) & (order <= 10)
        yield {
            "task": task_name, "rows": rows, "seed": seed, "judge": judge, "kind": kind,
            "specifications": count,
            "stated_1": float(ranked.probability[first].mean()),
            "true_1": float(met[first].double().mean()),
            "stated_10": float(ranked.probability[ten].mean()),
            "true_10": float(met[ten].double().mean()),
            **{f"unselected_{k}": v for k, v in
               calibration(designer.judge, fresh.x, truth, targets).items()},
        }  # fmt: skip


def shown(lines: list[dict[str, Any]]) -> None:
    """Print a line for each, and for each task the mean over kinds."""
    for line in lines:
        print(
            f"{line['task']:12s} {line['rows']:6d} {line['seed']:4d} {line['kind']:16s} "
            f"first {line['stated_1']:.3f} true {line['true_1']:.3f}   "
            f"ten {line['stated_10']:.3f} true {line['true_10']:.3f}   unselected "
            f"ece {line['unselected_ece']:.3f}, open {line['unselected_ece_open']:.3f} "
            f"({line['unselected_open']})"
        )
    for task, rows in sorted({(line["task"], line["rows"]) for line in lines}):
        own = [i for i in lines if (i["task"], i["rows"]) == (task, rows)]
        usual = [i for i in own if i["kind"] != "extreme"] or own
        stated, true = (np.mean([i[k] for i in usual]) for k in ("stated_1", "true_1"))
        print(f"{task} {rows}: but for the extreme, first {stated:.3f} true {true:.3f}")


def main() -> None:
    """Measure, append, and show all of the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=["robotic-arm", "ballistics", "thin-film"])
    parser.add_argument("--rows", nargs="+", type=int, default=[300, 10_000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--judge", default="stacked-surrogates")
    parser.add_argument("--specifications", type=int, default=60, help="Of each kind.")
    parser.add_argument("--store", help="Where fitted judges are kept, and found again.")
    parser.add_argument("--out", default="specification_probability.jsonl")
    asked = parser.parse_args()
    path = Path(asked.out)
    lines = [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []
    store = None if asked.store is None else Store(asked.store)
    for seed in asked.seeds:
        for rows in asked.rows:
            for task in asked.tasks:
                key = {"task": task, "rows": rows, "seed": seed, "judge": asked.judge,
                       "specifications": asked.specifications}  # fmt: skip
                done = {i["kind"] for i in lines if all(i[k] == v for k, v in key.items())}
                for line in measure(
                    task, rows, seed, asked.judge, asked.specifications, store, done
                ):
                    with path.open("a") as file:
                        file.write(json.dumps(line) + "\n")
                    lines.append(line)
    shown(lines)


if __name__ == "__main__":
    main()
