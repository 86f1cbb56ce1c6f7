"""What all tests share: error lines, the command line, plugins made of classes, and toys to run: a
task, methods, a sampler and a metric. One thread for all of them, since that is quickest for small
networks, and gives one result.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from invcore import Component, RunConfig, Space, Store, Uniform, Variable, hookimpl, run
from invcore.base.errors import DivergedError
from invcore.plugin import (
    Candidates,
    Config,
    Estimate,
    InverseMethod,
    InverseModel,
    Metric,
    Needs,
    Sampler,
    Task,
)
from invcore.registry.loader import Plugins
from invcore.results import expected_best
from invcore.runs.plan import Plan

torch.set_num_threads(1)
# A shell that starts the tests in the background has them ignore Ctrl-C, and then the commands
# that they start and interrupt would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Outcome(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run ``invcore WORDS`` in this process, on a terminal of 100 columns."""
    from invcore.cli.main import main

    monkeypatch.setenv("COLUMNS", "100")

    def line_of(*words: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return line_of


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
        module.API_VERSION = 1
        for kind, classes in kinds.items():
            components = []
            for number, (name, cls) in enumerate(classes.items()):
                attribute = f"{kind}_{number}"
                setattr(module, attribute, cls)
                components.append(Component(name, "Made up.", f"{module.__name__}:{attribute}"))
            setattr(module, f"invcore_{kind}s", hookimpl(_returning(components)))
        for name, function in (hooks or {}).items():
            setattr(module, name, hookimpl(function))
        monkeypatch.setitem(sys.modules, module.__name__, module)
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


SEEN = {}


class Toys(Config):
    shift: float = 0.0
    fail: str = ""
    presets = {"quick": {"shift": 0.25}}


class Model(InverseModel):
    """x = (u, y - u): exact, but for the shift."""

    def __init__(self, shift=0.0, fail="", needs_simulator=False):
        self.point_dim, self.ranked = 1, fail == "ranked"
        self.shift, self.fail, self.simulates = shift, fail, needs_simulator

    def propose(self, targets, points, *, simulator=None, env=None):
        self.check_sizes(targets, points, 1)
        a = 2 * points[..., 0] - 1
        x = torch.stack([a, targets.y - a + self.shift * points[..., 0]], dim=2)
        if self.fail == "propose":
            raise DivergedError("all is lost,\nreally")
        if self.fail == "missing":
            x = torch.where(points < 0.5, torch.nan, x)
        if self.simulates:
            simulator(x.flatten(0, 1))
        elif simulator is not None:
            raise ValueError("a simulator that was not asked for")
        shapes = {
            "flat": x.flatten(0, 1),
            "wide": x.repeat(1, 1, 2),
            "few": x[:, :1],
            "1d": x[0, 0],
        }
        return Candidates(shapes.get(self.fail, x))

    def state(self):
        return {"shift": torch.tensor([self.shift])}


class Exact(InverseMethod):
    Config = Toys

    def fit(self, problem, train, val, env):
        SEEN.update(train=train, val=val, problem=problem, fits=SEEN.get("fits", 0) + 1)
        env.log({"stage": "toy", "value": torch.tensor(1.0)})
        fail = self.config.fail
        if fail == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
        if fail == "pretence":
            raise KeyboardInterrupt
        if fail == "exit":
            raise SystemExit(3)
        if fail == "fit":
            raise DivergedError("toy diverged in epoch 3")
        if fail == "bug":
            raise ZeroDivisionError
        return Model(self.config.shift, fail, bool(self.needs & Needs.SIMULATOR))

    def restore(self, problem, state, files=None):
        return Model(float(state["shift"]))


class Simulating(Exact):
    needs = Needs.PAIRS | Needs.SIMULATOR


class Gradient(Exact):
    needs = Needs.SIMULATOR | Needs.GRADIENT


class Plain(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)


class Best(Metric):
    def measure(self, evaluation):
        SEEN["evaluation"] = evaluation
        most = evaluation.errors.shape[1]
        best = expected_best(evaluation.errors, [1, most], ranked=evaluation.ranked)
        values = [float(row.nanmean()) for row in best]
        return [
            Estimate("best", values[0], T=1), Estimate("best", values[1], T=most),
            Estimate("nothing", math.nan), Estimate("endless", math.inf),
        ]  # fmt: skip


@pytest.fixture
def go(make_plugins: Callable[..., Plugins], tmp_path: Path) -> Any:
    """Run with these changes; the toys are all there is. What they saw is in ``go.seen``."""
    SEEN.clear()

    class Closed(Line):
        differentiable = False

    class Sharp(Line):  # no response where a < 0
        def simulate(self, x, context=None):
            y = super().simulate(x)
            return torch.where(x[:, :1] < 0, torch.where(x[:, 1:] < 1, torch.nan, torch.inf), y)

    class OfClosed(Metric):
        def measure(self, evaluation):
            return [Estimate("of-closed", 1.0)]

        def applies(self, task):
            return isinstance(task, Closed)

    methods = {"exact": Exact, "simulating": Simulating, "gradient": Gradient}
    plugins = make_plugins(
        installed=False, task={"line": Line, "closed": Closed, "sharp": Sharp}, method=methods,
        sampler={"plain": Plain}, metric={"best": Best, "of-closed": OfClosed},
    )  # fmt: skip

    def work(store=True, force=False, keep_going=True, plan=False, **changes):
        data = {
            "task": "line", "method": {"name": "exact", "shift": 0.1}, "sampler": "plain",
            "targets": 7, "candidates": 5, "pairs": 40, "device": "cpu",
        } | changes  # fmt: skip
        config = RunConfig.resolve(data)
        if plan:
            return Plan.of(config, plugins)
        place = Store(tmp_path / "runs") if store is True else store
        return run(config, store=place, plugins=plugins, force=force, keep_going=keep_going)

    work.store, work.seen, work.model = Store(tmp_path / "runs"), SEEN, Model
    work.plugins = plugins
    return work


@pytest.fixture
def same_bytes(tmp_path: Path) -> Callable[[Any], None]:
    """Check that an executor's small runs store the bytes of this process."""
    from invcore import do_runs
    from invcore.testing import stored_bytes

    def check(executor: Any) -> None:
        small = {"targets": 6, "candidates": 4, "pairs": 40, "sampler": "lhs", "device": "cpu"}
        small |= {"metrics": {"c2st": False, "mmd": False}}
        methods: list[dict[str, Any]] = [
            {"name": "na", "surrogate": {"width": 8, "training": {"epochs": 2}}},
            {"name": "random-search", "tries": 5},
        ]
        configs = [RunConfig.resolve({**small, "method": method}) for method in methods]
        here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
        records = [run(config, store=here) for config in configs]
        assert [record.status for record in records] == ["ok", "ok"]
        assert len(list(do_runs(configs, store=there, executor=executor))) == 2
        assert stored_bytes(there) == stored_bytes(here)

    return check
