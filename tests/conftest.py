"""What the tests of the core share: error lines, the command line, plugins made of classes."""

from __future__ import annotations

import types
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import pytest
import torch

from invcore import Component, Space, Task, Uniform, Variable, hookimpl
from invcore.plugins import Plugins


class Outcome(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run ``invcore WORDS`` in this process, on a terminal of 100 columns."""
    from invcore.cli import main

    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def complaint() -> Callable[..., str]:
    """The one line that a call complains with."""

    def catch(kind: type[Exception], work: Callable[..., Any], *args: Any, **options: Any) -> str:
        with pytest.raises(kind) as caught:
            work(*args, **options)
        text = str(caught.value)
        assert text.isprintable() and 10 < len(text) < 400, text
        return text

    return catch


@pytest.fixture
def make_plugins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plugins]:
    """Plugins made of classes: ``make_plugins(method={"mine": Mine}, task={…})``.

    ``hooks`` are further functions by name; ``installed`` says whether the real ones are there too.
    """

    def make(
        owner: str = "toy", *, installed: bool = True, hooks: dict[str, Any] | None = None,
        **kinds: dict[str, type],
    ) -> Plugins:  # fmt: skip
        module: Any = types.ModuleType(f"fake_{owner}")
        for kind, classes in kinds.items():
            components = []
            for number, (name, cls) in enumerate(classes.items()):
                attribute = f"{kind}_{number}"
                setattr(module, attribute, cls)
                components.append(Component(name, "Made up.", f"{module.__name__}:{attribute}"))
            setattr(module, f"invcore_{kind}s", hookimpl(_returning(components)))
        for name, function in (hooks or {}).items():
            setattr(module, name, hookimpl(function))
        monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
        points = [EntryPoint(owner, module.__name__, "invcore")]
        return Plugins([*(entry_points(group="invcore") if installed else ()), *points])

    return make


def _returning(value: Any) -> Callable[[], Any]:
    def hook() -> Any:
        return value

    return hook


class Line(Task):
    """y = a + b, on a in [-1, 1] and b in [0, 2]."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=-1.0, high=1.0)),
        Variable(name="b", prior=Uniform(low=0.0, high=2.0)),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x: torch.Tensor, context: Any = None) -> torch.Tensor:
        return x.sum(dim=1, keepdim=True)


@pytest.fixture
def line() -> type[Task]:
    return Line
