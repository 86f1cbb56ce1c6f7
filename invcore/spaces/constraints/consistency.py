"""Whether constraints fit their variables and one another, and what bounds leave of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from invcore.base.errors import close_names
from invcore.spaces.constraints.conflicts import check_together, conflict_in
from invcore.spaces.constraints.kinds import (
    Among,
    AnyOf,
    Cardinality,
    Constraint,
    Fixed,
    Levels,
    LinearEquality,
    LinearInequality,
    Nonlinear,
    Periodic,
    Piece,
    Values,
)
from invcore.spaces.constraints.kinds.among import allowed_rows
from invcore.spaces.variable import Variable

Bounds = Callable[[str], tuple[float, float]]

_ROUNDING = 1e-9


def check(variables: Sequence[Variable], constraints: Sequence[Constraint]) -> None:
    """Check that a space of these variables can have these constraints.

    Raises:
        ValueError: a name that no variable has; two that say the same of one variable; a value
            that its variable cannot have; categories among numbers; a sum that cannot be reached;
            constraints that no design satisfies at once.
    """
    named = {variable.name: variable for variable in variables}
    for constraint in constraints:
        for name in constraint.names:
            if name not in named:
                raise ValueError(f"no variable {name!r}. {close_names(name, list(named))}")
    for constraint in constraints:
        _check_numbers(named, constraint)
    for kind in (Fixed, Levels, Periodic, Among):
        seen: set[str] = set()
        for constraint in constraints:
            if isinstance(constraint, kind):
                for name in constraint.names:
                    if name in seen:
                        raise ValueError(f"{name!r} has two constraints {constraint.kind!r}")
                    seen.add(name)
    for constraint in constraints:
        if isinstance(constraint, Periodic):
            _check_turn(named[constraint.variable], constraint)
    turns = {c.variable: c for c in constraints if isinstance(c, Periodic)}
    levels = {c.variable: c.values for c in constraints if isinstance(c, Levels)}
    for what, name, value in _values(constraints):
        _check_value(what, named[name], value, turns.get(name))
        if what == "the fixed value" and value not in levels.get(name, (value,)):
            raise ValueError(f"the fixed value {value:g} of {name!r} is not among its levels")
    for constraint in constraints:
        if isinstance(constraint, Among) and not allowed_rows(constraint, constraints):
            names = ", ".join(constraint.variables)
            raise ValueError(f"no design of {names} has the levels and fixed values of these")
    _check_sums(named, constraints)
    check_together(variables, constraints)


def _values(constraints: Sequence[Constraint]) -> Iterator[tuple[str, str, float]]:
    """What each value is, its variable, and the value itself."""
    for constraint in constraints:
        if isinstance(constraint, Fixed):
            yield "the fixed value", constraint.variable, constraint.value
        elif isinstance(constraint, Levels):
            for value in constraint.values:
                yield "the level", constraint.variable, value
        elif isinstance(constraint, Among):
            for row in constraint.designs:
                for name, value in zip(constraint.variables, row, strict=True):
                    yield "the listed value", name, value


def _check_value(what: str, variable: Variable, value: float, turn: Periodic | None) -> None:
    low, high = variable.bounds
    if not low <= value <= high:
        raise ValueError(
            f"{what} {value:g} of {variable.name!r} is outside its bounds {low:g} to {high:g}"
        )
    if variable.whole and value != round(value):
        raise ValueError(f"{what} {value:g} of {variable.name!r} is not a whole number")
    if turn is not None and not turn.low <= value < turn.high:
        raise ValueError(
            f"{what} {value:g} of {variable.name!r} must be at least {turn.low:g} and below "
            f"{turn.high:g}, which is the same as {turn.low:g}"
        )


def _check_turn(variable: Variable, turn: Periodic) -> None:
    name, (low, high) = variable.name, variable.bounds
    if variable.categories:
        raise ValueError(f"categories do not go round: {name!r} cannot be periodic")
    if variable.logarithmic:
        raise ValueError(f"{name!r} has a logarithmic scale, and cannot be periodic")
    if variable.whole and not (turn.low == round(turn.low) and turn.high == round(turn.high)):
        raise ValueError(f"{name!r} takes whole numbers: its turn must begin and end at such")
    if not max(low, turn.low) < min(high, turn.high):
        raise ValueError(
            f"the turn {turn.low:g} to {turn.high:g} of {name!r} is outside its bounds "
            f"{low:g} to {high:g}"
        )


def _check_numbers(named: Mapping[str, Variable], constraint: Constraint) -> None:
    """Check that categories are not taken for numbers, and that pieces have possible values."""
    if isinstance(constraint, AnyOf):
        for piece in (piece for pieces in constraint.alternatives for piece in pieces):
            _check_piece(named, piece)
        return
    if not isinstance(constraint, LinearInequality | Cardinality | Nonlinear):
        return
    whats = {
        "linear-inequality": "which cannot be added",
        "cardinality": "none of which is zero",
        "nonlinear": "which are no numbers",
    }
    for name in constraint.names:
        if named[name].categories:
            raise ValueError(f"{name!r} has categories, {whats[constraint.kind]}")


def _check_piece(named: Mapping[str, Variable], piece: Piece) -> None:
    for name in piece.names:
        variable = named[name]
        if not isinstance(piece, Values):
            if variable.categories:
                raise ValueError(f"{name!r} has categories, which have no order and no sum")
        elif variable.categories:
            for value in piece.values:
                if value not in range(len(variable.categories)):
                    raise ValueError(f"{name!r} has no category of number {value:g}")


def _check_sums(named: Mapping[str, Variable], constraints: Sequence[Constraint]) -> None:
    sums = [c for c in constraints if isinstance(c, LinearEquality)]
    fixed = {c.variable: c.value for c in constraints if isinstance(c, Fixed)}
    for equality in sums:
        for name in equality.coefficients:
            if named[name].categories:
                raise ValueError(f"{name!r} has categories, which cannot be added")
    bounds: Bounds = lambda name: named[name].bounds  # noqa: E731
    for equality in sums:
        low, high = reach(equality, bounds, fixed)
        room = equality.tolerance + _ROUNDING * max(1.0, abs(equality.value))
        if not low - room <= equality.value <= high + room:
            raise ValueError(_unreached(equality, low, high, fixed, f"{equality.value:g}"))
    for inequality in (c for c in constraints if isinstance(c, LinearInequality)):
        low, high = reach(inequality, bounds, fixed)
        least, most = inequality.ends
        room = _ROUNDING * max([1.0, *(abs(end) for end in (low, high) if math.isfinite(end))])
        if low > most + room or high < least - room:
            limit = f"at most {most:g}" if low > most + room else f"at least {least:g}"
            raise ValueError(_unreached(inequality, low, high, fixed, limit))
    if len(sums) > 1:
        _check_solvable(list(named), sums, fixed)


def _unreached(
    limit: LinearEquality | LinearInequality, low: float, high: float,
    fixed: Mapping[str, float], wanted: str,
) -> str:  # fmt: skip
    """That a sum, or one variable, cannot be what it should."""
    (name, factor), *more = limit.coefficients.items()
    if not more and name in fixed:
        return f"{name!r} is fixed to {fixed[name]:g}, and {_times(factor, name)}cannot be {wanted}"
    ends = f"is between {low:g} and {high:g}"
    if not more:
        what = repr(name) if factor == 1 else f"{factor:g}*{name}"
        return f"{what} {ends}, and cannot be {wanted}"
    return f"the sum of {', '.join(limit.names)} {ends} within their bounds, and cannot be {wanted}"


def _times(factor: float, name: str) -> str:
    return "" if factor == 1 else f"{factor:g}*{name} "


def _check_solvable(
    names: Sequence[str], sums: Sequence[LinearEquality], fixed: Mapping[str, float]
) -> None:
    """Check that the sums do not contradict one another, whatever the bounds are."""
    rows = [[c.coefficients.get(n, 0.0) * (n not in fixed) for n in names] for c in sums]
    known = [math.fsum(c.coefficients[n] * fixed[n] for n in c.names if n in fixed) for c in sums]
    matrix = torch.tensor(rows, dtype=torch.float64)
    value = torch.tensor([c.value for c in sums], dtype=torch.float64)
    value = value - torch.tensor(known, dtype=torch.float64)
    norm = matrix.norm(dim=1)
    norm = torch.where(norm > 0, norm, 1.0)
    matrix, value = matrix / norm[:, None], value / norm
    left = value - matrix @ (torch.linalg.pinv(matrix) @ value)
    room = torch.tensor([c.tolerance for c in sums]).double() / norm
    if bool((left.abs() > _ROUNDING * (1 + value.abs().max()) + room).any()):
        raise ValueError("the linear equalities contradict one another: no design satisfies all")


def reach(
    equality: LinearEquality | LinearInequality, bounds: Bounds, fixed: Mapping[str, float]
) -> tuple[float, float]:
    """The smallest and the largest sum within bounds."""
    low = high = 0.0
    for name, coefficient in equality.coefficients.items():
        ends = (fixed[name], fixed[name]) if name in fixed else bounds(name)
        below, above = sorted(coefficient * end for end in ends)
        low, high = low + below, high + above
    return low, high


def kept(
    old: Sequence[Variable], new: Sequence[Variable], constraints: Sequence[Constraint]
) -> tuple[list[Variable], tuple[Constraint, ...]]:
    """The variables and constraints that remain where bounds are narrower.

    Args:
        old: the variables.
        new: the same with narrower bounds.
        constraints: that the old ones satisfy.

    Returns:
        Variables with the bounds that the constraints leave room for: a fixed or periodic variable
        keeps its old ones, and so do those without a level, without a listed design or without a
        way to a sum between the new ones. Levels and listed designs outside the bounds are gone.
    """
    now = {variable.name: variable for variable in new}
    before = {variable.name: variable for variable in old}

    def inside(name: str, value: float) -> bool:
        low, high = now[name].bounds
        return low <= value <= high

    fixed = {c.variable: c.value for c in constraints if isinstance(c, Fixed)}
    for constraint in constraints:
        names = constraint.names
        if isinstance(constraint, Fixed | Periodic):
            lost = True
        elif isinstance(constraint, Levels):
            lost = not any(inside(names[0], value) for value in constraint.values)
        elif isinstance(constraint, Among):
            good = allowed_rows(constraint, constraints)
            lost = not any(all(map(inside, names, row)) for row in good)
        elif isinstance(constraint, LinearEquality):
            low, high = reach(constraint, lambda name: now[name].bounds, fixed)
            lost = not low <= constraint.value <= high
        elif isinstance(constraint, LinearInequality):
            low, high = reach(constraint, lambda name: now[name].bounds, fixed)
            lost = low > constraint.ends[1] or high < constraint.ends[0]
        else:  # whether all together leave anything is seen later
            lost = False
        if lost:
            now.update({name: before[name] for name in names})
    remaining = _remaining(constraints, now)
    found = conflict_in(tuple(now.values()), remaining)
    while found:  # what the constraints say of each variable alone left something; together not
        for name in {name for k in found for name in constraints[k].names}:
            now[name] = before[name]
        again = _remaining(constraints, now)
        if conflict_in(tuple(now.values()), again) == found:
            now, again = before, tuple(constraints)
        remaining, found = again, conflict_in(tuple(now.values()), again)
    return list(now.values()), remaining


def _remaining(
    constraints: Sequence[Constraint], now: Mapping[str, Variable]
) -> tuple[Constraint, ...]:
    """The constraints without levels and listed designs that are outside the bounds."""

    def inside(name: str, value: float) -> bool:
        low, high = now[name].bounds
        return low <= value <= high

    remaining = []
    for constraint in constraints:
        if isinstance(constraint, Levels):
            values = tuple(v for v in constraint.values if inside(constraint.variable, v))
            constraint = constraint.model_copy(update={"values": values or constraint.values})
        elif isinstance(constraint, Among):
            rows = tuple(r for r in constraint.designs if all(map(inside, constraint.names, r)))
            constraint = constraint.model_copy(update={"designs": rows or constraint.designs})
        remaining.append(constraint)
    return tuple(remaining)
