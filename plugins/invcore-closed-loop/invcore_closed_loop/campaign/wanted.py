"""What a campaign wants, as targets of its loop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.plugin import Answers, ConfigError, Loop, Space, Targets, UnfitError, specification_of


def targets_of(want: Sequence[str], responses: Space, y: Tensor) -> Targets:
    """One target from all wishes.

    Args:
        want: wishes of the responses.
        responses: of the campaign.
        y: (N, Dy), responses that are known, in whose deviations violations are measured.

    Raises:
        ConfigError: a wish that is none, or nothing is wanted.
        UnknownNameError: of what is no response.
    """
    if isinstance(want, str):
        want = [want]
    if not want:
        raise ConfigError("say what is wanted: want=['strength>=300']")
    wished = specification_of(want, responses.names)
    if wished.needs_given:
        raise ConfigError("a campaign wants something fixed: no wishes relative to a response")
    spread = spread_of(y)
    known = spread.tolist() if len(y) > 1 else None
    targets = Targets.of([wished.requirements_for(None, known)], responses)
    if not bool(targets.wanted.any()) and not targets.has_goals:
        raise ConfigError("nothing is wanted of any response: say at least one wish")
    return targets.measured_in(spread) if len(y) > 1 else targets


def spread_of(y: Tensor) -> Tensor:
    """Standard deviations (Dy,) of responses (N, Dy), NaN where fewer than two are known."""
    spread = []
    for column in y.double().unbind(dim=1):
        known = column[column.isfinite()]
        spread.append(known.std() if len(known) > 1 else torch.tensor(torch.nan).double())
    return torch.stack(spread) if spread else torch.empty(0, dtype=torch.float64)


def check_loop(name: str, loop: Loop, targets: Targets) -> None:  # type: ignore[type-arg]
    """Refuse a loop that cannot do what is wanted.

    Raises:
        UnfitError: it takes exact responses alone, or no goals.
    """
    if targets.has_goals and Answers.GOALS not in loop.answers:
        raise UnfitError(f"loop {name!r} makes nothing as small or as large as possible")
    if not targets.exact and Answers.INTERVALS not in loop.answers:
        raise UnfitError(f"loop {name!r} takes exact responses alone, no intervals")
