"""The kit as a pytest class: one test for each check. The only module here that imports pytest."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import pytest

from invcore.base.component_kinds import Kind
from invcore.base.errors import InvcoreError
from invcore.registry.loader import installed
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.evaluations import Example
from invcore.testing.catalogue import CHECKS
from invcore.testing.causes import Causes
from invcore.testing.check import Check, Outcome, failure, outcome_of
from invcore.testing.expected_failures import expected_failures


class PluginSuite:
    """Subclass it in a plugin's tests, and pytest runs every check of the kind on the component.

    A check that has nothing to say of the component is skipped, with the reason. Where one cause
    fails many checks, the first fails, and the others are skipped as stopped by it.

    Args:
        kind: of the component, as ``method``, ``loop`` or ``surrogate``.
        name: of an installed component.
        settings: over the preset ``quick``, to make the component quicker still.
        examples: of a metric: what it must say of evaluations, computed by hand.
        component: the class itself, where it is not installed.
        expected_failures: reasons by names of checks that it is known to fail, beside those of the
            class.
        strict: whether poor quality is a failure; else it is an expected one.

    Example:
        class TestNeuralAdjoint(PluginSuite):
            kind, name = "method", "na"
            settings = {"surrogate": {"training": {"epochs": 30}}}
    """

    kind: ClassVar[Kind]
    name: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    examples: ClassVar[tuple[Example, ...]] = ()
    component: ClassVar[type[Any] | None] = None
    expected_failures: ClassVar[Mapping[str, str]] = {}
    strict: ClassVar[bool] = True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each check."""
        if "check" in metafunc.fixturenames:
            checks = CHECKS[self.kind]
            metafunc.parametrize("check", checks, ids=[check.name for check in checks])

    def test_conforms(self, check: Check) -> None:
        """The component keeps this promise of its contract."""
        outcome = self._outcome(check)
        if outcome.result == "not applicable":
            pytest.skip(outcome.why)
        if outcome.result == "expected failure":
            pytest.xfail(outcome.why)
        if outcome.stopped:
            pytest.skip(f"stopped by the failure of {outcome.cause}")
        if outcome.poor and not self.strict:
            pytest.xfail(f"quality: {outcome.why}")
        if outcome.error is not None:
            raise outcome.error
        if outcome.result == "failed":
            pytest.fail(outcome.why)

    def _outcome(self, check: Check) -> Outcome:
        """Of one check; a component that cannot be had stops them all."""
        checks = CHECKS[self.kind]
        try:
            subject = self._subject()
            expected = expected_failures(subject.component, checks, self.expected_failures)
        except InvcoreError as error:
            return failure(check, error, self._causes())
        return outcome_of(check, subject, self._causes(), expected)

    @classmethod
    @cache
    def _causes(cls) -> Causes:
        """Those that tests of the class have failed for."""
        return Causes()

    @classmethod
    @cache
    def _subject(cls) -> Subject:
        """Made once for a class: its fits are shared by the checks."""
        component = cls.component or installed().registry.load(cls.kind, cls.name)
        examples = tuple(cls.examples) if cls.kind == "metric" else None
        return Subject.of(cls.kind, cls.name, component, settings=cls.settings, examples=examples)
