"""Scoring apart from running: stored runs are judged again, and nothing else is done again."""

from __future__ import annotations

import json

import pytest
import torch

from invcore import RunConfig, run
from invcore.base.errors import ConfigError, DataError, UnknownNameError
from invcore.configs.config import Config
from invcore.plugin import Estimate, Metric, UnfitError
from invcore.registry import code
from invcore.registry.metric_code import old_metrics
from invcore.runs.rescoring import rescore


class Spread(Metric):
    """One that is installed later; it reads all that there can be."""

    class Config(Config):
        factor: float = 1.0

    def measure(self, evaluation):
        for name in ("truth", "penalty", "variance", "history", "task"):
            assert getattr(evaluation, name) is not None, name
        assert evaluation.independent in (True, False) and evaluation.timings["fit_s"] >= 0
        value = float(evaluation.errors.std()) * self.config.factor
        return [Estimate("spread", value)]


@pytest.fixture
def later(go, make_plugins):
    """The plugins of another day: the toys, and one more metric."""

    def work(owner="toy", **metrics):
        from conftest import Exact, Gradient, Line, Plain, Simulating

        return make_plugins(
            owner, installed=False, task={"line": Line}, sampler={"plain": Plain},
            method={"exact": Exact, "simulating": Simulating, "gradient": Gradient},
            metric=metrics or {"spread": Spread},
        )  # fmt: skip

    return work


def test_a_new_metric_on_an_old_run(go, later):
    first = go()
    fits, plugins = go.seen["fits"], later(spread=Spread)
    again = rescore(go.store, first.id, plugins=plugins)
    assert again.metrics == ("spread",) and go.seen["fits"] == fits
    errors = go.store.tensors(first.id, "candidates")["errors"]
    assert again.record.metric("spread").value == pytest.approx(float(errors.std()))
    assert again.record.metric("best", 1) == first.metric("best", 1), "the others stay"
    assert go.store.read(first.id) == again.record
    assert rescore(go.store, first.id, plugins=plugins).metrics == (), "it is up to date"
    forced = rescore(go.store, first.id, plugins=plugins, force=True)
    assert forced.metrics == ("spread",) and len(forced.record.metrics) == len(again.record.metrics)


def test_settings_of_a_metric(go, later):
    first, plugins = go(), later(spread=Spread)
    single = rescore(go.store, first.id, plugins=plugins).record.metric("spread").value
    settings = {"spread": {"factor": 3.0}}
    triple = rescore(go.store, first.id, plugins=plugins, settings=settings)
    assert triple.record.metric("spread").value == pytest.approx(3 * single)
    assert rescore(go.store, first.id, plugins=plugins).metrics == (), "they are kept"
    off = rescore(go.store, first.id, plugins=plugins, settings={"spread": False}, force=True)
    assert off.metrics == ()
    named = rescore(go.store, first.id, plugins=plugins, metrics=["spread"], force=True)
    assert named.metrics == ("spread",), "asked for by name it is on"
    with pytest.raises(ConfigError):
        rescore(go.store, first.id, plugins=plugins, settings={"spread": {"factor": "x"}})
    with pytest.raises(UnknownNameError, match="no metric 'sprad'"):
        rescore(go.store, first.id, plugins=plugins, metrics=["sprad"])


def test_settings_and_absence_of_metrics_are_no_identity(go):
    ids = {go(plan=True, metrics=metrics).id for metrics in ({}, {"best": {}}, {"best": False})}
    assert len(ids) == 1
    without = go(metrics={"best": False})
    assert without.metrics == () and go.seen["fits"] == 1
    now = go()
    assert now.stored and go.seen["fits"] == 1 and now.metric("best", 1).value > 0


def test_a_metric_whose_code_has_changed_is_old_until_it_judges_again(go, monkeypatch):
    plugins = go.plugins
    first = go()
    assert old_metrics(first, plugins) == set()
    monkeypatch.setattr(
        "invcore.registry.metric_code.scoring_code_of", lambda entry: {"other": "0"}
    )
    assert old_metrics(first, plugins) == {"best"}
    assert go.store.read(first.id).scoring["best"].code == first.scoring["best"].code
    again = go()
    assert again.stored and go.seen["fits"] == 1
    assert again.scoring["best"].code != first.scoring["best"].code
    assert old_metrics(again, plugins) == set() and again.metrics == first.metrics


def test_a_metric_that_has_nothing_to_say_tells_why(go, monkeypatch):
    def unfit(self, evaluation):
        raise UnfitError("too few draws")

    monkeypatch.setattr(type(go(plan=True).metrics["best"].component), "measure", unfit)
    record = go()
    assert (record.metrics, record.notes) == ((), ())
    assert record.scoring["best"].reason == "too few draws"


