"""Checks of metrics: numbers that a record can hold, and that mean what they say."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import torch
from torch import Tensor

from invcore.contracts.metric import Estimate, Evaluation, Metric
from invcore.storage.run_record import MetricRecord
from invcore.testing.cases.comparison import global_seed, unchanged, untouched_generators
from invcore.testing.cases.evaluations import label, sample_evaluation
from invcore.testing.cases.subjects import Subject
from invcore.testing.check import Check, CheckFailed, NotApplicable, require


def check_estimates(subject: Subject) -> None:
    """A list of Estimates comes back, at least one, no two of one name and T."""
    found = _measure(subject, sample_evaluation())
    require(bool(found), "measure gives no estimate, though the evaluation has all that it can")
    names = [label(estimate) for estimate in found]
    require(all(e.name and e.name == e.name.strip() for e in found), "an estimate has no name")
    twice = sorted({str(n) for n in names if names.count(n) > 1})
    require(not twice, f"two estimates are called {', '.join(twice)}")


def check_names_fixed(subject: Subject) -> None:
    """The names do not depend on the values: another run has the same ones."""
    first = {label(e) for e in _measure(subject, sample_evaluation())}
    for what, other in (
        ("another run", sample_evaluation(seed=1)),
        ("a run with failures", sample_evaluation(failed=True)),
        ("a ranked run", sample_evaluation(ranked=True)),
    ):
        names = {label(e) for e in _measure(subject, other)}
        odd = ", ".join(sorted(map(str, first ^ names)))
        require(names == first, f"{what} has other names: {odd}")


def check_evaluation_unchanged(subject: Subject) -> None:
    """The evaluation's tensors are as before."""
    seen = sample_evaluation(failed=True)
    with unchanged(
        "measure",
        targets=seen.targets,
        candidates=seen.candidates,
        resimulated=seen.resimulated,
        errors=seen.errors,
        predicted=seen.predicted,
    ):
        _measure(subject, seen)


def check_repeats(subject: Subject) -> None:
    """The same evaluation gives the same numbers; global generators are left alone."""
    seen = sample_evaluation()
    with untouched_generators("measure"):
        first = _measure(subject, seen)
    with global_seed(99):
        again = _measure(subject, seen)
    require(
        repr(first) == repr(again),
        "measured twice, the numbers differ: draw from evaluation.generator(...)",
    )


def check_failed_candidates(subject: Subject) -> None:
    """Candidates without a response, and targets with none at all, are taken."""
    seen = sample_evaluation(failed=True)
    for estimate in _measure(subject, seen):
        require(
            math.isfinite(estimate.value),
            f"{estimate.name} is {estimate.value} as soon as some candidates have no response",
        )
    lost = torch.full_like(seen.resimulated, torch.nan)
    _measure(subject, replace(seen, resimulated=lost, errors=lost[..., 0], predicted=None))


def check_one_target_one_candidate(subject: Subject) -> None:
    """B = 1 and K = 1 are taken; a metric that needs more gives no estimates."""
    for targets, count in ((1, 1), (1, 8), (12, 1)):
        _measure(subject, sample_evaluation(targets, count))


def check_missing_facts(subject: Subject) -> None:
    """Without a task, a truth, a density or an order it gives numbers, or no estimates."""
    seen = sample_evaluation()
    bare = replace(seen, task=None, truth=None, log_density=None, order=None, predicted=None)
    for estimate in _measure(subject, bare):
        require(
            math.isfinite(estimate.value),
            f"{estimate.name} is {estimate.value} where what it needs is missing: leave it out",
        )


def check_intervals(subject: Subject) -> None:
    """An interval has two ends, and its value between them."""
    for seen in (sample_evaluation(), sample_evaluation(failed=True), sample_evaluation(1, 1)):
        for e in _measure(subject, seen):
            ends = (e.ci_low, e.ci_high)
            if ends == (None, None):
                continue
            require(None not in ends, f"{e.name}: an interval with one end")
            assert e.ci_low is not None and e.ci_high is not None
            if math.isnan(e.value):
                continue
            slack = 1e-9 * (abs(e.value) + abs(e.ci_low) + abs(e.ci_high)) + 1e-300
            require(
                e.ci_low - slack <= e.value <= e.ci_high + slack,
                f"{e.name}: {e.value:.6g} is not in its interval {e.ci_low:.6g} .. {e.ci_high:.6g}",
            )


