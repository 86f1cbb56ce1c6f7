"""The pytest class: one test for each check, failures as failures, the rest as skips."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import UnknownNameError
from invcore.plugin import Sampler
from invcore.testing import CHECKS, CheckFailed, PluginSuite


class Narrow(Sampler):
    def sample(self, count, dim, generator):
        return torch.rand(count, dim, generator=generator)


class NarrowSuite(PluginSuite):
    kind, name, component = "sampler", "narrow", Narrow


CHECK = {check.name: check for check in CHECKS["sampler"]}


class Metafunc:
    fixturenames = ("check",)

    def parametrize(self, name, values, ids):
        self.found = dict(zip(ids, values, strict=True))


def test_one_test_for_each_check():
    metafunc = Metafunc()
    NarrowSuite().pytest_generate_tests(metafunc)
    assert metafunc.found == CHECK


def test_a_broken_promise_fails():
    with pytest.raises(CheckFailed, match=r"points are torch.float32, expected float64"):
        NarrowSuite().test_conforms(CHECK["shape"])


def test_what_does_not_apply_is_skipped_with_its_reason():
    with pytest.raises(pytest.skip.Exception, match="does not say latin = True"):
        NarrowSuite().test_conforms(CHECK["strata"])


def test_a_wrong_name_gets_the_close_ones():
    class Misspelt(PluginSuite):
        kind, name = "sampler", "sobel"

    with pytest.raises(UnknownNameError, match="Did you mean 'sobol'"):
        Misspelt().test_conforms(CHECK["shape"])


class TestReally(PluginSuite):
    """The class at work, on an installed sampler."""

    kind, name = "sampler", "random"
