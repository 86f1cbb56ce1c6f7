"""The pytest class: one test for each check, failures as failures, the rest as skips."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import PluginError, UnknownNameError
from invcore.plugin import Sampler
from invcore.testing import CHECKS, Check, CheckFailed, PluginSuite


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


class Empty(Sampler):
    def sample(self, count, dim, generator):
        raise ValueError(f"no {count} points")


def outcomes_of(suite):
    """How the tests of a suite end, by check: as pytest would say."""
    ends = {}
    for check in CHECKS["sampler"]:
        try:
            suite().test_conforms(check)
            ends[check.name] = ("passed", "")
        except pytest.skip.Exception as reason:
            ends[check.name] = ("skipped", str(reason))
        except pytest.xfail.Exception as reason:
            ends[check.name] = ("xfailed", str(reason))
        except (Exception, pytest.fail.Exception) as reason:
            ends[check.name] = ("failed", str(reason))
    return ends


def test_one_cause_fails_one_test_and_skips_the_rest():
    class EmptySuite(PluginSuite):
        kind, name, component = "sampler", "empty", Empty

    ends = outcomes_of(EmptySuite)
    failed = [name for name, (end, _) in ends.items() if end == "failed"]
    assert failed[0] == "shape" and ends["range"][0] == "skipped"
    reasons = {why for end, why in ends.values() if "stopped" in why}
    assert reasons == {f"stopped by the failure of {name}" for name in failed if name == "shape"}
    with pytest.raises(ValueError, match="no"):  # alone, or again, it fails all the same
        EmptySuite().test_conforms(CHECK["shape"])


def test_a_component_that_cannot_be_had_fails_one_test():
    class Absent(PluginSuite):
        kind, name = "sampler", "nowhere"

    ends = outcomes_of(Absent)
    assert [end for end, _ in ends.values()].count("failed") == 1
    assert {end for end, _ in ends.values()} == {"failed", "skipped"}


def test_expected_failures_of_the_class_and_of_the_suite():
    class Declared(Narrow):
        expected_failures = {"shape": "float32 throughout"}

    class DeclaredSuite(PluginSuite):
        kind, name, component = "sampler", "declared", Declared
        expected_failures = {"global-generators": "not so"}

    ends = outcomes_of(DeclaredSuite)
    assert ends["shape"] == ("xfailed", "float32 throughout")
    assert ends["global-generators"][0] == "failed" and "remove it" in ends["global-generators"][1]

    class Wrong(DeclaredSuite):
        expected_failures = {"shap": "?"}

    with pytest.raises(PluginError, match="Did you mean 'shape'"):
        Wrong().test_conforms(CHECK["shape"])


@pytest.mark.parametrize("strict", [True, False])
def test_poor_quality_is_a_failure_unless_the_suite_says_otherwise(strict):
    def check_good(subject):
        raise CheckFailed("it is not good")

    class Poor(PluginSuite):
        kind, name, component = "sampler", "narrow", Narrow

    Poor.strict = strict
    with pytest.raises(CheckFailed if strict else pytest.xfail.Exception, match="it is not good"):
        Poor().test_conforms(Check("good", "It is good.", check_good, "quality"))


class TestReally(PluginSuite):
    """The class at work, on an installed sampler."""

    kind, name = "sampler", "random"
