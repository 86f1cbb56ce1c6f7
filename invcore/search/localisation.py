"""Localisation: move many starts to where a frozen forward model gives the wanted response.

Two ways, both batched over all starts, in which each start's path depends on that start alone:
``adam``, as the papers do, and ``lm``, a damped Gauss-Newton method projected on the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.errors import ConfigError
from invcore.base.types import Forward
from invcore.contracts.candidates import Candidates
from invcore.data.scaling import Scaling
from invcore.search.adam_on_surrogate import adam
from invcore.search.aim import Aim
from invcore.search.levenberg_marquardt_on_surrogate import levenberg_marquardt
from invcore.search.localisation_config import LocalisationConfig
from invcore.search.neighbour_localisation import among_neighbours
from invcore.search.surrogate_trust import Anchors, Trust
from invcore.spaces.constraints.violations import Rule

_PENALTY = 10.0  # standard deviations of responses that a violation by a whole range counts as
_SMALL = 16  # most columns, of design or response, for which Jacobians are formed


@dataclass(frozen=True)
class Localised:
    """Where the starts went.

    Args:
        x: (N, F + C), scaled features, and what is known.
        y: (N, Dy), what the forward model gives there.
        error: (N,), mean squared difference from the target, scaled; of intervals, of what is
            violated.
    """

    x: Tensor
    y: Tensor
    error: Tensor


def localise(
    forward: Forward, start: Tensor, target: Tensor | Aim, scaling: Scaling,
    config: LocalisationConfig, *, boxed: bool = True,
) -> Localised:  # fmt: skip
    """Move starts to where ``forward`` gives the targets; whole numbers and categories stay such.

    Categories keep what the start says. Whole numbers, levels and listed designs move freely first,
    are rounded, and then the other variables make up for the rounding. Searches stay on the planes
    of linear equalities, and violations of other constraints count as errors of responses; what
    comes out is the nearest allowed design.

    Args:
        forward: frozen model on scaled features and context features, (N, F + C) to (N, Dy).
        start: (N, F + C), scaled; the C columns are the context, and stay.
        target: (N, Dy), scaled, or an aim at intervals.
        scaling: gives the box and which features may move.
        config: how.
        boxed: stay in the box of the training data.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (adam, boundary loss);
        Nocedal, Wright, Numerical Optimization, 2006, chapter 10 (Levenberg-Marquardt).

    Raises:
        ConfigError: ``lm`` was asked for where Jacobians are too large.
    """
    aim = Aim.at(target)
    features, responses = scaling.designs.features, aim.low.shape[1]
    small = min(features, responses) <= _SMALL
    if config.solver == "lm" and not small:
        raise ConfigError(
            f"localisation.solver: lm forms Jacobians of at most {_SMALL} columns, here are "
            f"{min(features, responses)}: use solver = 'adam'"
        )
    solve = levenberg_marquardt if small and config.solver != "adam" else adam
    low, high = scaling.box(start.device)
    if not boxed:
        low, high = torch.full_like(low, -torch.inf), torch.full_like(high, torch.inf)
    first, last = (mask.to(start.device) for mask in scaling.movable())
    stages = [first] if torch.equal(first, last) else [first, last]
    width = features * responses // _SMALL if solve is levenberg_marquardt else features
    parts, rows = [], max(1, config.rows * _SMALL // max(_SMALL, width))  # Jacobians are wider
    for begin in range(0, max(len(start), 1), rows):
        x, context_features = scaling.parts(start[begin : begin + rows])
        goals = aim[begin : begin + rows]
        wanted = goals.with_zeros(len(_rules(scaling))) if _rules(scaling) else goals
        for free in stages:
            if not bool(free.all()):
                x = scaling.snap(x.cpu(), inside=boxed).to(x.device)
            model = _with_penalties(_on_planes(forward, scaling, free), scaling)
            x = solve(model, x, context_features, wanted, (low, high), free, config)
            x = scaling.planes.nearest(x, free)
        if scaling.designs.constraints:  # what the model says must be of designs that are allowed
            x = scaling.snap(x.cpu(), inside=boxed).to(x.device)
        x = torch.cat([x, context_features], dim=1)
        with torch.no_grad():
            y = forward(x)
        parts.append((x, y, goals.error(y)))
    return Localised(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _on_planes(forward: Forward, scaling: Scaling, free: Tensor) -> Forward:
    """The forward model of the nearest features that satisfy the linear equalities.

    Across these planes there are no pairs to learn from: what the model says there leads astray.
    """
    if not len(scaling.planes.matrix):
        return forward

    def model(inputs: Tensor) -> Tensor:
        features, context_features = scaling.parts(inputs)
        return forward(torch.cat([scaling.planes.nearest(features, free), context_features], dim=1))

    return model


def _with_penalties(forward: Forward, scaling: Scaling) -> Forward:
    """The forward model, and beside its responses how far designs violate inequalities, conditions
    and expressions, which a search makes zero as it makes responses the wanted ones.
    """
    rules = _rules(scaling)
    if not rules:
        return forward

    def model(inputs: Tensor) -> Tensor:
        y = forward(inputs)
        features, _ = scaling.parts(inputs)
        values = scaling.designs.decode(scaling.x.inverse(features.double()))
        off = torch.stack([rule.violation(values) for rule in rules], dim=-1)
        return torch.cat([y, _PENALTY * off.nan_to_num(posinf=1.0).to(y)], dim=-1)

    return model


def _rules(scaling: Scaling) -> Sequence[Rule]:
    return scaling.designs.layout.rules if scaling.designs.constraints else ()


def localised_candidates(
    forward: Forward, starts: Tensor, targets: Tensor | Aim, scaling: Scaling,
    config: LocalisationConfig, trust: Trust, *, boxed: bool = True,
    anchors: Anchors | None = None,
) -> Candidates:  # fmt: skip
    """Localise the starts of all targets, and sort them by the error to expect.

    Where designs have categories or levels, starts that end off their target go on to better
    neighbours, see ``among_neighbours``.

    That is the forward model's own error, and (unless ``config.trust`` is off) its error at the
    known pairs nearby, or what is to be expected after the way from a known design.

    Args:
        forward: frozen model on scaled features and context features, (N, F + C) to (N, Dy).
        starts: (B, K, F + C), scaled; the C columns are the context, and stay.
        targets: (B, Dy), scaled, or an aim at B intervals.
        scaling: back to designs and responses.
        config: how.
        trust: in the forward model.
        boxed: stay in the box of the training data.
        anchors: the known designs that the starts are, or come from: what the forward model lacks
            there is added to what it says.

    Returns:
        Candidates best first. Those that are equally good keep the order of the starts; those
        that have converged count as equal, rather than by rounding errors.
    """
    batch, count = starts.shape[:2]
    goals = Aim.at(targets).repeated(count)
    lacking = torch.zeros_like(goals.low) if anchors is None else anchors.lacking.flatten(0, 1)
    goals = goals.less(lacking)

    def move(start: Tensor, goals: Aim, config: LocalisationConfig) -> Localised:
        return localise(forward, start, goals, scaling, config, boxed=boxed)

    result = move(starts.flatten(0, 1), goals, config)
    result = among_neighbours(
        forward, result, goals, scaling, config, move, each=count, boxed=boxed
    )
    error = result.error.nan_to_num(nan=torch.inf).clamp(min=config.tolerance)
    if config.trust:
        known = None if anchors is None else anchors.known
        if anchors is not None and known is None:
            error = error + anchors.doubt.flatten()
        elif goals.exact:
            error = error + trust(result.x)
        else:
            near = trust.violation(result.x, result.y, goals).clamp(min=config.tolerance)
            if anchors is not None and known is not None:
                near = torch.where(known.flatten(), error + anchors.doubt.flatten(), near)
            error = near
    order = error.cpu().view(batch, count).argsort(dim=1, stable=True)[..., None]
    # Home in float32: not every device has float64.
    features, _ = scaling.parts(result.x.cpu())
    x = scaling.decode(features, inside=boxed).view(batch, count, -1)
    y = scaling.y.inverse((result.y + lacking).cpu().double()).view(batch, count, -1)
    return Candidates(x.gather(1, order.expand_as(x)), y.gather(1, order.expand_as(y)))