def check_recorded(subject: Subject) -> None:
    """The run's record takes the estimates, and gives them back from JSON."""
    for e in _measure(subject, sample_evaluation(failed=True)):
        plain = {
            k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(e).items()
        }
        try:
            record = MetricRecord.parse(plain, where=f"estimate {e.name!r}")
            json.dumps(record.model_dump(mode="json"), allow_nan=False)
        except ValueError as error:
            raise CheckFailed(str(error)) from None


def check_candidate_order(subject: Subject) -> None:
    """If candidates are exchangeable, their order does not matter."""
    seen = sample_evaluation(failed=True)
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(seen.errors.shape, generator=generator).argsort(dim=1)  # (B, K)

    def mixed(values: Tensor) -> Tensor:
        return values.gather(1, order[..., None].expand_as(values))

    assert seen.predicted is not None and seen.order is not None
    turned = replace(
        seen,
        candidates=mixed(seen.candidates),
        resimulated=mixed(seen.resimulated),
        errors=seen.errors.gather(1, order),
        predicted=mixed(seen.predicted),
        order=order.argsort(dim=1).gather(1, seen.order),  # the same candidates, where they are now
    )
    _same_values(subject, seen, turned, "with the candidates in another order")


def check_target_order(subject: Subject) -> None:
    """The order of the targets does not matter."""
    seen = sample_evaluation(failed=True)
    assert seen.predicted is not None and seen.order is not None
    assert seen.truth is not None and seen.log_density is not None
    turned = replace(
        seen,
        targets=seen.targets.flip(0),
        candidates=seen.candidates.flip(0),
        resimulated=seen.resimulated.flip(0),
        errors=seen.errors.flip(0),
        predicted=seen.predicted.flip(0),
        order=seen.order.flip(0),
        truth=seen.truth.flip(0),
        log_density=seen.log_density.flip(0),
    )
    _same_values(subject, seen, turned, "with the targets in another order")


def check_hand_computed(subject: Subject) -> None:
    """The numbers are those that were computed by hand: ``examples`` of the test class."""
    if subject.examples is None:
        raise NotApplicable("no examples here: they are in the plugin's tests (PluginSuite)")
    require(
        bool(subject.examples),
        "no examples: give the test class examples = (Example(evaluation(...), {...}),)",
    )
    for number, example in enumerate(subject.examples, start=1):
        found = {label(e): e.value for e in _measure(subject, example.evaluation)}
        require(bool(example.expected), f"example {number} expects nothing")
        for name, value in example.expected.items():
            if name not in found:
                known = ", ".join(map(str, found))
                raise CheckFailed(f"example {number}: no estimate {name!r}; there are {known}")
            both = math.isnan(value) and math.isnan(found[name])
            close = math.isclose(
                value, found[name], rel_tol=example.tolerance, abs_tol=example.tolerance
            )
            require(
                both or close, f"example {number}: {name} is {found[name]!r}, expected {value!r}"
            )


def _measure(subject: Subject, seen: Evaluation) -> list[Estimate]:
    metric = subject.build()
    require(isinstance(metric, Metric), f"{subject.name} is no Metric")
    found = metric.measure(seen)
    fine = isinstance(found, list) and all(isinstance(e, Estimate) for e in found)
    require(fine, "measure gives no list of Estimates")
    return list(found)


def _same_values(subject: Subject, a: Evaluation, b: Evaluation, when: str) -> None:
    """Values must agree; intervals are drawn, and may differ."""
    for first, second in zip(_measure(subject, a), _measure(subject, b), strict=True):
        equal = math.isclose(first.value, second.value, rel_tol=1e-6, abs_tol=1e-12)
        neither = math.isnan(first.value) and math.isnan(second.value)
        require(
            equal or neither, f"{when}, {first.name} is {second.value:.6g}, not {first.value:.6g}"
        )


METRIC_CHECKS = tuple(
    Check.of(function)
    for function in (
        check_estimates,
        check_names_fixed,
        check_evaluation_unchanged,
        check_repeats,
        check_failed_candidates,
        check_one_target_one_candidate,
        check_missing_facts,
        check_intervals,
        check_recorded,
        check_candidate_order,
        check_target_order,
        check_hand_computed,
    )
)
