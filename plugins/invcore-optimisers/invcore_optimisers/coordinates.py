"""The coordinates of a search: any real numbers, whose designs are within their bounds."""

import torch
from torch import Tensor

from invcore.plugin import Space

_SPREAD = 0.34134474606854293  # of a normal, between its mean and one standard deviation
_EDGE = 1e-6  # a start on a bound, where slopes are zero, is this share of the range inside
_FLATTEST = 0.25  # of the steepest slope: a prior's median may be on a bound


class Coordinates:
    """Smooth maps z -> x of some variables of a design space, with z = 0 at the priors' medians.

    Without bounds x = median + spread z. Between two, x runs to and fro as middle + half sin(u),
    and beyond one as low + spread (sqrt(1 + u²) - 1), with u linear in z; one of z is there about
    half the prior's range from 16% to 84%. A minimum on a bound is then one with a slope of zero,
    which searches find as they find any other; at a kink, as a wall would make, they get stuck.

    Whole numbers have no slope that a bend would keep: x = median + spread z, or the nearest bound,
    and ``steps`` and ``bounds`` are for searches that know of whole numbers.

    References:
        James, MINUIT, CERN Program Library D506, 1994, section 1.2.

    Args:
        designs: the space.
        columns: of the variables, long.

    Example:
        >>> from invcore.plugin import Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=4.0)))
        >>> own = Coordinates(space, torch.tensor([0]))
        >>> own.designs(torch.tensor([[0.0], [100.0]], dtype=torch.float64)).round(decimals=2)
        tensor([[2.0000],
                [0.5000]], dtype=torch.float64)
    """

    def __init__(self, designs: Space, columns: Tensor) -> None:
        centre, spread = (part[columns] for part in scales(designs))
        low, high, whole = (part[columns] for part in (designs.low, designs.high, designs.whole))
        self._both = low.isfinite() & high.isfinite() & ~whole
        self._one = (low.isfinite() ^ high.isfinite()) & ~whole
        self._sign = torch.where(low.isfinite(), 1.0, -1.0).double()
        self._size = torch.where(self._both, 0.5 * (high - low), spread)
        bound = torch.where(self._sign > 0, low, high)
        self._base = torch.where(self._both, 0.5 * (low + high), 0.0)
        self._base = torch.where(self._one, bound, self._base)
        self._shift, self._pace = torch.zeros_like(centre), torch.ones_like(centre)
        self._shift = self.points(centre)
        slope = torch.where(self._both, self._shift.cos(), 1.0)
        bent = self._shift / (1 + self._shift**2).sqrt()
        slope = torch.where(self._one, bent, slope).clamp(min=_FLATTEST)
        unit = torch.where(self._both | self._one, self._size, 1.0)
        self._pace = spread / (slope * unit)
        self._any_whole = bool(whole.any())
        self._low = torch.where(whole, low, -torch.inf)
        self._high = torch.where(whole, high, torch.inf)
        self.steps = torch.where(whole, 1 / spread, 0.0)
        """Between two whole numbers, as points; zero for other variables (D,)."""
        ends = self.points(torch.stack([low, high]))
        free = torch.tensor([[-torch.inf], [torch.inf]], dtype=torch.float64)
        self.bounds = torch.where(whole, ends, free).T
        """Of whole numbers, as points; infinite for other variables (D, 2)."""

    def designs(self, z: Tensor) -> Tensor:
        """Values (M, D) of the variables at points (M, D)."""
        u = self._shift + self._pace * z
        if bool(self._both.all()):  # as mostly: with less to differentiate
            return self._base + self._size * u.sin()
        bent = self._sign * ((1 + u**2).sqrt() - 1)
        x = torch.where(self._one, self._base + self._size * bent, u)
        if self._any_whole:
            x = x.clamp(self._low, self._high)
        return torch.where(self._both, self._base + self._size * u.sin(), x)

    def points(self, x: Tensor) -> Tensor:
        """Points (M, D) of values (M, D); those on a bound are moved inside a little."""
        away = (x - self._base) / self._size
        inner = away.clamp(_EDGE - 1, 1 - _EDGE).asin()
        bent = (((self._sign * away).clamp(min=_EDGE) + 1) ** 2 - 1).sqrt()
        u = torch.where(self._both, inner, torch.where(self._one, bent, x))
        return (u - self._shift) / self._pace


def scales(designs: Space) -> tuple[Tensor, Tensor]:
    """Medians of the priors and halves of their ranges from 16% to 84%: (Dx,) each, float64.

    Where that range has no width (a prior with its mass at an end), half of the bounds' counts, or
    one where there are none.

    Example:
        >>> from invcore.plugin import Normal, Variable
        >>> scales(Space.of(Variable(name="x", prior=Normal(mean=3.0, std=0.5))))
        (tensor([3.], dtype=torch.float64), tensor([0.5000], dtype=torch.float64))
    """
    ends = torch.tensor([0.5 - _SPREAD, 0.5, 0.5 + _SPREAD], dtype=torch.float64)
    alone = Space.of(*designs.variables)  # of the priors, whatever constraints tie
    low, centre, high = alone.from_unit(ends[:, None].expand(3, designs.dim)).unbind(0)
    half = 0.5 * (high - low)
    width = 0.5 * (designs.high - designs.low)
    spare = torch.where(width.isfinite(), width, 1.0)
    return centre, torch.where(half > 0, half, spare)
