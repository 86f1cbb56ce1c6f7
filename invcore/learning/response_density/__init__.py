"""What responses there are: a density over them, from which exact ones are drawn in intervals."""

from invcore.learning.response_density.density import ResponseDensity

__all__ = ["ResponseDensity"]
