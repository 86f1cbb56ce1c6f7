"""The file of a bench: what it means, and that every mistake in it is said with its line."""

from __future__ import annotations

import pytest

from invcore import Store
from invcore.base.errors import ConfigError
from invcore.benchmarking.file import BenchFile, Grid
from invcore.benchmarking.sweep import Sweep
from invcore.registry.loader import installed

GOOD = """\
name = "good"                 # line 1
title = "A bench"
seeds = [0, 1]
samplers = ["random", { name = "maximin-lhs", effort = 0.1 }]
tasks = [
  "sine-wave",
  { name = "robotic-arm", label = "arm", convention = "difference" },
]
targets = 10                  # line 9
candidates = 4
pairs = 50
device = "cpu"

[[methods]]
name = "na"                   # line 15

[[methods]]
name = "na"
label = "free"
boundary = false              # line 20
surrogate = { width = 4, training = { epochs = 1 } }

[metrics.r_T]
T = [1, 2]                    # line 24

[[published]]
source = "Somebody, table 3"
task = "arm"
method = "free"
metric = "r_T"                # line 30
T = 1
value = 1.5e-3

[[ablations]]
title = "The boundary"
methods = ["na", "free"]      # line 36
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Plan the bench of a text, which finds all mistakes."""
    monkeypatch.chdir(tmp_path)

    def work(text, name="b.toml"):
        (tmp_path / name).write_text(text)
        return Sweep(BenchFile.read(name), Store("runs"))

    return work


def test_what_a_file_means(read):
    sweep = read(GOOD)
    grid = sweep.file.grid
    assert grid.labels("tasks") == ["sine-wave", "arm"]
    assert grid.labels("methods") == ["na", "free"]
    assert grid.labels("samplers") == ["random", "maximin-lhs"]
    assert grid.published[0].value == 1.5e-3 and grid.ablations[0].methods == ("na", "free")
    assert len(sweep.cells) == 16
    cell = next(c for c in sweep.cells if (c.task, c.method, c.seed) == ("arm", "free", 1))
    config = cell.config
    assert (config.task.name, config.task.settings) == ("robotic-arm", {"convention": "difference"})
    assert config.method.settings["boundary"] is False
    assert (config.targets, config.pairs, config.seed) == (10, 50, 1)
    assert config.metrics == {"r_T": {"T": [1, 2]}}


def test_preset_is_that_of_the_components(read):
    sweep = read('preset = "quick"\n' + GOOD.replace("targets = 10", "rerank = true"))
    config = sweep.cells[0].config
    assert (config.preset, config.targets, config.candidates) == ("quick", 200, 4)


def test_settings_may_have_a_table_of_their_own(read):
    text = GOOD.replace("boundary = false", "settings.boundary = false")
    text = text.replace("surrogate =", "settings.surrogate =")
    assert [c.id for c in read(text).cells] == [c.id for c in read(GOOD).cells]


