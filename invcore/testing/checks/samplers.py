"""Checks of samplers: points inside the cube, drawn from the generator that is passed."""

import torch
from torch import Tensor

from invcore.base.seeding import generator, isolated
from invcore.testing.cases.comparison import same, untouched_generators
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.check import only_if, require

_SIZES = ((1, 1), (1, 3), (2, 1), (7, 2), (16, 3), (33, 5))


def check_shape(subject: Subject) -> None:
    """``count`` points in ``dim`` dimensions are a (count, dim) tensor of float64."""
    for count, dim in _SIZES:
        points = _points(subject, count, dim)
        _shaped(points, (count, dim), f"count {count}, dim {dim}")
        require(points.dtype == torch.float64, f"points are {points.dtype}, expected float64")


def check_range(subject: Subject) -> None:
    """Points lie in the open unit cube: 0 and 1 would become infinite."""
    for count, dim in _SIZES:
        _inside(_points(subject, count, dim), f"count {count}, dim {dim}")


def check_single_point(subject: Subject) -> None:
    """One point, and one dimension, work, alone and in a batch; targets do not share one point."""
    for count, dim in ((1, 1), (1, 4), (5, 1)):
        points = subject.build().batch(1, count, dim, generator(0, "kit"))
        what = f"batch of 1 target, count {count}, dim {dim}"
        _shaped(points, (1, count, dim), what)
        _inside(points, what)
    for dim in (1, 2):
        points = subject.build().batch(16, 1, dim, generator(0, "kit"))
        what = f"batch of 16 targets, count 1, dim {dim}"
        _shaped(points, (16, 1, dim), what)
        # Mirror images of one point are equally far from the middle, in some order of the axes.
        away = (points[:, 0] - 0.5).abs().sort(dim=1).values.round(decimals=9)
        places = len(away.unique(dim=0))
        require(places >= 8, f"{what}: {places} points and their mirror images, expected 16")


def check_same_generator(subject: Subject) -> None:
    """Equal generators give equal points, whatever the global generators hold."""
    answers = []
    for seed in (1, 2):
        with isolated(seed):
            sampler = subject.build()
            drawn = sampler.sample(16, 3, generator(5)), sampler.batch(4, 6, 2, generator(5))
            answers.append(drawn)
    for what, first, second in zip(("sample", "batch"), *answers, strict=True):
        require(same(first, second), f"{what}: equal generators give different points")


def check_seeds_differ(subject: Subject) -> None:
    """Another generator, and the same generator later, give other points, be it one or many."""
    for count in (16, 1):
        what = f"count {count}, dim 3"
        equal = same(_points(subject, count, 3, 0), _points(subject, count, 3, 1))
        require(not equal, f"{what}: another seed gives the same points")
        source = generator(0, "kit")
        sampler = subject.build()
        equal = same(sampler.sample(count, 3, source), sampler.sample(count, 3, source))
        require(not equal, f"{what}: drawn twice from one generator, the points are the same")


def check_global_generators(subject: Subject) -> None:
    """The global generators of torch, NumPy and random are left alone."""
    sampler = subject.build()
    with untouched_generators("sample"):
        sampler.sample(16, 3, generator(0))
    with untouched_generators("batch"):
        sampler.batch(4, 6, 2, generator(0))


def check_strata(subject: Subject) -> None:
    """A Latin sampler has exactly one point in each of ``count`` strata of every dimension."""
    _latin(subject)
    for count, dim in _SIZES:
        _strata(_points(subject, count, dim)[None], f"count {count}, dim {dim}")


def check_uniform(subject: Subject) -> None:
    """Each coordinate is about uniform: Kolmogorov and Smirnov's distance is small."""
    points = _points(subject, 256, 3)
    ordered = points.sort(dim=0).values
    ranks = torch.arange(257, dtype=torch.float64)[:, None] / 256
    distance = torch.maximum((ranks[1:] - ordered).amax(0), (ordered - ranks[:-1]).amax(0))
    worst = float(distance.max())
    # Independent uniform points exceed this once in two hundred thousand draws.
    require(worst < 0.16, f"a coordinate is not uniform: distance {worst:.2f} of 256 points")
    pairs = torch.corrcoef(points.T) - torch.eye(3)
    linked = float(pairs.abs().max())
    require(linked < 0.3, f"two coordinates of 256 points have correlation {linked:.2f}")


def check_batch(subject: Subject) -> None:
    """A batch is (targets, count, dim) points in the open cube, others for other targets."""
    points = subject.build().batch(8, 12, 3, generator(0, "kit"))
    _shaped(points, (8, 12, 3), "batch")
    require(points.dtype == torch.float64, f"batch: {points.dtype}, expected float64")
    _inside(points, "batch")
    different = len({tuple(p.flatten().tolist()) for p in points})
    require(different >= 4, f"batch: 8 targets share {different} sets of points")


def check_batch_strata(subject: Subject) -> None:
    """In a batch, a Latin sampler keeps its strata for every target."""
    _latin(subject)
    for count, dim in ((1, 2), (12, 3), (5, 1)):
        points = subject.build().batch(6, count, dim, generator(0, "kit"))
        _strata(points, f"batch, count {count}, dim {dim}")


def _points(subject: Subject, count: int, dim: int, seed: int = 0) -> Tensor:
    points = subject.build().sample(count, dim, generator(seed, "kit"))
    require(isinstance(points, Tensor), f"sample gives {type(points).__name__}")
    return points


def _latin(subject: Subject) -> None:
    latin = getattr(subject.component, "latin", False)
    only_if(latin, "the sampler does not say latin = True")


def _shaped(points: Tensor, expected: tuple[int, ...], what: str) -> None:
    require(tuple(points.shape) == expected, f"{what}: shape {tuple(points.shape)}")


def _inside(points: Tensor, what: str) -> None:
    outside = ~((points > 0) & (points < 1))
    require(not outside.any(), f"{what}: {int(outside.sum())} numbers not inside (0, 1)")


def _strata(points: Tensor, what: str) -> None:
    """points: (targets, count, dim)."""
    count = points.shape[1]
    strata = (points * count).floor().long().sort(dim=1).values
    bad = int((strata != torch.arange(count)[None, :, None]).any(dim=1).sum())
    require(bad == 0, f"{what}: {bad} dimensions have an empty stratum")
