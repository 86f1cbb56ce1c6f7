"""The kinds of components that plugins add."""

from typing import Literal, get_args

Kind = Literal["task", "method", "sampler", "metric", "executor"]


KINDS: tuple[Kind, ...] = get_args(Kind)
