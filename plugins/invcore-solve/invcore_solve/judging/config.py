"""Settings of the judge ``stacked-surrogates``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.plugin import Config, Field


class StackedConfig(Config):
    """How the judge is made."""

    members: tuple[str, ...] = Field(
        ("gaussian-process", "boosted-trees"), min_length=1,
        description="Surrogates, by name; each predicts rows that it did not see, and is weighted "
        "by how well.",
    )  # fmt: skip
    member_settings: dict[str, dict[str, Any]] = Field(
        {}, description="Settings of members, by name."
    )
    coverage: float = Field(
        0.9, gt=0, lt=1, description="Share of responses that the stated error must cover."
    )
    logarithms: Literal["auto", "never"] | tuple[str, ...] = Field(
        "auto", description="Responses that are learnt as logarithms: those where held-out rows "
        "call for it, none, or these.",
    )  # fmt: skip
    positive: tuple[str, ...] = Field(
        (), description="Responses that are learnt as logarithms whatever held-out rows say, where "
        "all of them are positive.",
    )  # fmt: skip
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
