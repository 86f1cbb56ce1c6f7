"""A designer of further responses, which follow from those that its judge has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from invcore.plugin import ConfigError, Pairs, Space, Variable, quoted
from invcore_solve.derived.follow import Followers
from invcore_solve.derived.judge import DerivedJudge

if TYPE_CHECKING:
    from invcore_solve.designer import Designer
    from invcore_solve.tables.table_data import TableData


def deriving(designer: Designer, texts: Sequence[str]) -> Designer:
    """The same designer, whose responses have derived ones behind them; nothing is fitted.

    Args:
        designer: with a fitted judge.
        texts: each ``cost = 0.1*cement + 2``, in the names of columns and responses.

    Raises:
        ConfigError: a text is none, its name is taken, or it has no value for any row.
        UnknownNameError: an expression has a name that nothing has.
    """
    data, followers = with_followers(designer.data, texts)
    judge = DerivedJudge(designer.judge, followers)
    return replace(designer, data=data, judge=judge, inverse=None)


def with_followers(data: TableData, texts: Sequence[str]) -> tuple[TableData, Followers]:
    """A table with derived responses behind its own, and what they follow from.

    Raises:
        ConfigError, UnknownNameError: as ``deriving``.
    """
    followers = Followers.of(
        [texts] if isinstance(texts, str) else texts, data.designs, data.responses.names,
        data.schema.constants,
    )  # fmt: skip
    pairs, facts = data.pairs, data.pairs.facts
    further = followers.values(pairs.x, pairs.y)
    for each, known in zip(followers.derived, further.isfinite().any(dim=0).tolist(), strict=True):
        if not known:
            raise ConfigError(f"response {quoted(each.text)} has no finite value for any row")
    if "noise" in facts:
        facts["noise"] = torch.cat([facts["noise"], torch.zeros_like(further)], dim=1)
    more = (Variable(name=each.name, description=each.text) for each in followers.derived)
    extended = replace(
        data,
        pairs=Pairs(pairs.x, torch.cat([pairs.y, further], dim=1), pairs.context, **facts),
        responses=Space.of(*data.responses.variables, *more),
    )
    return extended, followers
