"""What a check is, and how checks are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from invcore.base.errors import InvcoreError
from invcore.base.text import one_line
from invcore.testing.causes import Causes

if TYPE_CHECKING:
    from torch import Tensor


class CheckFailed(InvcoreError, AssertionError):
    """A component does not keep its contract; the message says how, in one line."""


class NotApplicable(Exception):
    """A check has nothing to say of this component; the message says why."""


@dataclass(frozen=True)
class Check:
    """One promise of a contract.

    Args:
        name: for instance ``state-restores``.
        meaning: the promise, in one line.
        run: takes the subject; raises ``CheckFailed`` or ``NotApplicable``, or returns.
        category: ``conformance``, what the contract promises; or ``quality``, how good answers are.
        excusable: whether a component may declare that it fails; not where honesty is at stake.
    """

    name: str
    meaning: str
    run: Callable[[Any], None]
    category: Literal["conformance", "quality"] = "conformance"
    excusable: bool = True

    @classmethod
    def of(cls, function: Callable[[Any], None]) -> Check:
        """Name and meaning are those of ``check_some_name`` and its docstring's first line.

        Example:
            >>> def check_tidy(subject):
            ...     '''It is tidy.'''
            >>> Check.of(check_tidy).name, Check.of(check_tidy).meaning
            ('tidy', 'It is tidy.')
        """
        name = function.__name__.removeprefix("check_").replace("_", "-")
        return cls(name, (function.__doc__ or "").strip().splitlines()[0], function)


def checks_of(*modules: ModuleType) -> tuple[Check, ...]:
    """The checks that these modules define, in the order in which they stand there."""
    return tuple(
        Check.of(member)
        for module in modules
        for name, member in vars(module).items()
        if name.startswith("check_") and member.__module__ == module.__name__
    )


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    Args:
        check: which.
        result: ``passed``, ``failed``, ``expected failure`` or ``not applicable``.
        why: the reason; empty if it passed.
        cause: of a failure, the first check that failed for the same cause; itself if it is that.
        error: what was raised, of a failure.
    """

    check: Check
    result: Literal["passed", "failed", "expected failure", "not applicable"]
    why: str = ""
    cause: str = ""
    error: BaseException | None = field(default=None, repr=False, compare=False)

    @property
    def stopped(self) -> bool:
        """Whether it failed for a cause that another check is reported for."""
        return self.result == "failed" and self.cause != self.check.name

    @property
    def poor(self) -> bool:
        """Whether the contract is kept here, but the answers are not good."""
        fault = self.result == "failed" and isinstance(self.error, CheckFailed)
        return fault and self.check.category == "quality" and not self.stopped


def run_checks(
    checks: Iterable[Check], subject: Any, expected: Mapping[str, str] | None = None
) -> Iterator[Outcome]:
    """Run checks one by one; whatever a component raises is a failed check, never the end.

    Args:
        checks: usually ``CHECKS[kind]``.
        subject: what they look at.
        expected: the reasons of those that are expected to fail, by name.
    """
    causes = Causes()
    for check in checks:
        yield outcome_of(check, subject, causes, expected or {})


def outcome_of(check: Check, subject: Any, causes: Causes, expected: Mapping[str, str]) -> Outcome:
    """Run one check.

    Args:
        check: to run.
        subject: what it looks at.
        causes: of the failures before; that of a new one is added.
        expected: the reasons of those that are expected to fail, by name.
    """
    reason = expected.get(check.name)
    try:
        check.run(subject)
    except NotApplicable as why_not:
        return Outcome(check, "not applicable", str(why_not))
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        if reason is not None:
            return Outcome(check, "expected failure", reason, error=error)
        return failure(check, error, causes)
    if reason is not None:
        why = f"it passes, though expected_failures says that it fails ({reason}): remove it there"
        return Outcome(check, "failed", why, check.name)
    return Outcome(check, "passed")


def failure(check: Check, error: BaseException, causes: Causes) -> Outcome:
    """The outcome of a check that was stopped by an error."""
    return Outcome(check, "failed", one_line(error), causes.first(check.name, error), error)


def require(condition: bool | Tensor, message: str) -> None:
    """Fail the check unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def only_if(condition: bool, why_not: str) -> None:
    """End the check as not applicable unless the condition holds."""
    if not condition:
        raise NotApplicable(why_not)
