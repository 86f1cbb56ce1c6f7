"""The kinds of components that plugins add."""

from typing import Literal, get_args

Kind = Literal["task", "method", "loop", "surrogate", "judge", "sampler", "metric", "executor"]


KINDS: tuple[Kind, ...] = get_args(Kind)
