"""The kit as a pytest class: one test for each check. The only module here that imports pytest."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import pytest

from invcore.base.component_kinds import Kind
from invcore.registry.loader import installed
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.evaluations import Example
from invcore.testing.catalogue import CHECKS
from invcore.testing.check import Check, NotApplicable


class PluginSuite:
    """Subclass it in a plugin's tests, and pytest runs every check of the kind on the component.

    A check that has nothing to say of the component is skipped, with the reason.

    Args:
        kind: ``task``, ``method``, ``sampler``, ``metric`` or ``executor``.
        name: of an installed component.
        settings: over the preset ``quick``, to make the component quicker still.
        examples: of a metric: what it must say of evaluations, computed by hand.
        component: the class itself, where it is not installed.

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

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each check."""
        if "check" in metafunc.fixturenames:
            checks = CHECKS[self.kind]
            metafunc.parametrize("check", checks, ids=[check.name for check in checks])

    def test_conforms(self, check: Check) -> None:
        """The component keeps this promise of its contract."""
        try:
            check.run(self._subject())
        except NotApplicable as reason:
            pytest.skip(str(reason))

    @classmethod
    @cache
    def _subject(cls) -> Subject:
        """Made once for a class: its fits are shared by the checks."""
        component = cls.component or installed().registry.load(cls.kind, cls.name)
        examples = tuple(cls.examples) if cls.kind == "metric" else None
        return Subject.of(cls.kind, cls.name, component, settings=cls.settings, examples=examples)
