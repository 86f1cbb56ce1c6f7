"""How checks are named, listed and run, and what their witnesses see."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

import invcore.testing
from invcore import Space, Uniform, Variable
from invcore.base.component_kinds import KINDS
from invcore.base.errors import InvcoreError
from invcore.plugin import FitEnvironment, isolated
from invcore.testing import CHECKS, Check, CheckFailed, NotApplicable, run_checks
from invcore.testing.cases.comparison import (
    RandomOps,
    WatchedEnvironment,
    same_sets,
    unchanged,
    untouched_generators,
)


def test_every_kind_has_a_fixed_list_of_named_checks():
    assert set(CHECKS) == set(KINDS)
    for checks in CHECKS.values():
        names = [check.name for check in checks]
        assert len(set(names)) == len(names)
        for check in checks:
            assert check.meaning.endswith("."), check
            assert len(check.meaning) < 100, check


def test_no_check_is_forgotten():
    listed = {check.run for checks in CHECKS.values() for check in checks}
    for info in pkgutil.walk_packages(invcore.testing.__path__, "invcore.testing."):
        if info.name != "invcore.testing.report":  # its check_plugin is no check of a component
            module = importlib.import_module(info.name)
            for name, function in inspect.getmembers(module, inspect.isfunction):
                assert not name.startswith("check_") or function in listed, name


def test_the_kit_needs_no_pytest():
    code = "import invcore.testing, sys; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_outcomes():
    def fails(subject):
        raise CheckFailed("no\ngood")

    def leaves(subject):
        raise NotApplicable("not here")

    def breaks(subject):
        raise ZeroDivisionError("oh")

    checks = [Check(f.__name__, "", f) for f in (fails, leaves, breaks, lambda subject: None)]
    found = [(o.result, o.why) for o in run_checks(checks, None)]
    assert found == [
        ("failed", "no good"),
        ("not applicable", "not here"),
        ("failed", "ZeroDivisionError: oh"),
        ("passed", ""),
    ]
    assert issubclass(CheckFailed, InvcoreError)
    assert issubclass(CheckFailed, AssertionError)


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda: torch.rand(1), "torch"),
        (lambda: torch.manual_seed(0), "torch"),
        (lambda: np.random.rand(), "numpy"),
        (lambda: random.random(), "random"),
    ],
)
def test_global_generators_are_watched_and_put_back(draw, name):
    before = torch.get_rng_state(), random.getstate()
    with pytest.raises(CheckFailed, match=f"fit changes the global generator of {name}"):
        with untouched_generators("fit"):
            draw()
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    with untouched_generators("fit"), isolated(0):
        draw()


def test_writes_are_seen_through_nan():
    values = torch.tensor([1.0, torch.nan])
    with unchanged("fit", x=values, none=None):
        pass
    with pytest.raises(CheckFailed, match="fit writes into x"):
        with unchanged("fit", x=values):
            values[1] = 0.125


def test_random_operations_are_seen_whatever_their_generator():
    with RandomOps() as ops:
        torch.nn.functional.relu(torch.ones(3)).sum()
    assert not ops.names
    with RandomOps() as ops:
        torch.randperm(3, generator=torch.Generator())
    assert ops.names
    with RandomOps() as ops:
        torch.nn.Linear(2, 2)
    assert ops.names


def test_asking_for_the_seed_is_seen():
    env = WatchedEnvironment(3)
    env.requests.clear()
    assert env.device.type == "cpu"
    assert not env.requests
    assert env.derive("a") == FitEnvironment(3).derive("a")
    assert env.requests


def test_sets_of_candidates_are_compared_without_order():
    space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=10.0)))
    a = torch.linspace(0, 10, 20)[None, :, None]
    same_sets(space, a, a.flip(1) + 1e-3, "moved")
    same_sets(space, a, torch.cat([a[:, :19], a[:, :1] + 0.1], dim=1), "one may")
    with pytest.raises(CheckFailed, match=r"moved: \d+% of the candidates are others"):
        same_sets(space, a, a + 0.1, "moved")