def test_a_task_that_is_another_one_now_is_not_shown_to_metrics(go, later, monkeypatch):
    class OfLines(Spread):
        def applies(self, task):
            return True

    class Cautious(Metric):
        def measure(self, evaluation):
            return [Estimate("sees-a-task", float(evaluation.task is not None))]

    first, plugins = go(), later(spread=OfLines, cautious=Cautious)
    changed = {"toy": "another code"}
    monkeypatch.setattr("invcore.runs.rescoring.code_of", lambda entries: changed)
    again = rescore(go.store, first.id, plugins=plugins)
    assert again.metrics == ("cautious",), "whether the other applies, nobody can tell"
    assert again.record.metric("sees-a-task").value == 0.0
    named = rescore(go.store, first.id, plugins=plugins, metrics=["spread"])
    assert named.metrics == () and "has changed since" in named.notes[0]


@pytest.mark.parametrize(
    "change, said",
    [({"kind": "solve"}, "without candidates"), ({"status": "error"}, "did not end well (error)"),
     ({"schema_version": 1}, "run it again")],
)  # fmt: skip
def test_what_cannot_be_rescored_is_refused(go, change, said, complaint):
    record = go().model_copy(update=change)
    go.store.write(record)
    assert said in complaint(DataError, rescore, go.store, record.id, plugins=go.plugins)


def test_rescored_numbers_are_those_of_the_run(tmp_path):
    """All of the installed metrics, from the stored tensors: the same to the last bit."""
    from invcore import Store
    from invcore.plugin import installed

    config = RunConfig.resolve(
        {"method": {"name": "mdn", "training": {"epochs": 2}}, "sampler": "lhs", "pairs": 200,
         "targets": 30, "candidates": 8, "preset": "quick", "device": "cpu"}
    )  # fmt: skip
    first = run(config, store=Store(tmp_path))
    again = rescore(Store(tmp_path), first.id, plugins=installed(), force=True).record
    assert {m.name for m in first.metrics} >= {"r_T", "log-likelihood", "mmd", "sbc-p", "modes"}
    assert again.metrics == first.metrics
    held = Store(tmp_path).tensors(first.id, "candidates")
    assert held["draws"].shape == (30, 20, 2) and not bool(held["independent"])
    config = config.model_copy(
        update={"sampler": config.sampler.model_copy(update={"name": "random"})}
    )
    other = run(config, store=Store(tmp_path))
    held = Store(tmp_path).tensors(other.id, "candidates")
    assert "draws" not in held and bool(held["independent"]), "they are independent themselves"


def test_a_flipped_digit_of_a_metric_is_noticed(go):
    record = go()
    path = go.store.path(record.id) / "run.json"
    text = path.read_text()
    digits = json.dumps(record.metric("best", 1).value)
    other = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    path.write_text(text.replace(digits, other, 1))
    assert go.store.get(record.id) is None
    assert go().metrics == record.metrics and go.seen["fits"] == 2, "it is done again"


def test_the_code_is_part_of_the_id(go, monkeypatch):
    first = go(plan=True).id
    monkeypatch.setattr("invcore.pipeline.request.code_of", lambda entries: {"toy": "abc"})
    other = go(plan=True)
    assert other.id != first
    assert go().code == {"toy": "abc"}
    assert code.code_of([]).keys() <= {"invcore"}


def test_missing_candidates_never_improve_a_number(go, later):
    """A method that keeps its good candidates back to itself, and one that gives none at all."""
    from invcore.scoring.expected_best import counted, expected_best

    record = go()
    held = go.store.tensors(record.id, "candidates")
    errors, penalty = held["errors"], held["penalty"]
    responses = torch.cat([go.seen["train"].y, go.seen["val"].y, held["targets"]]).double()
    worst = (responses[:, 0] - held["targets"]).square().amax(dim=1)
    torch.testing.assert_close(penalty, worst)
    for lost in (errors > errors.median(), torch.ones_like(errors, dtype=torch.bool)):
        fewer = torch.where(lost, torch.nan, errors)
        for ranked in (False, True):
            whole, some = (
                expected_best(e, [1, 3, 5], ranked=ranked, penalty=penalty).mean(dim=1)
                for e in (errors, fewer)
            )
            assert bool((some >= whole).all())
        assert bool((counted(fewer, penalty).mean(dim=1) >= errors.mean(dim=1)).all())
