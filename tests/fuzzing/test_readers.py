"""Every reader of what comes from outside, with a few hundred inputs made to break it.

The same readers and inputs, in any number: ``python benchmarks/fuzz.py``.
"""

from __future__ import annotations

import time

import pytest
from fuzzing import reader as fuzzing_reader
from fuzzing.reader import BAD, Reader, outcome_of
from fuzzing.readers import READERS
from fuzzing.strategies import mutated, texts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from invcore.base.errors import ConfigError

STORED = (
    "run-",
    "model-",
    "bundle-",
    "campaign-",
    "store-",
)  # whose folders are copied for each input


def examples(name: str) -> int:
    return 8 if name.startswith(STORED) else 40


@pytest.mark.parametrize("name", READERS)
def test_every_input_is_accepted_or_refused_in_one_line(name, tmp_path):
    reader, seen = READERS[name], []

    @settings(
        max_examples=examples(name), derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(reader.inputs())
    def one(data):
        outcome, why = outcome_of(reader, data, tmp_path)
        seen.append(outcome)
        assert outcome not in BAD, (outcome, why, data[:2000])

    one()
    assert len(seen) >= examples(name) // 2


VALID = {
    "run-toml": b'task = "sine-wave"\n',
    "bench-yaml": b"name: a\ntasks: [b]\nmethods: [c]\nsamplers: [d]\nseeds: [0]\n",
    "set": b"seed=3",
    "want": b"gap>=1",
    "constraint": b"x <= y",
    "response": b"c = 2*x",
    "tolerance": b"x=\xc2\xb10.1",
    "table-csv": b"a,b\n1,2\n3,4\n",
    "numbers-csv": b"a,b\n1,2\n3,4\n",
    "output-json": b"[[1, 2], [3, null]]",
    "output-csv": b"1,2\n3,4\n",
    "correlations": b",x,y\nx,1,0.8\ny,0.8,1\n",
}


@pytest.mark.parametrize("name", VALID)
def test_readers_do_read(name, tmp_path):
    assert outcome_of(READERS[name], VALID[name], tmp_path) == ("accepted", "")


class Unedited(ConfigError):
    """An error that does not see to its message."""

    __str__ = Exception.__str__


def _planted(read) -> Reader:
    return Reader("planted", lambda: texts("a") | mutated(b"abc"), read)


def _raises(error):
    def read(data, folder):
        raise error

    return read


def _writes_outside(data, folder):
    (folder.parent / "outside").write_text("x")


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (_raises(ConfigError("no")), "refused"),
        (_raises(Unedited("two\nlines")), "internal"),
        (_raises(Unedited("steers \x1b[31m the terminal")), "internal"),
        (_raises(Unedited("x" * 10_000)), "internal"),
        (_raises(KeyError("a")), "internal"),
        (_raises(RecursionError()), "internal"),
        (_raises(MemoryError()), "memory"),
        (lambda data, folder: time.sleep(60), "slow"),
        (_writes_outside, "outside"),
        (lambda data, folder: None, "accepted"),
    ],
)
def test_bad_readers_are_caught(read, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing_reader, "SECONDS", 0.05)
    assert outcome_of(_planted(read), b"", tmp_path)[0] == expected


def test_inputs_are_many():
    seen = set()

    @settings(max_examples=50, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.one_of(texts("a", "b"), mutated(b"a,b\n1,2\n")))
    def one(data):
        seen.add(data)

    one()
    assert len(seen) > 30
