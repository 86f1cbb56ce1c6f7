"""Forests of regression trees as flat arrays, evaluated tree by tree."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_NUMBERS = 1 << 22  # of nodes, or values of leaves, held at once


@dataclass(frozen=True)
class Forest:
    """T trees of O outputs; P nodes and L leaves of all of them, one after another.

    A row goes left where its feature, in single precision, is at most the threshold. scikit-learn
    has thresholds in double precision; rounded down to single they part the same features.

    Args:
        roots: (T,), long, node where each tree begins.
        feature: (P,), int32, that is asked for; -1 at leaves.
        threshold: (P,), float32.
        left: (P,), int32, next node; at a leaf its place among the values.
        right: (P,), int32, next node.
        values: (L, O), float64.

    Example:
        >>> from sklearn.ensemble import ExtraTreesRegressor
        >>> x = torch.linspace(0, 1, 20)[:, None].numpy()
        >>> trees = ExtraTreesRegressor(5, random_state=0).fit(x, x[:, 0] ** 2)
        >>> mean, _ = Forest.of(trees).predict(torch.tensor([[0.4]]))
        >>> abs(float(mean) - float(trees.predict([[0.4]])[0])) < 1e-12
        True
    """

    roots: Tensor
    feature: Tensor
    threshold: Tensor
    left: Tensor
    right: Tensor
    values: Tensor

    @classmethod
    def of(cls, ensemble: Any) -> Forest:
        """The trees of a fitted forest of scikit-learn, or of a boosted one of one output."""
        parts: dict[str, list[Tensor]] = {field.name: [] for field in fields(cls)}
        nodes = leaves = 0
        for tree in (estimator.tree_ for estimator in np.ravel(ensemble.estimators_)):
            left, right = (
                torch.tensor(children, dtype=torch.int64)
                for children in (tree.children_left, tree.children_right)
            )
            leaf = left < 0
            place = leaf.cumsum(0) - 1 + leaves
            parts["roots"].append(torch.tensor([nodes]))
            feature = torch.tensor(tree.feature, dtype=torch.int32)
            parts["feature"].append(torch.where(leaf, -1, feature).int())
            parts["threshold"].append(_rounded_down(torch.tensor(tree.threshold)))
            parts["left"].append(torch.where(leaf, place, left + nodes).int())
            parts["right"].append(torch.where(leaf, place, right + nodes).int())
            values = torch.tensor(tree.value, dtype=torch.float64)[:, :, 0]
            parts["values"].append(values[leaf])
            nodes, leaves = nodes + len(leaf), leaves + int(leaf.sum())
        return cls(**{name: torch.cat(part) for name, part in parts.items()})

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the trees' values at x (M, F): two (M, O), float64."""
        x = x.float().to(self.roots.device)
        held = len(self.roots) * self.values.shape[1]
        means, variances = [], []
        for part in x.split(max(1, _NUMBERS // held)):
            values = self.values[self._leaves(part)]  # (M, T, O)
            means.append(values.mean(dim=1))
            variances.append(values.var(dim=1, unbiased=False))
        return torch.cat(means), torch.cat(variances)

    def total(self, x: Tensor) -> Tensor:
        """Sum of the trees' values at x (M, F): (M, O), float64."""
        x = x.float().to(self.roots.device)
        parts = x.split(max(1, _NUMBERS // (len(self.roots) * self.values.shape[1])))
        return torch.cat([self.values[self._leaves(part)].sum(dim=1) for part in parts])

    def scaled(self, factor: float, middle: float) -> Forest:
        """The same trees, whose total is ``factor`` times as much, and ``middle``."""
        return replace(self, values=factor * self.values + middle / len(self.roots))

    def _leaves(self, x: Tensor) -> Tensor:
        """The leaf of each row in each tree (M, T), long.

        Tree by tree, since the nodes of one stay in a processor's cache; a leaf leads to itself.
        """
        numbers = np.ascontiguousarray(x.cpu().numpy())
        flat, begin = numbers.ravel(), np.arange(len(x), dtype=np.int64) * x.shape[1]
        leaves = np.empty((len(self.roots), len(x)), dtype=np.int64)
        for tree, (feature, threshold, child, leaf) in enumerate(self._trees):
            node = np.zeros(len(x), dtype=np.int32)
            while True:
                below = flat.take(begin + feature.take(node)) <= threshold.take(node)
                after = child.take(2 * node + below)
                if np.array_equal(after, node):
                    break
                node = after
            leaves[tree] = leaf.take(node)
        return torch.from_numpy(leaves).T.to(x.device)

    @cached_property
    def _trees(self) -> list[tuple[npt.NDArray[Any], ...]]:
        """Of each tree: features, thresholds, right and left child of each node in turn, leaves."""
        arrays = (self.feature, self.threshold, self.left, self.right)
        feature, threshold, left, right = (array.cpu().numpy() for array in arrays)
        roots = self.roots.tolist()
        trees: list[tuple[npt.NDArray[Any], ...]] = []
        for first, last in zip(roots, [*roots[1:], len(feature)], strict=True):
            own, place = slice(first, last), np.arange(last - first)
            leaf = feature[own] < 0
            ends = [np.where(leaf, place, side[own] - first) for side in (right, left)]
            trees.append((
                np.where(leaf, 0, feature[own]),
                np.where(leaf, np.inf, threshold[own]).astype(np.float32),
                np.stack(ends, axis=1).astype(np.int32).ravel(),
                left[own],
            ))  # fmt: skip
        return trees

    def state(self) -> dict[str, Tensor]:
        """The arrays."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _rounded_down(numbers: Tensor) -> Tensor:
    """The largest float32 that are at most these."""
    near = numbers.float()
    below = near.nextafter(torch.tensor(-torch.inf))
    return torch.where(near.double() > numbers.double(), below, near)
