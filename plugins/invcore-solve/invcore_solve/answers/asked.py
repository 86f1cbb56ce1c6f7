"""What people ask for: exact responses, wishes in text or in a file, or specifications."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from invcore.plugin import (
    ConfigError,
    Space,
    Specification,
    Targets,
    WishedSpecification,
    read_specifications,
    specification_of,
)
from invcore_solve.answers.given import check_given
from invcore_solve.tables.sources import Source, as_targets

Numbers = npt.NDArray[np.float64]
Specifications = Specification | Sequence[Specification]

NAMED = 6
"""Responses that a text names before it says how many more there are."""


@dataclass(frozen=True)
class Ask:
    """What was given, before it is known what the responses are.

    Args:
        targets: exact responses; or what wishes are relative to.
        want: wishes, all of which make one specification.
        want_file: a file of specifications.
        specification: one, or several.
    """

    targets: Source | None = None
    want: Sequence[str] = ()
    want_file: str | os.PathLike[str] | None = None
    specification: Specifications | None = None

    @property
    def exact(self) -> bool:
        """Whether exact responses alone are given."""
        return not self.want and self.want_file is None and self.specification is None

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of ``Designer.propose``."""
        return {field: getattr(self, field) for field in self.__dataclass_fields__}

    def of(self, responses: Space, spread: Numbers | None = None) -> Wanted:
        """The targets that it makes; without the responses' deviations these count as one."""
        deviations = np.ones(responses.dim) if spread is None else spread
        return Wanted.of(
            responses, deviations, self.targets, want=self.want, want_file=self.want_file,
            specification=self.specification,
        )  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Targets, and each of them in words.

    Args:
        targets: B of them, measured in the responses' standard deviations.
        texts: B; empty where all are exact responses.
    """

    targets: Targets
    texts: tuple[str, ...]

    @classmethod
    def of(
        cls, responses: Space, spread: Numbers, targets: Source | None = None, *,
        want: Sequence[str] = (), want_file: str | os.PathLike[str] | None = None,
        specification: Specifications | None = None,
    ) -> Wanted:  # fmt: skip
        """From what was given.

        Args:
            responses: their space.
            spread: (Dy,), standard deviations of the responses among the rows.
            targets: exact responses; or what wishes such as ``gap=±5%`` are relative to.
            want: wishes, all of which make one specification, or one for each target.
            want_file: a file of specifications, of which each is one target more.
            specification: one, or several.

        Raises:
            ConfigError: nothing is given, or what does not go together; a wish is none.
            UnknownNameError: a name that no response has.
            DataError: targets that are none.
        """
        want = [want] if isinstance(want, str) else [*want]
        if specification is not None and (want or want_file is not None or targets is not None):
            raise ConfigError("a specification says it all: leave out targets and wishes")
        if specification is not None:
            several = (
                [specification] if isinstance(specification, Specification) else [*specification]
            )
            return cls._specified(several, responses, spread)
        if want or want_file is not None:
            wished = _wished(want, want_file, responses.names)
            return cls._specified(_each(wished, responses, spread, targets), responses, spread)
        if targets is None:
            raise ConfigError(
                "say what is wanted",
                remedy="targets, want=['gap>=1.2'], want_file or specification do",
            )
        return cls(Targets(as_targets(targets, responses)), ())

    @classmethod
    def _specified(cls, several: list[Specification], responses: Space, spread: Numbers) -> Wanted:
        import torch

        if not several:
            raise ConfigError("specification: expected one at least, got none")
        targets = Targets.of(several, responses)
        if targets.exact:
            return cls(Targets(targets.y), ())
        texts = tuple(each.text(NAMED) for each in several)
        return cls(targets.measured_in(torch.from_numpy(np.asarray(spread))), texts)


def _wished(
    want: Sequence[str], want_file: str | os.PathLike[str] | None, names: Sequence[str]
) -> list[WishedSpecification]:
    own = [specification_of(want, names)] if want else []
    if want_file is None:
        return own
    read = read_specifications(os.fspath(want_file), names)
    return [each.joined(own[0]) for each in read] if own else read


def _each(
    wished: list[WishedSpecification], responses: Space, spread: Numbers, targets: Source | None
) -> list[Specification]:
    """Specifications, one for each target where they are relative to such."""
    deviations = np.asarray(spread).tolist()
    check_given(wished, targets is not None)
    if targets is None:
        return [each.requirements_for(None, deviations) for each in wished]
    given = as_targets(targets, responses).tolist()
    if not all(each.needs_given for each in wished):
        raise ConfigError(
            "these wishes are not relative to targets: leave the targets out, or write "
            "them as in gap=±5%"
        )
    if len(wished) > 1:
        raise ConfigError("wishes of a file are relative to nothing: leave the targets out")
    return [wished[0].requirements_for(row, deviations) for row in given]
