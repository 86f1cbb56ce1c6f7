"""What a check is, and how checks are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from invcore.base.errors import InvcoreError
from invcore.base.text import one_line


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
    """

    name: str
    meaning: str
    run: Callable[[Any], None]

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


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    Args:
        check: which.
        result: ``passed``, ``failed``, or ``not applicable``.
        why: the reason; empty if it passed.
    """

    check: Check
    result: Literal["passed", "failed", "not applicable"]
    why: str = ""


def run_checks(checks: Iterable[Check], subject: Any) -> Iterator[Outcome]:
    """Run checks one by one; whatever a component raises is a failed check, never the end.

    Args:
        checks: usually ``CHECKS[kind]``.
        subject: what they look at.
    """
    for check in checks:
        try:
            check.run(subject)
        except NotApplicable as reason:
            yield Outcome(check, "not applicable", str(reason))
        except Exception as error:  # a plugin may raise anything
            yield Outcome(check, "failed", one_line(error))
        else:
            yield Outcome(check, "passed")


def require(condition: bool, message: str) -> None:
    """Fail the check unless the condition holds.

    Raises:
        CheckFailed: it does not.
    """
    if not condition:
        raise CheckFailed(message)