MISTAKES = {
    "key": ("targets = 10", "targts = 10", 9, "no field 'targts'. Did you mean 'targets'"),
    "one method": ("title = ", "method = ", 2, "a bench has a list of methods"),
    "value": ("targets = 10", "targets = 0", 9, "field 'targets'"),
    "type": ("targets = 10", 'targets = "10"', 9, "field 'targets'"),
    "date": ("targets = 10", "targets = 2020-01-01", 9, "2020-01-01"),
    "preset": ("targets = 10", 'preset = "fast"', 9, "preset 'fast' does not exist"),
    "device": ('device = "cpu"', 'device = "cuda:99"', 12, "no device 'cuda:99'"),
    "name": ('name = "good"', 'name = "../x"', 1, "field 'name'"),
    "task": ('"sine-wave"', '"sinewave"', 6, "no task 'sinewave'. Did you mean 'sine-wave'"),
    "task in a table": ('"robotic-arm"', '"robotik-arm"', 7, "Did you mean 'robotic-arm'"),
    "task's setting": ("convention", "conventoin", 7, "Did you mean 'convention'"),
    "task's value": ('"difference"', '"product"', 7, "field 'convention'"),
    "method": ('name = "na"                   #', 'name = "nna" #', 15, "no method 'nna'"),
    "method's setting": ("boundary =", "bondary =", 20, "Did you mean 'boundary'"),
    "deep setting": ("epochs = 1", "epoks = 1", 21, "'surrogate.training.epoks'"),
    "deep value": ("epochs = 1", "epochs = 0", 21, "'surrogate.training.epochs'"),
    "nameless": ('name = "na"                   #', "#", 14, "name"),
    "sampler": ('"random"', '"randon"', 4, "Did you mean 'random'"),
    "sampler's setting": ("effort", "efort", 4, "Did you mean 'effort'"),
    "metric": ("metrics.r_T", "metrics.r_t", 23, "Did you mean 'r_T'"),
    "metric's setting": ("T = [1, 2]", "Ts = [1, 2]", 24, "'Ts'"),
    "label": ('label = "free"', 'label = "na"', 19, "method label 'na' is taken by line 14"),
    "label without a line": ('"sine-wave"', '"robotic-arm", "robotic-arm"', 6, "there twice"),
    "no label": ('label = "free"', "", 17, "method label 'na' is taken by line 14"),
    "label of a task": ('label = "arm"', 'label = "sine-wave"', 7, "taken by line 6"),
    "label's form": ('label = "free"', 'label = "a\\nb"', 19, "label"),
    "seed twice": ("seeds = [0, 1]", "seeds = [0,\n 0]", 4, "seed 0 is taken by line 3"),
    "seed": ("seeds = [0, 1]", "seeds = [0, -1]", 3, "field 'seeds.1'"),
    "published task": ('task = "arm"', 'task = "arms"', 28, "no task 'arms' in this bench"),
    "published method": ('method = "free"', 'method = "fre"', 29, "Did you mean 'free'"),
    "published key": ('source = "S', 'sauce = "S', 26, "published.0"),
    "published T": ("T = 1\n", "T = 0\n", 31, "published.0.T"),
    "ablation": ('["na", "free"]', '[ # two\n"na",\n"fre"]', 38, "no method 'fre' in this bench"),
    "no tasks": ('tasks = [\n  "sine-wave",', "tasks = []\nnames = [", 5, "'tasks' is empty"),
    "no seeds": ("seeds = [0, 1]", "seeds = []", 3, "'seeds' is empty"),
    "no methods": ('[[methods]]\nname = "na"  ', '[methods]\nx = "na"  ', None, "line 17"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_has_its_line(name, read, complaint, tmp_path):
    old, new, line, said = MISTAKES[name]
    assert old in GOOD
    if name == "no tasks":
        text = GOOD[: GOOD.index("tasks = [")] + "tasks = []\n" + GOOD[GOOD.index("targets") :]
    else:
        text = GOOD.replace(old, new, 1)
    found = complaint(ConfigError, read, text)
    if line is None:  # the parser's own
        assert found.startswith("b.toml: ") and said in found
    else:
        assert found.startswith(f"b.toml, line {line}: "), found
        assert said in found
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("axis", ["tasks", "methods", "samplers", "seeds"])
def test_a_missing_axis(axis, read, complaint):
    lines = {"tasks": '["sine-wave"]', "methods": '["na"]', "samplers": '["lhs"]', "seeds": "[0]"}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if key != axis)
    assert f"'{axis}' is missing" in complaint(ConfigError, read, f'name = "x"\n{text}')


def test_yaml_means_the_same(read, complaint):
    text = "name: good\nseeds: [0]\nsamplers: [lhs]\ntasks:\n  - sine-wave\nmethods:\n"
    good = read(text + "  - na\n  - name: na\n    label: free\n    boundary: false\n", "b.yaml")
    assert [cell.method for cell in good.cells] == ["na", "free"]
    bad = text + "  - na\n  - name: na\n    label: free\n    bondary: false\n"
    assert complaint(ConfigError, read, bad, "b.yaml").startswith("b.yaml, line 10: method 'na'")
    loop = text + "  - &a [*a]\n"
    assert "b.yaml, line 7: " in complaint(ConfigError, read, loop, "b.yaml")


def test_files_that_cannot_be_read(read, complaint):
    assert "line 2" in complaint(ConfigError, read, 'name = "x"\nseeds = ?\n')
    assert "cannot be read" in complaint(ConfigError, BenchFile.read, "absent.toml")


def test_method_that_depends_on_the_task_is_blamed_with_it(read, complaint):
    """Settings that are wrong on one task only are still the method's."""
    text = GOOD.replace("boundary = false", 'localisation = { solver = "bfgs" }')
    assert complaint(ConfigError, read, text).startswith("b.toml, line 20: method 'na'")


def test_ids_are_those_of_single_runs(read):
    from invcore.configs.run_config import RunConfig
    from invcore.runs.plan import Plan

    cell = read(GOOD).cells[-1]
    alone = RunConfig.resolve({
        "task": {"name": "robotic-arm", "convention": "difference"}, "seed": 1, "targets": 10,
        "method": {
            "name": "na", "boundary": False,
            "surrogate": {"width": 4, "training": {"epochs": 1}},
        },
        "sampler": {"name": "maximin-lhs", "effort": 0.1}, "candidates": 4, "pairs": 50,
        "metrics": {"r_T": {"T": [1, 2]}}, "device": "cpu",
    })  # fmt: skip
    assert (cell.task, cell.method, cell.sampler) == ("arm", "free", "maximin-lhs")
    assert cell.id == Plan.of(alone, installed()).id


def test_a_task_given_as_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-task").mkdir()
    (tmp_path / "my-task" / "task.json").write_text('{"task": "proxy"}')
    lists = {"samplers": ["lhs"], "methods": ["na"], "seeds": [0]}
    [task] = Grid.parse({"name": "a", "tasks": ["my-task/"], **lists}).tasks
    assert (task.name, task.label, task.settings) == ("proxy", "my-task/", {"bundle": "my-task/"})
    with pytest.raises(ConfigError, match=r"nothing/task\.json is missing, or names no task"):
        Grid.parse({"name": "a", "tasks": ["nothing/"], **lists})
