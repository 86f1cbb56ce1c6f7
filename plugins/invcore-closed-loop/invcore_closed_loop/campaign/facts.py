"""What a campaign's folder knows beside its loop: wishes as they were written, noise, formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import field_validator

from invcore.plugin import Config, ConfigError, DerivedResponse, Field, StoreError

_VERSION = 1


class Facts(Config):
    """What the owner of a campaign has said.

    Args:
        version: of this document.
        want: wishes of the responses, as texts.
        derived: responses that are computed, as ``cost = 2*cu + 10``; behind the measured ones.
        noise: standard deviations of measurements that are known, by response.
        known: where the rows came from that were known at first.
        known_rest: how many of them failed or lacked responses: the first rows of the journal.
        notes: remarks on rows of the journal, by their places.
    """

    version: int = _VERSION
    want: tuple[str, ...] = Field(min_length=1)
    derived: tuple[str, ...] = ()
    noise: dict[str, float] = {}
    known: str = ""
    known_rest: int = Field(0, ge=0)
    notes: dict[str, str] = {}

    @field_validator("noise")
    @classmethod
    def _not_negative(cls, value: dict[str, float]) -> dict[str, float]:
        for name, noise in value.items():
            if not (math.isfinite(noise) and noise >= 0):
                raise ValueError(f"the noise of {name!r} is a standard deviation, got {noise:g}")
        return value

    @classmethod
    def stored(cls, facts: Mapping[str, Any], where: str) -> Self:
        """From a journal.

        Raises:
            StoreError: they are none, or of a later version.
        """
        if facts.get("version") != _VERSION or "want" not in facts:
            raise StoreError(f"{where}: there is a loop, but no campaign that this version knows")
        try:
            return cls.parse(facts, where=where)
        except ConfigError as error:
            raise StoreError(str(error)) from None

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return self.model_dump(mode="json")

    @property
    def formulas(self) -> tuple[DerivedResponse, ...]:
        """The responses that are computed."""
        return tuple(DerivedResponse.of(text) for text in self.derived)

    def measured(self, responses: Sequence[str]) -> tuple[str, ...]:
        """Those of the responses that somebody has to measure."""
        computed = {formula.name for formula in self.formulas}
        return tuple(name for name in responses if name not in computed)


def noise_of(given: Mapping[str, Any], responses: Sequence[str]) -> dict[str, float]:
    """Standard deviations of measurements, by response.

    Raises:
        ConfigError: of what is no response, or no number.
    """
    from invcore.plugin import close_names

    found = {}
    for name, value in given.items():
        if name not in responses:
            raise ConfigError(f"noise: no response {name!r}. {close_names(name, responses)}")
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            raise ConfigError(f"noise of {name!r}: expected a number, got {value!r}") from None
        if not (math.isfinite(found[name]) and found[name] >= 0):
            raise ConfigError(f"noise of {name!r}: expected a standard deviation, got {value}")
    return found
