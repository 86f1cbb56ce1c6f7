"""Curves over a setting that a bench varies."""

from __future__ import annotations

import torch
from invcore_report.charts import curve_charts
from invcore_report.curves import Interval, mean_interval, pooled
from invcore_report.leaderboard import Board, Row
from invcore_report.method_summary import Summary
from invcore_report.pictures import Gallery
from invcore_report.series import series_charts, series_of, without

from invcore.storage.run_record import RunRecord


def row(value, method="jpo", key="better-than-reference", candidates=1, **settings):
    record = RunRecord(
        id="0" * 12, task="t", method=method, sampler="lhs", candidates=candidates, targets=3,
        seed=0, device="cpu", config={"method": settings},
    )  # fmt: skip
    errors = torch.rand(3, generator=torch.Generator().manual_seed(0))
    summary = Summary(
        task="t", method=f"{method} {settings}", name=method, records=(record,), targets="",
        raw=pooled((1,), errors[None]), reranked=None, median=mean_interval(errors),
        failed=mean_interval(errors), answered=mean_interval(torch.ones(1)), within={},
    )  # fmt: skip
    return Row(summary, cells={key: Interval(value, value - 0.1, value + 0.1)})


def board(*rows):
    return Board("t", 1, (), rows)


ROWS = [
    *(row(0.1 * n, joint=n, refine="none", lr=0.1) for n in (4, 2, 8)),
    *(row(0.2 * n, joint=n, refine="bfgs", lr=0.1) for n in (2, 4)),
    row(0.5, method="bfgs", joint=3),
]


def test_a_series_is_one_method_and_one_setting_in_ascending_order():
    (one,) = series_of(board(*ROWS), "better-than-reference")
    assert (one.setting, one.label) == ("joint", "jpo")
    assert [(n, round(p.value, 6)) for n, p in one.points] == [(2, 0.2), (4, 0.4), (8, 0.8)]


def test_series_are_named_by_what_tells_them_apart():
    more = [*ROWS, row(0.9, joint=8, refine="bfgs", lr=0.1)]
    found = series_of(board(*more), "better-than-reference")
    assert [one.label for one in found] == ["jpo (refine=none)", "jpo (refine=bfgs)"]


def test_two_values_or_two_settings_at_once_are_no_series():
    both = [row(0.1, joint=n, lr=n / 10) for n in (2, 4, 8)]
    assert not series_of(board(*ROWS[3:], *both), "better-than-reference")


def test_runs_with_other_numbers_of_candidates_are_other_series():
    many = [row(0.9, candidates=50, lr=0.1, refine="none", joint=n) for n in (2, 4, 8)]
    found = series_of(board(*ROWS, *many), "better-than-reference")
    assert [one.label for one in found] == ["jpo (candidates=1)", "jpo (candidates=50)"]
    assert [point.value for _, point in found[1].points] == [0.9] * 3


def test_methods_without_the_setting_are_level_lines(tmp_path):
    beside = [row(n, method="adam", lr=n) for n in (0.1, 0.3)] + [row(0.2, "lbfgs", "r_1")]
    first, second = without(board(*ROWS, *beside), "joint", "better-than-reference")
    assert first[0] == "adam {'lr': 0.3}"  # more is better
    assert second == ("adam {'lr': 0.1}", Interval(0.1, 0.0, 0.2))
    (picture,) = series_charts(board(*ROWS, *beside), Gallery(tmp_path))
    assert "dashed" in picture.caption and "adam" in picture.inline


def test_a_zero_beside_three_others_is_a_level_line(tmp_path):
    rows = [row(0.1 * (1 + n), joint=n) for n in (0, 2, 4)]
    (one,) = series_of(board(*rows), "better-than-reference")
    assert [n for n, _ in one.points] == [0, 2, 4] and one.zero is None
    (one,) = series_of(board(*rows, row(0.9, joint=8)), "better-than-reference")
    assert [n for n, _ in one.points] == [2, 4, 8] and one.zero == row(0.1).cells[
        "better-than-reference"
    ]
    (picture,) = series_charts(board(*rows, row(0.9, joint=8)), Gallery(tmp_path))
    assert "jpo, joint=0" in picture.inline


def test_the_chart_is_written_or_there_is_none(tmp_path):
    gallery = Gallery(tmp_path)
    (picture,) = series_charts(board(*ROWS), gallery)
    assert picture.name == "t-by-joint" and (tmp_path / "t-by-joint.png").stat().st_size > 5000
    errors = [row(0.1 * n, key="r_1", joint=n) for n in (4, 2, 8)]
    (picture,) = series_charts(board(*errors), gallery)
    assert "r_1" in picture.caption
    (picture,) = series_charts(board(*errors, row(0.3, method="bfgs")), gallery)
    assert "r_1" in picture.caption, "the share of a method without the setting hides no series"
    assert not series_charts(board(*ROWS[3:]), gallery)


def test_one_candidate_makes_no_curve_of_their_number(tmp_path):
    assert not curve_charts([row(0.1).summary], {}, Gallery(tmp_path))
