"""Random sets of discrete constraints for `constraint_sets.py`: levels, whole numbers, at most k
parts of a mixture, categories with conditions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from constraint_kinds import CONTINUOUS, Draft, Generator, inside, size


def add_levels(draft: Draft) -> None:
    """Some columns take a few values only, one of which is the point's."""
    g = draft.generator
    count = sum(not whole for whole in draft.integer)
    for j in g.choice(count, size=min(count, int(g.integers(1, 4))), replace=False).tolist():
        values = np.unique(np.append(np.round(g.random(int(g.integers(1, 5))), 3), draft.point[j]))
        owner, shares, one = draft.name(), {j: 1.0}, {}
        for value in values.tolist():
            z = draft.column(float(value == draft.point[j]), 0.0)
            shares[z], one[z] = -value, 1.0
        draft.row(shares, 0.0, 0.0, owner)
        draft.row(one, 1.0, 1.0, owner)


def add_category(draft: Draft) -> None:
    """A category, and what must hold where it has some of its values."""
    g, columns = draft.generator, len(draft.point)
    count, chosen = int(g.integers(2, 6)), 0
    codes = [draft.column(float(k == chosen), 0.5) for k in range(count)]
    draft.row(dict.fromkeys(codes, 1.0), 1.0, 1.0, -1)
    for code in codes[: int(g.integers(1, count))]:
        limited = Draft(g, draft.point[:columns])
        limited.high = draft.high[:columns]
        shares = limited.shares(4)
        most = sum(max(s, 0.0) * limited.high[j] for j, s in shares.items())
        at = limited.value(shares) + (draft.slack() if code == codes[chosen] else 0.0)
        draft.row({**shares, code: most - at}, -np.inf, most)


def levels(g: Generator) -> Draft:
    """Levels, and rows."""
    draft = inside(g, size(g, 12))
    add_levels(draft)
    draft.around(int(g.integers(1, 6)))
    return draft


def whole(g: Generator) -> Draft:
    """Whole numbers beside continuous columns, in sums that may be exact."""
    draft = inside(g, size(g, 8))
    for _ in range(int(g.integers(1, 6))):
        high = int(g.integers(1, 12))
        draft.column(float(g.integers(high + 1)), 1.0, float(high))
    draft.around(int(g.integers(1, 6)))
    if g.random() < 0.5:
        shares = draft.shares(whole=True)
        draft.row(shares, draft.value(shares), draft.value(shares))
    return draft


def few_parts(g: Generator, most: int = 20) -> Draft:
    """At most k parts of a mixture, each with a least share or none."""
    count = int(g.integers(3, most + 1))
    k = int(g.integers(1, min(count, 8) + 1))
    point = np.zeros(count)
    chosen = g.choice(count, size=k, replace=False)
    point[chosen] = g.dirichlet(np.ones(k))
    draft = Draft(g, point.tolist())
    draft.row(dict.fromkeys(range(count), 1.0), 1.0, 1.0)
    owner = draft.name()
    least = float(point[chosen].min() * g.random()) if g.random() < 0.5 else 0.0
    used = [draft.column(float(j in chosen), 0.0) for j in range(count)]
    for j, z in enumerate(used):
        draft.row({j: 1.0, z: -1.0}, -np.inf, 0.0, owner)
        if least:
            draft.row({j: 1.0, z: -least}, 0.0, np.inf, owner)
    draft.row(dict.fromkeys(used, 1.0), -np.inf, float(k), owner)
    for _ in range(int(g.integers(0, 3))):
        shares = {int(j): float(g.standard_normal()) for j in g.choice(count, 2, replace=False)}
        draft.row(shares, -np.inf, draft.value(shares) + draft.slack())
    return draft


def all_kinds(g: Generator) -> Draft:
    """A continuous set with levels and a category."""
    draft = CONTINUOUS[int(g.integers(len(CONTINUOUS)))](g)
    add_levels(draft)
    add_category(draft)
    return draft


DISCRETE: tuple[Callable[[Generator], Draft], ...] = (levels, whole, few_parts, all_kinds)
