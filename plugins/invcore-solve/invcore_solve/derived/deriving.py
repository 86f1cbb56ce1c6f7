"""A designer of further responses, which follow from those that its judge has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from invcore.plugin import Pairs, Space, Variable
from invcore_solve.derived.follow import Followers
from invcore_solve.derived.judge import DerivedJudge

if TYPE_CHECKING:
    from invcore_solve.designer import Designer


def deriving(designer: Designer, texts: Sequence[str]) -> Designer:
    """The same designer, whose responses have derived ones behind them; nothing is fitted.

    Args:
        designer: with a fitted judge.
        texts: each ``cost = 0.1*cement + 2``, in the names of columns and responses.

    Raises:
        ConfigError: a text is none, or its name is taken.
        UnknownNameError: an expression has a name that nothing has.
    """
    data = designer.data
    followers = Followers.of(
        [texts] if isinstance(texts, str) else texts, data.designs, data.responses.names,
        data.schema.constants,
    )  # fmt: skip
    pairs, facts = data.pairs, data.pairs.facts
    further = followers.values(pairs.x, pairs.y)
    if "noise" in facts:
        facts["noise"] = torch.cat([facts["noise"], torch.zeros_like(further)], dim=1)
    more = (Variable(name=each.name, description=each.text) for each in followers.derived)
    extended = replace(
        data,
        pairs=Pairs(pairs.x, torch.cat([pairs.y, further], dim=1), pairs.context, **facts),
        responses=Space.of(*data.responses.variables, *more),
    )
    judge = DerivedJudge(designer.judge, followers)
    return replace(designer, data=extended, judge=judge, inverse=None)
