"""What a run's targets are wanted to be: wishes, for each test response or once for all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import ConfigError
from invcore.base.text import quoted
from invcore.base.types import Context
from invcore.configs.run_config import RunConfig
from invcore.contracts.problem import GOALS, Targets
from invcore.spaces.space import Space
from invcore.spaces.wishes import Band, Wish, WishedSpecification, specification_of
from invcore.spaces.wishes.files import read_specifications


@dataclass(frozen=True)
class Wanted:
    """The specifications of a run.

    Args:
        specifications: one, or one for each target.
        responses: whose names they use.
        file: that they are from, for people; empty for none.
    """

    specifications: tuple[WishedSpecification, ...]
    responses: Space
    file: str = ""

    @classmethod
    def of(cls, config: RunConfig, responses: Space) -> Wanted | None:
        """What a run's config wants; None where exact test responses are the targets.

        A file's rows are a specification each, to which the wishes of ``want`` are added.

        Raises:
            ConfigError: a wish is none, or the file cannot be read.
            UnknownNameError: one names no response.
        """
        if not config.want and not config.want_file:
            return None
        common = specification_of(config.want, responses.names) if config.want else None
        if not config.want_file:
            assert common is not None
            return cls((common,), responses)
        rows = read_specifications(config.want_file, responses.names)
        rows = rows if common is None else [row.joined(common) for row in rows]
        return cls(tuple(rows), responses, Path(config.want_file).name)

    @property
    def count(self) -> int | None:
        """How many targets it makes; None for as many as test responses are asked for."""
        alone = len(self.specifications) == 1 and not self.file
        return None if alone and self.specifications[0].needs_given else len(self.specifications)

    @property
    def document(self) -> dict[str, Any]:
        """What of it determines a run's result, as plain data: what files say, not their names."""
        if not self.file:
            return {"want": sorted(self.specifications[0].texts())}
        texts = ["\n".join(sorted(each.texts())) for each in self.specifications]
        return {"want_file": hashlib.sha256("\n\n".join(texts).encode()).hexdigest()}

    @property
    def facts(self) -> dict[str, Any]:
        """What people see of it beside: the name of the file, and its first specification."""
        if not self.file:
            return {}
        first = self.specifications[0].text(most=6)
        return {"want_file_name": self.file, "want_first": first}

    def targets(self, given: Tensor, spread: Tensor, context: Context | None) -> Targets:
        """The targets.

        Args:
            given: (B, Dy), the test responses; B is ``count`` where that is fixed.
            spread: (Dy,), the responses' standard deviation.
            context: what is known of each problem.

        Raises:
            ConfigError: nothing is left of a response's wishes at some target.
        """
        if self.count is None:
            targets = self._relative(self.specifications[0], given, spread, context)
        else:
            rows = zip(self.specifications, given.tolist(), strict=True)
            scale = spread.tolist()
            every = [each.requirements_for(row, scale) for each, row in rows]
            targets = Targets.of(every, self.responses, context)
        return targets.measured_in(spread)

    def _relative(
        self, wished: WishedSpecification, given: Tensor, spread: Tensor, context: Context | None
    ) -> Targets:
        """One specification around each of many responses, all at once."""
        given = given.double()
        low, high = (torch.full_like(given, sign * torch.inf) for sign in (-1, 1))
        goal = torch.full_like(given, GOALS.index("ignore"), dtype=torch.long)
        weight, tolerance = torch.ones_like(given), torch.full_like(given, torch.nan)
        for name, wish in wished.wishes.items():
            place, own = self.responses.index(name), wish.requirement
            for ends in _intervals(wish, given[:, place], float(spread[place])):
                low[:, place] = torch.maximum(low[:, place], ends[0])
                high[:, place] = torch.minimum(high[:, place], ends[1])
            empty = (low[:, place] > high[:, place]).nonzero()[:, 0]
            if len(empty):
                raise ConfigError(
                    f"want {quoted(wish.text())}: nothing is left of it for {len(empty)} of "
                    f"{len(given)} test responses, such as {float(given[empty[0], place]):.4g}"
                )
            meets = own.goal == "ignore" and bool(wish.relative)
            goal[:, place] = GOALS.index("meet" if meets else own.goal)
            weight[:, place] = own.weight
            if own.tolerance is not None:
                tolerance[:, place] = own.tolerance
        return Targets.of_parts(low, high, goal, weight, tolerance, context=context)


def _intervals(wish: Wish, given: Tensor, spread: float) -> Iterator[Sequence[Tensor]]:
    """The intervals (B,) that a wish limits its response to."""
    yield [torch.full_like(given, end) for end in wish.requirement.ends]
    for band in wish.relative:
        yield _ends(band, given, spread)


def _ends(band: Band, given: Tensor, spread: float) -> tuple[Tensor, Tensor]:
    """``Band.ends`` of many responses (B,)."""
    centre = given if band.centre is None else torch.full_like(given, band.centre)
    scale = {"": torch.ones_like(centre), "%": centre.abs() / 100}.get(
        band.unit, torch.full_like(centre, spread)
    )
    low, high = torch.full_like(centre, -math.inf), torch.full_like(centre, math.inf)
    if math.isfinite(band.below):
        low = centre - band.below * scale if band.below else centre
    if math.isfinite(band.above):
        high = centre + band.above * scale if band.above else centre
    return low, high
