"""A run's config: names, files, and settings."""

from __future__ import annotations

import pytest

from invcore import RunConfig
from invcore.base.errors import ConfigError
from invcore.configs.files import read_config
from invcore.configs.run_config import Choice
from invcore.configs.settings import apply_settings, component_settings
from invcore.plugin import Config


class Training(Config):
    epochs: int = 10
    lr: float = 0.1


class Method(Config):
    boundary: bool = True
    convention: str = "own"
    scale: float = 1.0
    training: Training = Training()


class Task(Config):
    convention: str = "sum"
    scale: float = 1.0


class Sampler(Config):
    effort: float = 1.0


CONFIGS = {"task": Task, "method": Method, "sampler": Sampler}


def applied(*settings, data=None):
    return apply_settings(data or {}, list(settings), CONFIGS)


def of(name, **settings):
    return {"name": name, "settings": settings}


SETTINGS = {
    "run": (["pairs=500"], {"pairs": 500}),
    "component": (["method=ipage"], {"method": "ipage"}),
    "prefix": (["method.boundary=false"], {"method": of("na", boundary=False)}),
    "no prefix": (["boundary=false"], {"method": of("na", boundary=False)}),
    "spaces": ([" effort = 2.5 "], {"sampler": of("maximin-lhs", effort=2.5)}),
    "nested": (["training.lr=1e-3"], {"method": of("na", training={"lr": 1e-3})}),
    "two": (
        ["training.lr=0.5", "method.training.epochs=3"],
        {"method": of("na", training={"lr": 0.5, "epochs": 3})},
    ),
    "the last counts": (["pairs=500", "pairs=600"], {"pairs": 600}),
    "say which": (["task.scale=2.0"], {"task": of("sine-wave", scale=2.0)}),
    "plain text": (["task.convention=other"], {"task": of("sine-wave", convention="other")}),
    "quoted": (['task.convention="1"'], {"task": of("sine-wave", convention="1")}),
    "equals in the value": (["task.convention=a=b"], {"task": of("sine-wave", convention="a=b")}),
    "list": (["metrics.r_T.T=[1, 2]"], {"metrics": {"r_T": {"T": [1, 2]}}}),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_lands_where_it_belongs(name):
    settings, expected = SETTINGS[name]
    assert applied(*settings) == expected


def test_settings_lie_over_a_files():
    data = {"method": {"name": "na", "boundary": True, "training": {"lr": 0.5}}, "pairs": 50}
    result = applied("boundary=false", "training.epochs=3", data=data)
    assert result["method"] == of("na", boundary=False, training={"lr": 0.5, "epochs": 3})
    assert result["pairs"] == 50
    assert data["method"]["boundary"] is True, "what was given is not changed"


REFUSED = {
    "no value": ("pairs", "expected key=value"),
    "no key": ("=3", "expected key=value"),
    "unknown": ("parts=3", "Did you mean 'pairs'"),
    "close within": ("bondary=3", "'boundary'"),
    "deeper": ("epochs=3", "Did you mean training.epochs?"),
    "ambiguous": ("scale=3", "say task.scale or method.scale"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_setting_is_refused_in_one_line(name, complaint):
    setting, said = REFUSED[name]
    message = complaint(ConfigError, applied, setting)
    assert said in message and message.startswith("setting ")


@pytest.mark.parametrize(
    ("setting", "result"),
    [
        ("boundary=false", {"boundary": False}),
        ("method.boundary=false", {"boundary": False}),
        ("training.lr=2", {"training": {"lr": 2}}),
    ],
)
def test_settings_of_a_method_alone(setting, result):
    assert component_settings([setting], Method) == result


@pytest.mark.parametrize("setting", ["pairs=3", "task.scale=2", "seed=1", "epochs=3", "bondary=1"])
def test_unknown_setting_of_a_method_alone(setting, complaint):
    message = complaint(ConfigError, component_settings, [setting], Method)
    key = setting.partition("=")[0]
    assert f"no field {key!r}" in message
    assert f"mean {key}?" not in message, "a hint that says again what is wrong"


PRESET = {"targets": 200, "candidates": 64}


@pytest.mark.parametrize(
    ("given", "options"), [({"preset": "quick"}, {}), ({}, {"preset": "quick"})]
)
def test_preset_of_a_run_counts_for_its_sizes_and_its_components(given, options):
    config = RunConfig.resolve(given, **options)
    assert config.preset == "quick" and (config.targets, config.candidates) == (200, 64)
    assert RunConfig.resolve({**given, "targets": 9}, **options).targets == 9


def test_names_and_tables():
    config = RunConfig.parse({"task": "t", "method": {"name": "m", "lr": 1}})
    assert config.task == Choice(name="t") and config.method.settings == {"lr": 1}
    again = RunConfig.parse(config.model_dump(mode="json"))
    assert again == config


BAD = {
    "no name": ({"method": {"lr": 1}}, "field 'method.name'"),
    "empty name": ({"method": ""}, "method.name"),
    "number": ({"method": 3}, "method"),
    "both": ({"method": {"name": "m", "settings": {}, "lr": 1}}, "method.lr"),
    "slot": ({"methods": "na"}, "Did you mean 'method'"),
    "seed": ({"seed": -1}, "seed"),
    "huge seed": ({"seed": 2**63}, "seed"),
    "no targets": ({"targets": 0}, "targets"),
    "few pairs": ({"pairs": 9}, "pairs"),
    "preset": ({"preset": "fast"}, "preset"),
    "preset's type": ({"preset": 3}, "preset 3"),
    "table for a number": ({"pairs": {"x": 3}}, "pairs"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_run_is_refused_in_one_line(name, complaint):
    data, said = BAD[name]
    assert said in complaint(ConfigError, RunConfig.resolve, data)


TOML = 'task = "sine-wave"\npairs = 500\n[method]\nname = "na"\nboundary = false\n'
YAML = "task: sine-wave\npairs: 500\nmethod:\n  name: na\n  boundary: false\n"


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("a.yaml", YAML), ("a.yml", YAML)])
def test_files_of_both_kinds_say_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    config = RunConfig.resolve(read_config(tmp_path / name))
    assert (config.task.name, config.pairs) == ("sine-wave", 500)
    assert config.method == Choice(name="na", settings={"boundary": False})


FILES = {
    "broken.toml": (b"pairs = \n", "line 1"),
    "broken.yaml": (b"a: [1\nb: 2\n", "line 2"),
    "list.yaml": (b"- 1\n", "key: value"),
    "empty.yaml": (b"", "key: value"),
    "keys.yaml": (b"1: 2\n", "key: value"),
    "object.yaml": (b"a: !!python/object/apply:os.system ['true']\n", "python/object"),
    "latin.toml": (b'task = "\xe9"\n', "cannot be read"),
    "config.json": (b"{}", ".toml, .yaml or .yml"),
    "absent.toml": (None, "cannot be read"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_file_is_refused_in_one_line(tmp_path, monkeypatch, name, complaint):
    monkeypatch.chdir(tmp_path)
    content, said = FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    message = complaint(ConfigError, read_config, name)
    assert message.startswith((f"{name}: ", f"{name}, line ")) or name == "config.json"
    assert name in message and said in message


def test_a_folder_is_the_task_that_its_file_names(tmp_path):
    (tmp_path / "task.json").write_text('{"task": "square"}')
    folder = f"{tmp_path}/"
    assert Choice.parse(folder) == Choice(name="square", settings={"bundle": folder})
    with_more = Choice.parse({"name": folder, "speed": 2})
    assert with_more.settings == {"speed": 2, "bundle": folder}


@pytest.mark.parametrize("text", [None, "[]", "{}", "not json"])
def test_a_folder_that_is_no_task_is_refused_in_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "task.json").write_text(text)
    with pytest.raises(ConfigError, match=r"task\.json") as error:
        Choice.parse(f"{tmp_path}/")
    assert "\n" not in str(error.value)
