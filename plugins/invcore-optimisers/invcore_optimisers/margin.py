"""A margin for sep-CMA-ES: whole numbers still change when its steps are smaller than one."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from cmaes import SepCMA

Array = npt.NDArray[np.float64]


class SepCMAwM(SepCMA):  # type: ignore[misc]  # the package has no types
    """Sep-CMA-ES with a margin, as the package's ``CMAwM`` has one for CMA-ES.

    Each whole number leaves the value that is nearest to its mean with a probability of at least
    1 / (D P), half of it on either side where there are two. Where its standard deviation is too
    small for that it is stretched, as is the sample that is simulated; where the mean is too far
    from a neighbour it is moved. What is told is the sample as drawn, so that the other variables'
    steps fall as they would.

    References:
        Hamano, Saito, Nomura, Shirakawa, CMA-ES with margin: lower-bounding marginal probability
        for mixed-integer black-box optimization, GECCO 2022, https://arxiv.org/abs/2205.13482.

    Args:
        mean: (D,), first mean.
        sigma: first standard deviation.
        bounds: (D, 2), of the whole numbers; others are not looked at.
        steps: (D,), between the values of a whole number; 0 for other variables.
        seed: of all samples.
        population_size: P.

    Example:
        >>> bounds, steps = np.array([[-3.0, 3.0], [-np.inf, np.inf]]), np.array([1.0, 0.0])
        >>> one = SepCMAwM(np.zeros(2), 1e-9, bounds, steps, seed=0, population_size=4)
        >>> one.tell([(one.ask()[1], float(value)) for value in range(4)])
        >>> any(one.ask()[0][0] != 0 for _ in range(100))
        True
    """

    def __init__(
        self,
        mean: Array,
        sigma: float,
        bounds: Array,
        steps: Array,
        *,
        seed: int,
        population_size: int,
    ) -> None:
        super().__init__(mean=mean, sigma=sigma, seed=seed, population_size=population_size)
        self._columns = np.flatnonzero(steps)
        self._step = steps[self._columns]
        self._first = bounds[self._columns, 0]
        self._last = np.rint((bounds[self._columns, 1] - self._first) / self._step)
        self._stretch = np.ones(len(self._columns))
        # In standard deviations, from the mean to the edge that half the margin is to be beyond.
        self._reach = -NormalDist().inv_cdf(0.5 / (len(mean) * population_size))

    def ask(self) -> tuple[Array, Array]:
        """A sample to simulate (D,), whose whole numbers are values, and the same to be told."""
        told = super().ask()
        mean = self.mean[self._columns]
        stretched = mean + self._stretch * (told[self._columns] - mean)
        asked = told.copy()
        asked[self._columns] = self._first + self._step * self._places(stretched)
        return asked, told

    def tell(self, solutions: list[tuple[Array, float]]) -> None:
        """Learn from samples and their values, then restore the margin."""
        super().tell(solutions)
        own = self._sigma * np.sqrt(self._C[self._columns])
        self._stretch = np.maximum(self._stretch, 0.5 * self._step / (self._reach * own))
        away = self._reach * self._stretch * own
        mean = self.mean[self._columns]
        place = self._places(mean)
        below = self._first + (place - 0.5) * self._step
        above = self._first + (place + 0.5) * self._step
        # At either end there is one neighbour alone.
        lowest = np.where(place < self._last, above - away, -np.inf)
        highest = np.where(place > 0, below + away, np.inf)
        self.mean[self._columns] = np.clip(mean, lowest, np.maximum(lowest, highest))

    def _places(self, x: Array) -> Array:
        """The nearest values' places, counted from the lowest."""
        return np.clip(np.rint((x - self._first) / self._step), 0, self._last)
