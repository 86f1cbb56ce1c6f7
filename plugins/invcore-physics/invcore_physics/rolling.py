"""Rolling balls on a table with walls, from one event to the next.

Each moving ball slows down by the same constant along its own velocity, which is how rolling
friction acts. So a ball's path is a straight line and a parabola in time, until an event changes
something: a ball comes to rest, meets a wall, or meets another ball. All events' times are roots
of polynomials: no time steps.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from invcore_physics.contact import first_contact


class Table(NamedTuple):
    """A table and its balls, which are all alike.

    Args:
        length: of the table along x, m.
        width: along y, m.
        radius: of a ball, m.
        deceleration: of a rolling ball, m/s²; positive.
    """

    length: float
    width: float
    radius: float
    deceleration: float


class Event(NamedTuple):
    """The next event of each row.

    Args:
        time: from now (N,), s, without a gradient.
        kind: (N,): 0 a ball comes to rest, 1 or 2 it meets a wall across x or y, 3 two balls meet.
        ball: which (N,).
        other: the other one, if two meet, else the same (N,).
    """

    time: Tensor
    kind: Tensor
    ball: Tensor
    other: Tensor


REST, WALL_X, WALL_Y, BALLS = range(4)
_SLOWEST = 1e-150  # m/s


def next_event(places: Tensor, velocities: Tensor, table: Table) -> Event:
    """Find what happens next in each row, and when; exactly, whatever is near.

    Args:
        places: of the balls' centres (N, n, 2), m, float64.
        velocities: (N, n, 2), m/s; at least one ball of each row moves.
        table: the table.

    Example:
        >>> table = Table(2.0, 1.0, 0.05, 0.5)
        >>> places = torch.tensor([[[0.5, 0.5], [1.6, 0.5]]]).double()
        >>> pushed = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]).double()
        >>> event = next_event(places, pushed, table)
        >>> event.time, event.kind == REST  # it rolls for 1 m, not quite to the other ball
        (tensor([2.], dtype=torch.float64), tensor([True]))
    """
    with torch.no_grad():
        count = places.shape[1]
        one, two = torch.triu_indices(count, count, 1, device=places.device)
        speed, ahead = _directions(velocities)
        moving = speed > 0
        rest = torch.where(moving, speed / table.deceleration, torch.inf)
        wall = _wall_times(places, speed, ahead, table)
        gap, both = places[:, two] - places[:, one], moving[:, one] & moving[:, two]
        # toward the ball at rest, from the one that moves
        resting = _resting_times(
            torch.where(moving[:, one, None], gap, -gap),
            torch.where(moving[:, one], speed[:, one], speed[:, two]),
            torch.where(moving[:, one, None], ahead[:, one], ahead[:, two]),
            table,
        )
        pairs = torch.where(both, torch.inf, resting)  # (N, P); infinite too if none moves
        times = torch.cat([rest, *wall.unbind(dim=2), pairs], dim=1)
        soonest = times.amin(dim=1)
        pull = -table.deceleration * ahead
        closing = velocities[:, two] - velocities[:, one]
        bending = pull[:, two] - pull[:, one]
        horizon = soonest[:, None].expand_as(both)
        # how near they may come before that, by the triangle inequality
        near = closing.norm(dim=2) * horizon + bending.norm(dim=2) * horizon**2 / 2
        maybe = both & (gap.norm(dim=2) - 2 * table.radius <= near)
        rows, columns = maybe.nonzero(as_tuple=True)
        if len(rows):
            where = (rows, columns)
            times[rows, 3 * count + columns] = first_contact(
                gap[where], closing[where], bending[where], 2 * table.radius, horizon[where]
            )
        time, which = times.min(dim=1)
        kind = (which // count).clamp(max=BALLS)
        pair = (which - 3 * count).clamp(min=0)
        ball = torch.where(kind == BALLS, one[pair], which % count)
        return Event(time, kind, ball, torch.where(kind == BALLS, two[pair], ball))


def advance(
    places: Tensor, velocities: Tensor, event: Event, table: Table
) -> tuple[Tensor, Tensor, Tensor]:
    """Move each row to its event, and through it.

    The event's time depends on places and velocities: a Newton step at the known root, of which
    only the derivative is taken, has the one that the implicit function theorem says.

    Two balls of equal mass that collide without loss exchange their velocities along the line of
    centres. A wall turns the velocity across it around.

    Args:
        places: (N, n, 2), m, float64.
        velocities: (N, n, 2), m/s.
        event: from ``next_event``.
        table: the table.

    Returns:
        Places at the event and velocities after it, as the arguments are; and the velocities just
        before it.
    """
    rows = torch.arange(len(places), device=places.device)
    speed, ahead = _directions(velocities)
    pull = -table.deceleration * ahead
    axis = (event.kind == WALL_Y).long()
    met, hit = event.kind == BALLS, (event.kind == WALL_X) | (event.kind == WALL_Y)
    time = event.time

    def apart(values: Tensor) -> Tensor:  # the other ball's minus the ball's
        return values[rows, event.other] - values[rows, event.ball]

    def across(values: Tensor) -> Tensor:  # the wall
        return values[rows, event.ball, axis]

    gap = apart(places) + apart(velocities) * time[:, None] + apart(pull) * time[:, None] ** 2 / 2
    closing = (apart(velocities) + apart(pull) * time[:, None]).detach()
    far = places.new_tensor([table.length, table.width])[axis] - table.radius
    bound = torch.where(across(velocities) > 0, far, table.radius)
    value = torch.where(
        met,
        gap.square().sum(dim=1) - (2 * table.radius) ** 2,
        torch.where(
            hit,
            across(places) + across(velocities) * time + across(pull) * time**2 / 2 - bound,
            speed[rows, event.ball] - table.deceleration * time,
        ),
    )
    slope = torch.where(
        met,
        2 * (gap.detach() * closing).sum(dim=1),
        torch.where(hit, (across(velocities) + across(pull) * time).detach(), -table.deceleration),
    )
    graze = slope == 0  # no derivative exists there
    # Nothing but the derivative: over a slope near zero even a value's rounding would be far
    nothing = torch.where(graze, 0.0, value - value.detach())
    time = time - nothing / torch.where(graze, 1.0, slope)

    time = time[:, None, None]
    places = places + velocities * time + pull * time**2 / 2
    before = velocities + pull * time
    balls = torch.arange(places.shape[1], device=places.device)
    mine, others = balls == event.ball[:, None], balls == event.other[:, None]  # (N, n)
    after = torch.where((mine & (event.kind == REST)[:, None])[..., None], 0.0, before)
    sides = torch.arange(2, device=places.device) == axis[:, None]
    turned = (mine & hit[:, None])[..., None] & sides[:, None]
    after = torch.where(turned, -after, after)
    line = torch.where(met[:, None], apart(places), 1.0)
    line = line / line.norm(dim=1, keepdim=True)
    impulse = torch.where(met, (apart(before) * line).sum(dim=1), 0.0)[:, None] * line
    sign = mine.to(places) - others.to(places)  # zero if the two are one
    return places, after + sign[..., None] * impulse[:, None], before


def roll(places: Tensor, velocities: Tensor, table: Table, events: int) -> Tensor:
    """Compute where all balls are when the last has come to rest.

    All rows go from event to event together; those at rest are taken out. The time is that of the
    longest row, and rows are independent of each other.

    Args:
        places: (N, n, 2), m, float64.
        velocities: (N, n, 2), m/s, finite.
        table: the table.
        events: the most that may happen in a row.

    Returns:
        Final places (N, n, 2); NaN in a row where more happens.

    Example:
        >>> table = Table(2.0, 1.0, 0.05, 0.5)
        >>> places = torch.tensor([[[0.5, 0.5], [1.0, 0.5]]]).double()
        >>> pushed = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]).double()
        >>> roll(places, pushed, table, 9)[0]  # 0.4 m to the other ball, 0.6 m left for that
        tensor([[0.9000, 0.5000],
                [1.6000, 0.5000]], dtype=torch.float64)
    """
    rows = torch.arange(len(places), device=places.device)
    order, final = [], []
    for step in range(events + 1):
        still = ~_moving(velocities).any(dim=1)
        if step == events:
            places = torch.where(still[:, None, None], places, torch.nan)
            still = torch.ones_like(still)
        if bool(still.any()):
            order.append(rows[still])
            final.append(places[still])
            rows, places, velocities = rows[~still], places[~still], velocities[~still]
        if len(rows) == 0:
            break
        event = next_event(places, velocities, table)
        places, velocities, _ = advance(places, velocities, event, table)
    if not order:
        return places
    return torch.cat(final)[torch.cat(order).argsort()]


def itinerary(places: Tensor, velocities: Tensor, table: Table, events: int) -> Tensor:
    """Compute all balls' places at the start and at each event; straight lines lie between them.

    Args:
        places: (N, n, 2), m, float64.
        velocities: (N, n, 2), m/s, finite.
        table: the table.
        events: the most to follow.

    Returns:
        (E + 1, N, n, 2), with E the number of events of the row that has most.

    Example:
        >>> table = Table(2.0, 1.0, 0.05, 0.5)
        >>> places = torch.tensor([[[0.5, 0.5], [1.6, 0.5]]]).double()
        >>> pushed = torch.tensor([[[-1.0, 0.0], [0.0, 0.0]]]).double()
        >>> itinerary(places, pushed, table, 9)[:, 0, 0, 0]
        tensor([0.5000, 0.0500, 0.6000], dtype=torch.float64)
    """
    stops = [places]
    for _ in range(events):
        moving = _moving(velocities).any(dim=1)
        if not bool(moving.any()):
            break
        event = next_event(places[moving], velocities[moving], table)
        places, velocities = places.clone(), velocities.clone()
        places[moving], velocities[moving], _ = advance(
            places[moving], velocities[moving], event, table
        )
        stops.append(places)
    return torch.stack(stops)


def _moving(velocities: Tensor) -> Tensor:
    """Which balls (N, n) move; slower ones than a speed whose inverse overflows are at rest."""
    return (velocities.abs() > _SLOWEST).any(dim=2)


def _directions(velocities: Tensor) -> tuple[Tensor, Tensor]:
    """Speeds (N, n), and unit vectors along the velocities (N, n, 2), zero where a ball rests.

    With a gradient of zero for a ball at rest, where the square root has none.
    """
    moving = _moving(velocities)
    safe = torch.where(moving[..., None], velocities, 1.0)
    speed = torch.hypot(safe[..., 0], safe[..., 1])  # no underflow for the slowest
    ahead = torch.where(moving[..., None], safe / speed[..., None], 0.0)
    return torch.where(moving, speed, 0.0), ahead


def _times(path: Tensor, speed: Tensor, table: Table) -> Tensor:
    """When a ball has rolled a path; infinite where it never does."""
    left = speed.square() - 2 * table.deceleration * path
    rolled = 2 * path / (speed + left.clamp(min=0.0).sqrt())
    return torch.where((left >= 0) & (speed > 0), rolled, torch.inf)


def _wall_times(places: Tensor, speed: Tensor, ahead: Tensor, table: Table) -> Tensor:
    """When each ball meets a wall across x and y (N, n, 2)."""
    far = places.new_tensor([table.length, table.width]) - table.radius
    room = torch.where(ahead > 0, far - places, places - table.radius).clamp(min=0.0)
    path = torch.where(ahead == 0, torch.inf, room / ahead.abs())
    return _times(path, speed[..., None], table)


def _resting_times(gap: Tensor, speed: Tensor, ahead: Tensor, table: Table) -> Tensor:
    """When moving balls meet resting ones, in the direction ``gap`` (N, P)."""
    toward = (gap * ahead).sum(dim=2)
    square = gap.square().sum(dim=2) - (2 * table.radius) ** 2
    left = toward.square() - square
    path = square / (toward + left.clamp(min=0.0).sqrt())
    return torch.where(
        (toward > 0) & (left >= 0), _times(path.clamp(min=0.0), speed, table), torch.inf
    )
