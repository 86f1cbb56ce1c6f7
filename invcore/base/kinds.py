"""The kinds of components that plugins add."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["task", "method", "sampler", "metric", "executor"]


KINDS: tuple[Kind, ...] = get_args(Kind)
