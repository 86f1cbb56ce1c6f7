"""What a check is, and how checks are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from invcore.base.errors import InvcoreError
from invcore.base.text import one_line

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


def require(condition: bool | Tensor, message: str) -> None:
    """Fail the check unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def only_if(condition: bool, why_not: str) -> None:
    """End the check as not applicable unless the condition holds."""
    if not condition:
        raise NotApplicable(why_not)
