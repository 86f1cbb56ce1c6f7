"""Numerics for simulators and searches: chunks, single derivatives, randomness from points."""

from __future__ import annotations

from invcore.numerics.chunked import in_chunks
from invcore.numerics.point_randomness import point_keys, scattered
from invcore.numerics.single_derivative import differentiable_once

__all__ = [
    "differentiable_once",
    "in_chunks",
    "point_keys",
    "scattered",
]
