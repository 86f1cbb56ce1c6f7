"""All wishes of a command: one specification, or one for each response that is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from invcore.base.errors import ConfigError
from invcore.spaces.specification import Specification, listed
from invcore.spaces.wishes.masks import is_mask, mask_wishes
from invcore.spaces.wishes.text import matching, split_wish, value_of
from invcore.spaces.wishes.wish import Wish

MOST = 100_000
"""Most wishes of one command."""


@dataclass(frozen=True)
class WishedSpecification:
    """Wishes by response.

    Args:
        names: of all responses, in order.
        wishes: by response; those that are not named are ignored.
    """

    names: tuple[str, ...]
    wishes: Mapping[str, Wish]

    @property
    def needs_given(self) -> bool:
        """Whether it is relative to responses that are given."""
        return any(wish.needs_given for wish in self.wishes.values())

    @property
    def needs_spread(self) -> bool:
        """Whether it needs the responses' standard deviations."""
        return any(wish.needs_spread for wish in self.wishes.values())

    def requirements_for(
        self, given: Sequence[float] | None = None, spread: Sequence[float] | None = None
    ) -> Specification:
        """The specification of one target.

        Args:
            given: (Dy,), the responses that it is relative to.
            spread: (Dy,), the responses' standard deviations among training pairs.

        Raises:
            ConfigError: what it needs is not known, or contradicts itself.
        """
        requirements = {}
        for name, wish in self.wishes.items():
            place = self.names.index(name)
            own = (None if row is None else float(row[place]) for row in (given, spread))
            requirements[name] = wish.at(*own)
        return Specification.of(requirements)

    def joined(self, other: WishedSpecification) -> WishedSpecification:
        """What both want.

        Raises:
            ConfigError: they contradict each other.
        """
        return merged([*self.wishes.values(), *other.wishes.values()], self.names)

    def text(self, most: int = 0) -> str:
        """It as one line; ``most``: how many responses are named, 0 for all."""
        return listed(self.texts(), most)

    def texts(self) -> list[str]:
        """Its wishes, each as text that is read to the same."""
        return [wish.text() for wish in self.wishes.values()]


def specification_of(texts: Iterable[str], names: Sequence[str]) -> WishedSpecification:
    """One specification from all wishes of a command.

    Two wishes of one response are both to be met.

    Args:
        texts: wishes; ``*=±5%`` and ``R*<=0.1`` are of all responses that are named so, and
            ``@mask.csv`` or ``R*=@mask.csv`` of a curve.
        names: of the responses.

    Raises:
        ConfigError: one is no wish, two contradict each other, or nothing is wanted.
        UnknownNameError: one names no response, or several.

    Example:
        >>> wished = specification_of(["gap=0.5:0.7", "mass=min", "mass<=3"], ["gap", "mass"])
        >>> wished.requirements_for().text()
        'gap=0.5:0.7; mass=min, <=3'
    """
    wishes: list[Wish] = []
    for text in texts:
        wishes += _wishes(text, names)
        if len(wishes) > MOST:
            raise ConfigError(f"more than {MOST:,} wishes")
    return merged(wishes, names)


def _wishes(text: str, names: Sequence[str]) -> list[Wish]:
    if text.lstrip()[:1] == "@":
        return mask_wishes(text, names)
    name, conditions = split_wish(text, names)
    if any(is_mask(each) for each in conditions):
        return mask_wishes(", ".join(conditions), names, matching(name, names))
    return [value_of(each, conditions, text) for each in matching(name, names)]


def merged(wishes: Iterable[Wish], names: Sequence[str]) -> WishedSpecification:
    """One specification from wishes, those of one response joined.

    Raises:
        ConfigError: two contradict each other, or nothing is wanted.
    """
    found: dict[str, Wish] = {}
    for wish in wishes:
        found[wish.name] = found[wish.name].joined(wish) if wish.name in found else wish
    if all(wish.is_any for wish in found.values()):
        raise ConfigError("nothing is wanted of any response; want something of one at least")
    return WishedSpecification(tuple(names), found)
