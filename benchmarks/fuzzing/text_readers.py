"""Readers of documents, settings, wishes and expressions."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from fuzzing.reader import Reader
from fuzzing.strategies import as_toml, changed, mutated, rendered, texts
from invcore import Categorical, Integers, RunConfig, Space, Uniform, Variable

RUN: dict[str, Any] = {
    "task": {"name": "sine-wave", "settings": {}}, "method": {"name": "na", "boundary": False},
    "sampler": "lhs", "pairs": 500, "seed": 3, "want": ["y>=0.5", "y<=0.7"], "preset": "quick",
    "constraints": ["x1 + x2 <= 3"], "metrics": {"mmd": False}, "seconds_per_target": 1.5,
}  # fmt: skip
BENCH: dict[str, Any] = {
    "name": "mine", "title": "A bench", "tasks": ["sine-wave", {"name": "square", "label": "s"}],
    "methods": [{"name": "na", "label": "free", "boundary": False}, "ipage"], "samplers": ["lhs"],
    "seeds": [0, 1], "pairs": 100, "ablations": [{"title": "t", "methods": ["free", "ipage"]}],
    "published": [{"source": "we", "task": "s", "method": "free", "metric": "r_T", "value": 0.1}],
}  # fmt: skip
SIMULATOR: dict[str, Any] = {
    "simulator": {"command": ["{python}", "a.py", "{input}", "{output}"], "format": "csv",
                  "batch": 5, "time_limit": 2.5, "jobs": 2},
    "design": [{"name": "mass", "low": 0.5, "high": 5.0, "unit": "kg"},
               {"name": "n", "low": 1, "high": 9, "whole": True},
               {"name": "step", "levels": [1, 2.5, 4]},
               {"name": "metal", "categories": ["a", "b"], "descriptors": {"a": [1], "b": [2]}}],
    "response": [{"name": "period", "unit": "s"}],
    "constraints": ["mass + n <= 8", 'if metal == "a" then mass >= 1'],
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "designs": ["a", "b"], "responses": ["y"], "ignore": ["c"], "constraints": ["a <= b"],
    "columns": {"a": {"kind": "levels", "levels": [1, 2]}, "b": {"bounds": [0, 9], "log": True}},
}  # fmt: skip
WISHES: dict[str, Any] = {
    "specification": [{"gap": "0.5:0.7", "mass": {"goal": "minimise", "weight": 2}},
                      {"want": ["gap>=0.2", "mass=min"]}, {"gap": 0.6}],
}  # fmt: skip
_YAML = b"name: mine\nmethods: &m [na, {name: na, label: b}]\nother: *m\nseeds: [0]\ntasks:\n - a\n"
_WISH = "gap mass =min =max >= <= 0.5 : 0.7 ± % sd any given , weight=2 tolerance=0.1 `gap` R*"
_WORDS = (
    "x y z n kind + - * / ^ ** <= >= < > == != = ( ) , { } in not and or if then never at most of "
    "least 2 0.5 abs( sqrt( log( exp( min( max( sum( mean( `x` \"A\" 'B' #1 true"
)


def text_readers() -> list[Reader]:
    """All of them."""
    documents: dict[str, Any] = {"run": RUN, "bench": BENCH, "simulator": SIMULATOR}
    reads: dict[str, Callable[[Path], Any]] = {
        "run": _run, "bench": _bench, "simulator": _simulator,
    }  # fmt: skip
    found = []
    for name, data in documents.items():
        for form, write in (("toml", as_toml), ("yaml", json.dumps)):
            inputs = partial(_documents, data, form, write)
            read = partial(_from_file, f"given.{form}", reads[name])
            found.append(Reader(f"{name}-{form}", inputs, read))
    for name, data, call in (("schema", SCHEMA, _schema), ("wishes-toml", WISHES, _wishes)):
        inputs = partial(_documents, data, "toml", as_toml)
        found.append(Reader(name, inputs, partial(_from_file, "given.toml", call)))
    rows = b"gap,mass,gap.weight\n0.5:0.7,<=3,2\nmin,any,\n"
    wishes = partial(_lines, _WISH, rows)
    found.append(Reader("wishes-csv", wishes, partial(_from_file, "given.csv", _wishes)))
    folder = partial(_documents, {"task": "square"}, "json", json.dumps)
    found.append(Reader("task-folder", folder, partial(_from_file, "task.json", _task_folder)))
    words = "method. pairs= task.name= task= method.boundary= seed= = . na 3 [1,2] {a=1} sampler."
    found.append(Reader("set", partial(_lines, words, b"method.boundary=false"), _set))
    found.append(Reader("want", partial(_lines, _WISH, b"0.5<=gap<=0.7, weight=2"), _want))
    some = b'if kind == "A" then x + 2*y <= 3', b"at most 2 of x, y, z", b"x in {1, 2}"
    found.append(Reader("constraint", partial(_lines, _WORDS, *some), _constraint))
    found.append(Reader("response", partial(_lines, _WORDS, b"c = 2*x^2 + log(y)/z"), _response))
    off = "x y = ± % sd 0.1 correlation , x,y=0.8 uniform normal : +0.1/-0.2 made"
    found.append(Reader("tolerance", partial(_lines, off, "x=±0.01".encode()), _tolerance))
    square = b",x,y\nx,1,0.8\ny,0.8,1\n"
    inputs = partial(_lines, ", x y 1 0.8 -1 \n", square)
    found.append(Reader("correlations", inputs, partial(_from_file, "a.csv", _correlations)))
    return found


def _documents(data: Any, form: str, write: Callable[[Any], str]) -> SearchStrategy[bytes]:
    example = write(data).encode()
    own = [example, *([_YAML] if form == "yaml" else [])]
    keys = [word for key in _keys(data) for word in (f"{key} = ", f"{key}: ", f"[{key}]\n")]
    return rendered(changed(data), write) | mutated(*own) | texts(*keys, "[[", "]]", "{", "}", "[")


def _lines(words: str, *examples: bytes) -> SearchStrategy[bytes]:
    return texts(*words.split(" "), " ") | mutated(*examples)


def _keys(data: Any) -> list[str]:
    if isinstance(data, dict):
        return [*data, *(key for value in data.values() for key in _keys(value))]
    return [key for value in data for key in _keys(value)] if isinstance(data, list) else []


def _from_file(name: str, read: Callable[[Path], Any], data: bytes, folder: Path) -> Any:
    path = folder / name
    path.write_bytes(data)
    return read(path)


def _text(data: bytes) -> str:
    """As an argument of a command arrives: bytes that are no text as half characters."""
    return data.decode("utf-8", "surrogateescape").replace("\0", "")


@cache
def _space() -> Space:
    return Space.of(
        *(Variable(name=name, prior=Uniform(low=0.0, high=9.0)) for name in "xyz"),
        Variable(name="n", prior=Integers(low=0, high=5)),
        Variable(name="kind", prior=Categorical(categories=("A", "B", "C"))),
    )


def _run(path: Path) -> Any:
    from invcore.plugin import read_config

    return RunConfig.resolve(read_config(path)).model_dump_json()


def _bench(path: Path) -> Any:
    from invcore.benchmarking.file import BenchFile

    BenchFile.read(path).check_references()


def _simulator(path: Path) -> Any:
    from invcore_solve.simulators.file import read_simulator

    return read_simulator(path)


def _schema(path: Path) -> Any:
    from invcore_solve.schema.schema_file import read_schema

    return read_schema(path)


def _wishes(path: Path) -> Any:
    from invcore.plugin import read_specifications

    return read_specifications(path, ["gap", "mass", "R1", "R2"])


def _task_folder(path: Path) -> Any:
    from invcore.configs.run_config import Choice

    return Choice.parse(f"{path.parent}/")  # type: ignore[arg-type]


def _set(data: bytes, folder: Path) -> Any:
    from invcore_na.config import NeuralAdjointConfig as config

    from invcore.configs.settings import apply_settings

    return RunConfig.resolve(apply_settings({}, [_text(data)], {"method": config}))


def _want(data: bytes, folder: Path) -> Any:
    from invcore.plugin import specification_of

    return specification_of([_text(data)], ["gap", "mass", "R1", "R2"])


def _constraint(data: bytes, folder: Path) -> Any:
    from invcore.plugin import parse_constraint

    variables = _space().variables
    found = parse_constraint(_text(data), variables)
    return Space.of(*variables, constraints=found)


def _response(data: bytes, folder: Path) -> Any:
    from invcore.plugin import derived_responses

    return derived_responses([_text(data)], _space().names, ["r"])


def _tolerance(data: bytes, folder: Path) -> Any:
    from invcore.plugin import parse_tolerance

    return parse_tolerance(_text(data), _space().names)


def _correlations(path: Path) -> Any:
    from invcore.data.tables.correlations import read_correlations

    return read_correlations(path)
