"""Progress is silent, or shows bars, and never changes what goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from invcore.base.progress import Progress, RichProgress, terminal_progress


def test_silent(capsys):
    with Progress() as progress, progress.stage("fit", 3) as stage:
        stage.advance(2, loss=0.5)
    assert capsys.readouterr() == ("", "")


def drawn(width=100):
    return Console(file=io.StringIO(), force_terminal=True, width=width, force_interactive=True)


def test_bars_say_what_and_how_far():
    console = drawn()
    with RichProgress(console) as progress:
        with progress.stage("training", 4) as stage:
            stage.advance(1, loss=0.1234, lr=1e-5)
            stage.advance(2)
            progress._bars.refresh()
        with progress.stage("search") as stage:
            stage.advance(7)
            progress._bars.refresh()
    text = console.file.getvalue()
    for part in ("training", "3/4", "loss 0.123", "lr 1e-05", "search", "7/?"):
        assert part in text


def test_remarks_are_lines_with_bars_and_without():
    Progress().say("nobody hears it")
    with RichProgress(drawn()) as progress:
        progress.say("goes on from [bold]12 rows")
        assert "note: goes on from [bold]12 rows\n" in progress._bars.console.file.getvalue()
    log = Console(file=io.StringIO(), width=20)
    with terminal_progress(log) as progress, progress.stage("fit", 3) as stage:
        stage.advance(1)
        progress.say("goes on from 12 rows that are done")
    assert log.file.getvalue() == "note: goes on from 12 rows that are done\n"


def test_bar_goes_when_the_stage_fails():
    progress = RichProgress(drawn())
    with pytest.raises(ValueError, match="no"), progress, progress.stage("fit", 2):
        assert len(progress._bars.tasks) == 1
        raise ValueError("no")
    assert progress._bars.tasks == [] and not progress._bars.live.is_started
