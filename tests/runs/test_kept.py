"""What a method leaves with its run: files of its model, tensors, files for people; and events."""

from __future__ import annotations

import json

import pytest
import torch

from invcore import RunConfig, Store, run
from invcore.base.errors import StoreError
from invcore.plugin import Candidates, FitEnvironment, InverseMethod, InverseModel, Problem, Targets


class FileModel(InverseModel):
    """Keeps what it knows in a file, as a model of another library would."""

    point_dim, ranked = 1, False

    def __init__(self, shift):
        self.shift = shift

    def propose(self, targets, points, *, simulator=None, env=None):
        env.diagnostics("points", points)
        a = 2 * points[..., 0] - 1
        return Candidates(torch.stack([a, targets.y - a + self.shift], dim=2))

    def state(self):
        return {"nothing": torch.zeros(1)}

    def files(self):
        return {"model.json": json.dumps({"shift": self.shift}).encode()}


class Filed(InverseMethod):
    def fit(self, problem, train, val, env):
        for epoch in (1, 2):
            env.log({"stage": "filed", "epoch": epoch, "loss": 1.0 / epoch})
        env.diagnostics("mean", train.y.mean(dim=0))
        env.artefact("curve.txt").write_text("1 0.5")
        return FileModel(0.125)

    def restore(self, problem, state, files=None):
        return FileModel(json.loads(files["model.json"])["shift"])


@pytest.fixture
def work(make_plugins, line, tmp_path):
    seen = []
    plugins = make_plugins(
        task={"line": line}, method={"filed": Filed}, hooks={"invcore_on_event": listener(seen)}
    )

    def go(**more):
        data = {"task": "line", "method": "filed", "sampler": "random", "targets": 4,
                "candidates": 3, "pairs": 40, "device": "cpu"}  # fmt: skip
        config = RunConfig.resolve(data)
        return run(config, plugins=plugins, store=Store(tmp_path / "runs"), **more)

    go.seen, go.store, go.plugins = seen, Store(tmp_path / "runs"), plugins
    return go


def listener(seen):
    def on_event(event):
        seen.append(event)

    return on_event


def test_a_model_is_restored_from_its_files(work, line):
    record = work()
    assert {"files/model.json", "artefacts/curve.txt", "diagnostics.safetensors"} <= {*record.files}
    files = work.store.files(record.id)
    assert json.loads(files["model.json"]) == {"shift": 0.125}
    problem = Problem("line", line.designs, line.responses)
    model = Filed().restore(problem, work.store.tensors(record.id, "model"), files)
    points = torch.full((1, 2, 1), 0.5).double()
    x = model.propose(Targets(torch.ones(1, 1).double()), points, env=FitEnvironment()).x
    assert x.tolist() == [[[0.0, 1.125]] * 2]


def test_tensors_and_files_stay_with_the_run(work):
    record = work()
    kept = work.store.tensors(record.id, "diagnostics")
    assert set(kept) == {"mean", "points"}
    assert (work.store.path(record.id) / "artefacts" / "curve.txt").read_text() == "1 0.5"
    assert work.store.read(record.id) == record


@pytest.mark.parametrize("name", ["files/model.json", "artefacts/curve.txt"])
def test_a_file_that_was_changed_is_noticed(work, name, complaint):
    record = work()
    (work.store.path(record.id) / name).write_text("other")
    assert "damaged" in complaint(StoreError, work.store.read, record.id)


def test_events_tell_the_whole_story(work):
    record = work(bench="mine")
    names = [event.name for event in work.seen]
    assert names[0] == "run-started" and names[-1] == "run-finished"
    assert names.count("epoch") == 2 and names.count("artefact") == 1
    begun, ended = work.seen[0].data, work.seen[-1].data
    assert (begun["bench"], begun["kind"]) == ("mine", "run")
    assert begun["store"] == str(work.store.root.absolute())
    assert ended["path"] == str(work.store.path(record.id).absolute())
    stages = [e.data["stage"] for e in work.seen if e.name == "stage-ended"]
    assert stages == ["data", "warm-up", "fit", "propose", "simulate", "score"]
    losses = [e.data["loss"] for e in work.seen if e.name == "epoch"]
    assert losses == [1.0, 0.5]
    (artefact,) = (e.data for e in work.seen if e.name == "artefact")
    with open(artefact["path"]) as file:
        assert file.read() == "1 0.5"
    json.dumps([event.data for event in work.seen])  # plain data, all of it


def test_solve_sends_events_too(work):
    from invcore_solve import fit

    x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
    fit(
        x, x.sum(dim=1), judge="conformal-ensemble", preset="quick", plugins=work.plugins,
        store=work.store,
    )  # fmt: skip
    names = [event.name for event in work.seen]
    assert names[0] == "run-started" and names[-1] == "run-finished"
    assert work.seen[0].data["kind"] == "solve" and "epoch" in names


def test_a_method_that_trains_nothing_is_not_made_ready_for_it(work):
    data = {"task": "line", "method": "random-search", "sampler": "random", "targets": 2,
            "candidates": 2, "device": "cpu"}  # fmt: skip
    run(RunConfig.resolve(data, preset="quick"), plugins=work.plugins)
    stages = [e.data["stage"] for e in work.seen if e.name == "stage-ended"]
    assert "warm-up" not in stages and "fit" in stages
