"""A laboratory that makes alloys, and a campaign in it."""

from __future__ import annotations

import pandas as pd
import pytest
from invcore_closed_loop import Campaign

DESIGNS = {"cu": (0, 5), "mg": (0, 3), "oven": ["A", "B"]}


def strength(frame: pd.DataFrame) -> pd.Series:
    """What is measured of alloys."""
    hot = (frame["oven"] == "B") * 5
    return 250 + 30 * frame.cu - 5 * frame.cu**2 + 20 * frame.mg - 4 * frame.mg**2 + hot


@pytest.fixture
def known() -> pd.DataFrame:
    """Rows that were measured before."""
    frame = pd.DataFrame(
        {"cu": [1.0, 2, 4, 0.5, 3], "mg": [1.0, 0.5, 2, 2.5, 1], "oven": [*"AABBA"]}
    )
    return frame.assign(strength=strength(frame))


@pytest.fixture
def alloy(tmp_path, monkeypatch):
    """A campaign in the folder ``alloy`` of the current one; the loop is cheap."""
    monkeypatch.chdir(tmp_path)

    def begin(name="alloy", **options):
        given = {"designs": DESIGNS, "responses": ["strength"], "want": ["strength>=300"],
                 "loop": "random-search", "seed": 1}  # fmt: skip
        return Campaign.new(name, **{**given, **options})

    return begin
