"""The specifications are what the task cards say in words."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from invcore_engineering.plugin import invcore_tasks

from invcore.plugin import specification_of

CARDS = (Path(__file__).resolve().parents[3] / "docs" / "tasks.md").read_text()


@pytest.mark.parametrize("component", invcore_tasks(), ids=lambda each: each.name)
def test_the_cards_words_are_the_specification(component) -> None:
    card = CARDS.partition(f"\n## {component.name}\n")[2].partition("\n## ")[0]
    texts = re.findall(r'--want "([^"]+)"', card)
    names = component.load()().responses.names
    wanted = import_module(component.target.partition(":")[0]).SPECIFICATION
    assert specification_of(texts, names).requirements_for() == wanted
    assert {name for name in names if f"`{name}`" in card or name.startswith("R_")} == set(names)
