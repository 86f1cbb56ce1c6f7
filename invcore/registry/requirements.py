"""What plugins require and is not there: distributions that are missing, or of another version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version


@dataclass(frozen=True)
class Unmet:
    """A requirement of a distribution that this environment does not meet.

    Args:
        requirement: as the distribution says it, without its condition: ``torch>=2.6``.
        installed: the version that is there; empty if it is missing.
    """

    requirement: str
    installed: str = ""

    def __str__(self) -> str:
        state = f"of which {self.installed} is" if self.installed else "which is not"
        return f"requires {self.requirement}, {state} installed"


@cache
def unmet_requirements(distribution: str) -> tuple[Unmet, ...]:
    """The requirements of a distribution that are not met, in its order; those of extras left out.

    Args:
        distribution: its name; one that is not installed requires nothing.

    Example:
        >>> unmet_requirements("invcore"), str(Unmet("torch>=99", "2.6"))
        ((), 'requires torch>=99, of which 2.6 is installed')
    """
    try:
        lines = requires(distribution) or []
    except (PackageNotFoundError, ValueError):
        return ()
    return tuple(unmet for line in lines if (unmet := _unmet(line)) is not None)


def _unmet(line: str) -> Unmet | None:
    """What is unmet of one line of a distribution's metadata."""
    from packaging.requirements import InvalidRequirement, Requirement  # only where it is asked

    try:
        requirement = Requirement(line)
    except InvalidRequirement:  # pip would not have installed it
        return None
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return None
    text = f"{requirement.name}{requirement.specifier}"
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        return Unmet(text)
    # What is installed may be a pre-release: whoever installed it wanted that.
    met = requirement.specifier.contains(there, prereleases=True)
    return None if met else Unmet(text, there)
