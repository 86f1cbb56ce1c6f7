"""The picture of expected coverage: its values, its band, and which runs it shows."""

from __future__ import annotations

import pytest
import torch
from invcore_report.coverage import chance_band, coverage, credibility_of_truths
from invcore_report.report import make
from scipy import stats

from invcore import Store
from invcore.plugin import generator
from invcore.storage.run_record import RunRecord


def normal(targets, count, seed, spread=1.0):
    """Truths N(0, 1), and draws N(0, spread²)."""
    z = torch.randn(targets, count + 1, 1, generator=generator(seed, "coverage"))
    y = torch.rand(targets, 1, generator=generator(seed, "y"))
    return {"targets": y, "truth": z[:, 0], "candidates": spread * z[:, 1:]}


def written(tmp_path, held, run="0" * 12):
    store = Store(tmp_path)
    record = RunRecord(
        id=run, task="t", method="m", sampler="random", candidates=3, targets=7, seed=0,
        device="cpu",
    )  # fmt: skip
    store.write(record, tensors={"candidates": held})
    return store, run, 0


def test_truths_among_posterior_draws_have_uniform_credibilities(tmp_path):
    """However few the draws are: with two of them there are but two ranks."""
    for count in (2, 30):
        held = normal(2000, count, count) | {"independent": torch.tensor(True)}
        found = credibility_of_truths(*written(tmp_path / str(count), held))
        assert len(found) == 2000
        assert stats.kstest(found.numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize(("spread", "sign"), [(0.5, -1), (2.0, 1)])
def test_narrow_draws_are_below_the_diagonal_and_wide_ones_above(tmp_path, spread, sign):
    held = normal(2000, 30, 3, spread) | {"independent": torch.tensor(True)}
    found = credibility_of_truths(*written(tmp_path, held))
    levels = torch.linspace(0.4, 0.8, 5, dtype=torch.float64)
    away = sign * (coverage(found, levels) - levels)
    assert float(away.min()) > 0.03


def test_further_draws_stand_for_candidates_of_points_that_fill_space(tmp_path):
    good = normal(100, 20, 4)
    apart = {**good, "draws": good["candidates"], "candidates": 0 * good["candidates"]}
    found = [
        credibility_of_truths(*written(tmp_path / name, held | {"independent": independent}))
        for name, held, independent in (
            ("a", good, torch.tensor(True)), ("b", apart, torch.tensor(False)),
            ("c", good, torch.tensor(False)),
        )
    ]  # fmt: skip
    assert torch.equal(found[0], found[1]) and found[2] is None


def test_runs_without_truths_or_with_few_are_not_shown(tmp_path):
    yes = {"independent": torch.tensor(True)}
    bare, few = normal(100, 20, 5), normal(9, 20, 5)
    del bare["truth"]
    assert credibility_of_truths(*written(tmp_path / "bare", bare | yes)) is None
    assert credibility_of_truths(*written(tmp_path / "few", few | yes)) is None
    assert credibility_of_truths(*written(tmp_path / "old", normal(100, 20, 5))) is None


def test_the_band_holds_what_chance_gives(tmp_path):
    """At each level at least 95% of the mass is in it, and less than that without its ends."""
    levels = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    for count in (10, 237):
        low, high = (count * end for end in chance_band(levels, count))
        law = stats.binom(count, levels.numpy())
        inside = law.cdf(high.round().numpy()) - law.cdf(low.round().numpy() - 1)
        assert (inside >= 0.95).all()
        assert (law.cdf(low.round().numpy() - 1) <= 0.025).all()
        assert (law.sf(high.round().numpy()) <= 0.025).all()
    ends = chance_band(torch.tensor([0.0, 1.0], dtype=torch.float64), 20)
    assert [end.tolist() for end in ends] == [[0.0, 1.0], [0.0, 1.0]]


def test_one_run_and_many_are_drawn(runs, tmp_path):
    ids = [runs.add(name, targets=40) for name in ("cinn", "mdn", "na")]
    assert not any("coverage" in name for name in make(runs.store, tmp_path / "a").pictures)
    for shown in (1, 2):
        for run, spread in zip(ids[:shown], (1.0, 0.4), strict=False):
            record, held = runs.store.read(run), runs.store.tensors(run, "candidates")
            more = normal(40, 12, 6, spread)
            held |= {"truth": more["truth"].expand(-1, 2), "independent": torch.tensor(False),
                     "draws": more["candidates"].expand(-1, -1, 2)}  # fmt: skip
            runs.store.write(record, tensors={"candidates": held})
        report = make(runs.store, tmp_path / f"b{shown}")
        assert "sine-wave-coverage" in report.pictures
        page = report.page.read_text()
        assert "Expected coverage" in page and "with 40 targets" in page
        svg = (report.page.parent / "pictures" / "sine-wave-coverage.svg").read_text()
        assert svg.count("FillBetweenPolyCollection") == 1
        assert [name in svg for name in ("cinn", "mdn", "na<")] == [True, shown == 2, False]
