"""Permutations of the design variables that leave the response as it is."""

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.plugin import ConfigError, Pairs, Space

_MOST = 1000  # elements of a group: each makes a copy of the training pairs


def group(symmetries: Sequence[Sequence[str]], designs: Space) -> Tensor:
    """The group that permutations of the variables generate.

    Args:
        symmetries: each lists all variables in another order: the design whose first value is
            that of the first variable named, and so on, has the same response.
        designs: space of the designs.

    Returns:
        (G, Dx) of positions, the identity first: ``x[:, row]`` is an equivalent design.

    Raises:
        ConfigError: not a permutation of the variables, variables that are not alike, or a group
            of more than 1,000 elements.

    Example:
        >>> from invcore.plugin import Uniform, Variable
        >>> prior = Uniform(low=0.0, high=1.0)
        >>> space = Space.of(*(Variable(name=name, prior=prior) for name in "abc"))
        >>> group([["b", "c", "a"]], space).tolist()
        [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    generators = [_positions(names, designs) for names in symmetries]
    identity = tuple(range(designs.dim))
    elements, waiting = {identity: None}, deque([identity])
    while waiting:
        element = waiting.popleft()
        for step in generators:
            product = tuple(element[i] for i in step)
            if product not in elements:
                elements[product] = None
                waiting.append(product)
        if len(elements) > _MOST:
            raise ConfigError(
                f"symmetries: they generate more than {_MOST} permutations; declare fewer"
            )
    return torch.tensor(list(elements))


def images(x: Tensor, elements: Tensor) -> Tensor:
    """All equivalent designs of designs (N, Dx): (G, N, Dx)."""
    return x[:, elements.to(x.device)].movedim(1, 0)


def representatives(x: Tensor, elements: Tensor) -> Tensor:
    """One design (N, Dx) for all that are equivalent: the smallest, the first values deciding."""
    best = x
    for image in images(x, elements)[1:]:
        differs = image != best
        first = differs.float().argmax(dim=1, keepdim=True)  # 0 where none differs
        smaller = image.gather(1, first) < best.gather(1, first)
        best = torch.where(smaller, image, best)
    return best


def enlarged(pairs: Pairs, elements: Tensor) -> Pairs:
    """The pairs, and all that follow from them by the symmetries: (G N) rows."""
    return Pairs(images(pairs.x, elements).flatten(0, 1), pairs.y.repeat(len(elements), 1))


def _positions(names: Sequence[str], designs: Space) -> tuple[int, ...]:
    text = " ".join(names)
    if sorted(names) != sorted(designs.names):
        raise ConfigError(
            f"symmetry {text!r}: expected each design variable once, in another order: "
            f"{' '.join(designs.names)}"
        )
    order = tuple(designs.index(name) for name in names)
    for here, there in enumerate(order):
        a, b = designs.variables[here], designs.variables[there]
        alike = (a.bounds, a.whole, a.categories) == (b.bounds, b.whole, b.categories)
        if not alike:
            raise ConfigError(
                f"symmetry {text!r} puts {b.name!r} in the place of {a.name!r}, but they differ in "
                "bounds or kind; give them the same"
            )
    return order
