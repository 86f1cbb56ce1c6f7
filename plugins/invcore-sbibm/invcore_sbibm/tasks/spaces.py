"""Spaces of variables that have numbers for names."""

from invcore.plugin import Normal, Space, Uniform, Variable


def numbered(dim: int, prior: Normal | Uniform | None = None) -> Space:
    """Designs x1, x2, … of one prior, or responses y1, y2, … without any.

    Example:
        >>> numbered(2, Uniform(low=-1.0, high=1.0)).names, numbered(3).names
        (('x1', 'x2'), ('y1', 'y2', 'y3'))
    """
    letter = "y" if prior is None else "x"
    return Space.of(*(Variable(name=f"{letter}{i}", prior=prior) for i in range(1, dim + 1)))
