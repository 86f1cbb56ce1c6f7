"""Runs that fail: a failure is a record, and what is wrong is said before anything is done."""

from __future__ import annotations

import json

import pytest

from invcore import Store
from invcore.base.errors import (
    ConfigError,
    DeviceError,
    PluginError,
    StoreError,
    UnknownNameError,
)
from invcore.cli.views.run_record import document, show


def method(name="exact", **settings):
    return {"method": {"name": name, **settings}}


FAILURES = {
    "diverged": (method(fail="fit"), "diverged", "toy diverged in epoch 3"),
    "diverged late": (method(fail="propose"), "diverged", "all is lost, really"),
    "bug": (method(fail="bug"), "error", "ZeroDivisionError: no message"),
    "flat": (method(fail="flat"), "error", "candidates have shape"),
    "one number": (method(fail="1d"), "error", "expected (7, 5, 2)"),
    "wide": (method(fail="wide"), "error", "(7, 5, 4), expected (7, 5, 2)"),
    "few": (method(fail="few"), "error", "(7, 1, 2), expected (7, 5, 2)"),
    "no gradient": (method("gradient") | {"task": "closed"}, "skipped", "needs gradients"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_is_a_record_and_is_tried_again(go, name):
    change, status, reason = FAILURES[name]
    record = go(**change)
    assert record.status == status and reason in record.reason
    assert record.reason.isprintable() and record.metrics == ()
    assert go.store.read(record.id) == record and list(record.files) == ["log.jsonl"]
    fits = go.seen.get("fits", 0)
    assert go(**change).status == status
    assert go.seen.get("fits", 0) == (fits + 1 if fits else 0)


def test_metric_that_fails_is_left_out_and_said(go, monkeypatch, capsys):
    def boom(self, evaluation):
        raise RuntimeError("no\nroom")

    monkeypatch.setattr(type(go(plan=True).metrics["best"].component), "measure", boom)
    record = go()
    said = "metric best left out: RuntimeError: no room; rescoring tries again"
    assert (record.status, record.notes, record.metrics) == ("ok", (said,), ())
    assert {"warning": said} in log(go, record)
    show(record, go.store)
    assert f"note: {said}" in capsys.readouterr().out
    assert document(record, go.store)["notes"] == (said,)


def test_hook_that_fails_is_logged_whenever_it_does(go, monkeypatch):
    def emit(self, event):
        return [f"a tracker at {event.name}"]

    monkeypatch.setattr("invcore.registry.loader.Plugins.emit", emit)
    record = go()
    lines = log(go, record)
    for name in ("run-started", "run-finished"):
        assert {"warning": f"a tracker at {name}"} in lines
    assert go.store.read(record.id) == record and record.notes == ()


def log(go, record):
    text = (go.store.path(record.id) / "log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_failure_is_raised_on_wish(go):
    with pytest.raises(ZeroDivisionError):
        go(keep_going=False, **method(fail="bug"))
    assert go.store.ids() == []


@pytest.mark.parametrize(
    ("fail", "text"), [("exit", "SystemExit: 3"), ("pretence", "KeyboardInterrupt")]
)
def test_what_would_end_the_process_is_a_failure(go, fail, text):
    record = go(**method(fail=fail))
    assert record.status == "error" and record.reason.startswith(text)
    assert go.store.read(record.id).reason == record.reason
    with pytest.raises(PluginError, match=text):
        go(keep_going=False, force=True, **method(fail=fail))


def test_interrupt_leaves_nothing(go):
    with pytest.raises(KeyboardInterrupt):
        go(**method(fail="interrupt"))
    assert list(go.store.root.iterdir()) == [go.store.cache]  # what was simulated is not lost


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"task": "lime"}, UnknownNameError),
        (method("exakt"), UnknownNameError),
        (method(shfit=1.0), ConfigError),
        ({"metrics": {"bset": {}}}, UnknownNameError),
        ({"metrics": {"best": {"T": 1}}}, ConfigError),
        ({"device": "cuda:99"}, DeviceError),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(go, change, kind, complaint):
    complaint(kind, go, **change)
    assert "fits" not in go.seen and not go.store.root.exists()


def test_store_that_cannot_be_written_is_said_before_the_fit(go, tmp_path, complaint):
    (tmp_path / "file").write_text("x")
    complaint(StoreError, go, store=Store(tmp_path / "file"))
    assert "fits" not in go.seen
