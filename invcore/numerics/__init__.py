"""Numerics for simulators and searches: chunks, derivatives, least squares, randomness."""

from invcore.numerics.chunked import in_chunks
from invcore.numerics.largest_difference import largest_squared_difference
from invcore.numerics.least_squares import damped_least_squares
from invcore.numerics.point_randomness import point_keys, scattered
from invcore.numerics.row_jacobian import row_jacobian
from invcore.numerics.single_derivative_guard import differentiable_once

__all__ = [
    "damped_least_squares", "differentiable_once", "in_chunks", "largest_squared_difference",
    "point_keys", "row_jacobian", "scattered",
]  # fmt: skip
