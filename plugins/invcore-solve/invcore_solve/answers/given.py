"""Responses that wishes are relative to; checked without torch, before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invcore.plugin import ConfigError, quoted

if TYPE_CHECKING:
    from invcore.plugin import WishedSpecification


def check_given(wished: Sequence[WishedSpecification], given: bool) -> None:
    """Check that responses are given where wishes are relative to such.

    Raises:
        ConfigError: they are not.
    """
    for each in () if given else wished:
        for wish in each.wishes.values():
            if wish.needs_given:
                raise ConfigError(
                    f"want {quoted(wish.text())} needs a response that is given, and there is none",
                    remedy="target=Y gives it",
                )
