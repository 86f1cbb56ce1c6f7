"""Two runs side by side: numbers against scipy and by hand, and who may be compared."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
import torch
from invcore_report.comparison import Comparison, difference
from invcore_report.comparison_text import sentence
from scipy.stats import ttest_1samp, wilcoxon

from invcore.plugin import generator
from invcore.results import RunRecord


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
    found = difference("r_1", [10**log], [torch.ones(8, dtype=torch.float64)])
    # The rank sum of the negative ones is 3; of 256 sign patterns 5 have at most that.
    assert found.p == pytest.approx(2 * 5 / 256)
    assert (found.a_better, found.b_better, found.ties) == (1 / 8, 7 / 8, 0.0)
    assert found.log10_median == pytest.approx(0.45)
    assert found.first == pytest.approx(float((10**log).mean())) and found.second == 1.0
    assert found.ratio_low < found.ratio < found.ratio_high


def test_large_samples_against_scipy():
    first = torch.rand(300, generator=generator(0, "a"), dtype=torch.float64)
    second = torch.rand(300, generator=generator(0, "b"), dtype=torch.float64) * 1.3
    found = difference("r_1", [first], [second])
    expected = wilcoxon((first.log10() - second.log10()).numpy()).pvalue
    assert found.p == pytest.approx(expected)
    assert found.ratio == pytest.approx(float(first.mean() / second.mean()))


def test_ties_and_zeros():
    same = torch.tensor([0.0, 1.0])
    found = difference("r_1", [same], [same.clone()])
    assert (found.targets, found.ties, found.p) == (2, 1.0, 1.0)
    none = difference("r_1", [same[:1]], [same[:1]])
    assert none.p == 1.0 and math.isnan(none.ratio)


def test_over_seeds_the_test_is_one_of_the_seeds_means():
    random = generator(4)
    first, second = (
        [torch.rand(40, generator=random, dtype=torch.float64) for _ in range(5)] for _ in range(2)
    )
    found = difference("r_1", first, second)
    means = [float((a.log10() - b.log10()).mean()) for a, b in zip(first, second, strict=True)]
    assert (found.seeds, found.targets) == (5, 200)
    assert found.p == pytest.approx(ttest_1samp(means, 0.0).pvalue)


def test_seeds_of_one_method_are_no_two_methods():
    """Every fit has luck of its own, shared by its targets; over targets alone it is a verdict."""
    random, single, several = generator(5), [], []
    for _ in range(200):
        luck = 0.3 * torch.randn(2, 5, 1, generator=random, dtype=torch.float64)
        noise = 0.3 * torch.randn(2, 5, 60, generator=random, dtype=torch.float64)
        a, b = 10 ** (luck + noise)
        single.append(difference("r_1", [a[0]], [b[0]]).p)
        several.append(difference("r_1", list(a), list(b)).p)
    wrong = [sum(p < 0.05 for p in values) / 200 for values in (single, several)]
    assert wrong[0] > 0.5, "one seed is about two fitted models"
    assert wrong[1] < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_rounding_is_no_difference():
    """Two ways to the same designs, and a fourth target where one is better."""
    first = torch.tensor([1e-2, 3.0, 2e-30, 1.0], dtype=torch.float64)
    other = first * torch.tensor([1.0, 1.0, 1.0, 2.0])
    found = difference("r_1", [first * (1 + 1e-12)], [other])
    assert (found.a_better, found.b_better, found.ties) == (0.25, 0.0, 0.75)
    assert found.p == 1.0 and found.log10_median == 0.0


def test_the_command(call, runs, pair):
    a, b = pair
    done = call("compare", a, b, "--store", runs.store.root)
    assert done.code == 0 and done.err == ""
    assert "A  000000000001  one on sine-wave" in done.out
    last = done.out.strip().splitlines()[-1]
    assert last.startswith("Run A is better on 75% of the targets, its r_50 is ")
    assert "over the targets of one seed" in last and "more seeds" in last
    turned = call("compare", b, a, "--store", runs.store.root).out.strip().splitlines()[-1]
    assert turned.startswith("Run B is better on 75% of the targets, its r_50 is ")
    assert last.split("p = ")[1] == turned.split("p = ")[1]
    ratio = last.split("its r_50 is ")[1].split()[0]
    assert ratio == turned.split("its r_50 is ")[1].split()[0]


def test_json(call, runs, pair):
    done = call("compare", *pair, "--store", runs.store.root, "--json")
    found = json.loads(done.out)
    assert [d["name"] for d in found["differences"]] == ["r_1", "r_50", "10 calls"]
    assert found["a"]["id"] == pair[0] and found["b"]["method"] == "other"
    assert found["differences"][1]["a_better"] == 0.75
    assert found["sentence"].startswith("Run A is better") and found["seeds"] == [0]


def test_other_seeds_are_found_and_tested_together(call, runs):
    ids = [[runs.add(name, seed=s, scale=scale) for s in (0, 1, 2, 3)]
           for name, scale in (("good", 0.01), ("bad", 1.0))]  # fmt: skip
    runs.add("good", seed=4)  # of which there is no other
    runs.add("bad", seed=5, settings={"width": 9})
    done = call("compare", ids[0][1], ids[1][1], "--store", runs.store.root)
    assert "with their runs of seeds 0, 1, 2, 3" in done.out
    last = done.out.strip().splitlines()[-1]
    assert last.startswith("A is better on ") and "over 4 seeds and their targets" in last
    found = call("compare", ids[0][1], ids[1][1], "--store", runs.store.root, "--json").json
    assert sorted(found["seeds"]) == [0, 1, 2, 3] and found["differences"][0]["targets"] == 48


def test_that_equal_calls_turn_it_round_is_said():
    nothing = difference("r_50", [torch.ones(3), torch.ones(3)], [torch.ones(3), torch.ones(3)])
    rows = [
        replace(nothing, name="r_50", a_better=0.9, b_better=0.1, ties=0.0, p=0.01, ratio=0.5),
        replace(nothing, name="10 calls", a_better=0.2, b_better=0.8, ties=0.0, p=0.02),
    ]
    facts = {"task": "t", "method": "m", "sampler": "s", "candidates": 50, "targets": 3}
    one, two = (RunRecord(id=c * 12, seed=0, device="cpu", **facts) for c in "ab")
    text = sentence(Comparison(one, two, tuple(rows), (0, 1)))
    assert text.startswith("A is better on 90%")
    assert text.endswith(
        "over 2 seeds and their targets. Within 10 calls a target it is B (p = 0.02)."
    )
    calm = replace(rows[1], p=0.2)
    assert sentence(Comparison(one, two, (rows[0], calm), (0, 1))).endswith("their targets.")


def test_no_headline_for_who_leaves_targets_unanswered(call, runs):
    """Its few answers are the better ones, and it says nothing of a third of the targets."""
    held = runs.store.tensors(runs.add("other"), "candidates")["errors"]
    errors = held / 100
    errors[:4] = math.nan
    a, b = runs.add("mute", errors=errors), runs.add("whole", errors=held)
    done = call("compare", a, b, "--store", runs.store.root)
    assert re.search(r"answered +67% +100%", done.out)
    assert "Neither is called better: A leaves targets without an answer." in done.out
    found = call("compare", a, b, "--store", runs.store.root, "--json").json
    assert found["a"]["answered"] == pytest.approx(2 / 3) and found["b"]["answered"] == 1
    assert found["differences"][0]["targets"] == 12, "all targets count"
    assert found["differences"][0]["first"] > found["differences"][0]["second"]


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
