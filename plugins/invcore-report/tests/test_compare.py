"""Two runs side by side: numbers against scipy and by hand, and who may be compared."""

from __future__ import annotations

import json
import math

import pytest
import torch
from invcore_report.comparison import difference
from scipy.stats import wilcoxon

from invcore.plugin import generator


@pytest.fixture
def pair(runs):
    """B's errors are those of A times 4, but on three targets."""
    a = runs.add("one")
    errors = 4 * runs.store.tensors(a, "candidates")["errors"]
    errors[:3] /= 8
    return a, runs.add("other", errors=errors, seed=0)


def test_a_known_example():
    """Wilcoxon's own kind of example: eight pairs, differences of distinct sizes."""
    log = torch.tensor([0.1, 0.2, -0.3, 0.4, 0.5, 0.6, 0.7, 0.8], dtype=torch.float64)
    found = difference("r_1", 10**log, torch.ones(8, dtype=torch.float64))
    # The rank sum of the negative ones is 3; of 256 sign patterns 5 have at most that.
    assert found.p == pytest.approx(2 * 5 / 256)
    assert (found.a_better, found.b_better, found.ties) == (1 / 8, 7 / 8, 0.0)
    assert found.log10_median == pytest.approx(0.45)
    assert found.first == pytest.approx(float((10**log).mean())) and found.second == 1.0
    assert found.ratio_low < found.ratio < found.ratio_high


def test_large_samples_against_scipy():
    first = torch.rand(300, generator=generator(0, "a"), dtype=torch.float64)
    second = torch.rand(300, generator=generator(0, "b"), dtype=torch.float64) * 1.3
    found = difference("r_1", first, second)
    expected = wilcoxon((first.log10() - second.log10()).numpy()).pvalue
    assert found.p == pytest.approx(expected)
    assert found.ratio == pytest.approx(float(first.mean() / second.mean()))


def test_ties_zeros_and_missing_answers():
    nan = math.nan
    first = torch.tensor([0.0, 1.0, nan, 2.0, nan])
    second = torch.tensor([0.0, 1.0, 3.0, nan, nan])
    found = difference("r_1", first, second)
    assert (found.targets, found.a_alone, found.b_alone) == (2, 1, 1)
    assert (found.ties, found.p) == (1.0, 1.0)
    none = difference("r_1", first[2:], second[2:])
    assert none.targets == 0 and none.p == 1.0 and math.isnan(none.ratio)


def test_rounding_is_no_difference():
    """Two ways to the same designs, and a fourth target where one is better."""
    first = torch.tensor([1e-2, 3.0, 2e-30, 1.0], dtype=torch.float64)
    found = difference("r_1", first * (1 + 1e-12), first * torch.tensor([1.0, 1.0, 1.0, 2.0]))
    assert (found.a_better, found.b_better, found.ties) == (0.25, 0.0, 0.75)
    assert found.p == 1.0 and found.log10_median == 0.0


def test_the_command(call, runs, pair):
    a, b = pair
    done = call("compare", a, b, "--store", runs.store.root)
    assert done.code == 0 and done.err == ""
    assert "A  000000000001  one on sine-wave" in done.out
    last = done.out.strip().splitlines()[-1]
    assert last.startswith("A is better on 75% of the targets, its r_50 is ")
    turned = call("compare", b, a, "--store", runs.store.root).out.strip().splitlines()[-1]
    assert turned.startswith("B is better on 75% of the targets, its r_50 is ")
    assert last.split("p = ")[1] == turned.split("p = ")[1]
    ratio = last.split("its r_50 is ")[1].split()[0]
    assert ratio == turned.split("its r_50 is ")[1].split()[0]


def test_json(call, runs, pair):
    done = call("compare", *pair, "--store", runs.store.root, "--json")
    found = json.loads(done.out)
    assert [d["name"] for d in found["differences"]] == ["r_1", "r_50"]
    assert found["a"]["id"] == pair[0] and found["b"]["method"] == "other"
    assert found["differences"][1]["a_better"] == 0.75
    assert found["sentence"].startswith("A is better")


def test_equal_runs_and_reranked_ones(call, runs):
    a = runs.add("one", order=True, candidates=20)
    b = runs.add("two", order=True, candidates=20)
    held = runs.store.tensors(a, "candidates")
    runs.store.write(runs.store.read(b), tensors={"candidates": held})
    done = call("compare", a, b, "--store", runs.store.root)
    assert "The two are equal on every target at r_20." in done.out
    assert "r_20 re-ranked" in done.out and "100%" in done.out


def test_who_cannot_be_compared(call, runs):
    a = runs.add("na")
    others = {
        runs.add("na", task="other"): "their tasks are sine-wave and other",
        runs.add("na", task_settings={"drag": 1}): "their settings of sine-wave differ",
        runs.add("na", seed=1): "other data (seed 0 and 1)",
        runs.add("na", pairs=50): "other data (pairs 100 and 50)",
        runs.add("na", status="error", reason="broke"): "did not end well (error: broke)",
        runs.add("na", kind="solve"): "is a fitted model",
        a: "named twice",
    }
    for other, why in others.items():
        done = call("compare", a, other, "--store", runs.store.root)
        assert done.code == 2 and done.out == ""
        assert why in done.err and done.err.count("\n") == 1, done.err
    moved = runs.add("na")
    held = runs.store.tensors(moved, "candidates")
    held["targets"] = held["targets"] + 1
    runs.store.write(runs.store.read(moved), tensors={"candidates": held})
    assert "their targets differ" in call("compare", a, moved, "--store", runs.store.root).err
    assert "no run 'zz'" in call("compare", a, "zz", "--store", runs.store.root).err
    (runs.store.path(moved) / "candidates.safetensors").write_bytes(b"no")
    assert call("compare", a, moved, "--store", runs.store.root).code == 3
