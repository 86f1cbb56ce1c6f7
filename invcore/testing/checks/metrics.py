"""Checks of metrics: numbers that a record can hold, and that mean what they say."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, fields, replace

import torch
from torch import Tensor

from invcore.base.errors import UnfitError
from invcore.base.seeding import isolated
from invcore.contracts.metric import Estimate, Evaluation, Metric
from invcore.storage.run_record import MetricRecord
from invcore.testing.cases.comparison import unchanged, untouched_generators
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.evaluations import label, sample_evaluation
from invcore.testing.check import CheckFailed, NotApplicable, require


def check_estimates(subject: Subject) -> None:
    """A list of Estimates comes back, at least one, no two of one name and T."""
    estimates = _measure(subject, sample_evaluation())
    estimates = estimates or _measure(subject, sample_evaluation(wishes=True))
    require(bool(estimates), "measure gives no estimate, though the evaluation has all that it can")
    names = [label(estimate) for estimate in estimates]
    require(all(e.name and e.name == e.name.strip() for e in estimates), "an estimate has no name")
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
    evaluation = sample_evaluation(failed=True)
    with unchanged("measure", **_tensors(evaluation)):
        _measure(subject, evaluation)


def check_repeats(subject: Subject) -> None:
    """The same evaluation gives the same numbers; global generators are left alone."""
    evaluation = sample_evaluation()
    with untouched_generators("measure"):
        first = repr(_measure(subject, evaluation))
    with isolated(99):
        again = repr(_measure(subject, evaluation))
    fault = "measured twice, the numbers differ: draw from evaluation.generator(...)"
    require(first == again, fault)


def check_failed_candidates(subject: Subject) -> None:
    """Candidates without a response, and targets with none at all, are taken."""
    evaluation = sample_evaluation(failed=True)
    _no_nan(_measure(subject, evaluation), "as soon as some candidates have no response")
    lost = torch.full_like(evaluation.resimulated, torch.nan)
    _measure(subject, replace(evaluation, resimulated=lost, errors=lost[..., 0], predicted=None))


def check_one_target_one_candidate(subject: Subject) -> None:
    """B = 1 and K = 1 are taken; a metric that needs more gives no estimates."""
    for targets, count in ((1, 1), (1, 8), (12, 1)):
        _measure(subject, sample_evaluation(targets, count))


def check_missing_facts(subject: Subject) -> None:
    """Without a task, a truth, a density, an order or a history: numbers, or no estimates."""
    evaluation = sample_evaluation()
    bare = replace(
        evaluation, task=None, truth=None, log_density=None, order=None, predicted=None,
        history=None, penalty=None, variance=None,
    )  # fmt: skip
    _no_nan(_measure(subject, bare), "where what it needs is missing: leave it out")


def check_wishes(subject: Subject) -> None:
    """Where intervals and goals are wanted instead of exact responses: numbers, or none."""
    for sample in (
        sample_evaluation(wishes=True), sample_evaluation(wishes=True, failed=True),
        sample_evaluation(1, 1, wishes=True), sample_evaluation(wishes=True, ranked=True),
    ):  # fmt: skip
        with unchanged("measure", **_tensors(sample)):
            estimates = _measure(subject, sample)
        if len(sample.errors) > 1:
            _no_nan(
                estimates,
                "where intervals are wanted: evaluation.need_exact() is for metrics that compare "
                "with exact responses",
            )
        again = repr(_measure(subject, sample))
        require(again == repr(estimates), "measured twice, the numbers differ")


def check_intervals(subject: Subject) -> None:
    """An interval has two ends, and its value between them."""
    for sample in (
        sample_evaluation(), sample_evaluation(failed=True), sample_evaluation(1, 1),
        sample_evaluation(wishes=True),
    ):  # fmt: skip
        for e in _measure(subject, sample):
            ends = [end for end in (e.ci_low, e.ci_high) if end is not None]
            require(len(ends) != 1, f"{e.name}: an interval with one end")
            if not ends or math.isnan(e.value):
                continue
            low, high = ends
            slack = 1e-9 * (abs(e.value) + abs(low) + abs(high)) + 1e-300
            fault = f"{e.value:.6g} is not in its interval {low:.6g} .. {high:.6g}"
            require(low - slack <= e.value <= high + slack, f"{e.name}: {fault}")


def check_recorded(subject: Subject) -> None:
    """The run's record takes the estimates, and gives them back from JSON."""
    for e in _measure(subject, sample_evaluation(failed=True)):
        plain = {
            k: None if isinstance(v, float) and not math.isfinite(v) else v
            for k, v in asdict(e).items()
        }
        try:
            record = MetricRecord.parse(plain, where=f"estimate {e.name!r}")
            json.dumps(record.model_dump(mode="json"), allow_nan=False)
        except ValueError as error:
            raise CheckFailed(str(error)) from None


def check_candidate_order(subject: Subject) -> None:
    """If candidates are exchangeable, their order does not matter."""
    evaluation = sample_evaluation(failed=True)
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(evaluation.errors.shape, generator=generator).argsort(dim=1)  # (B, K)
    target = torch.arange(len(order))[:, None]
    turned = {
        name: values[target, order]
        for name, values in _tensors(evaluation).items()
        if name in ("candidates", "resimulated", "errors", "predicted")
    }
    # the same candidates, where they are now
    turned["order"] = order.argsort(dim=1).gather(1, _tensors(evaluation)["order"])
    _same_values(subject, evaluation, turned, "with the candidates in another order")


def check_target_order(subject: Subject) -> None:
    """The order of the targets does not matter."""
    evaluation = sample_evaluation(failed=True)
    tensors = _tensors(evaluation)
    turned = {name: values.flip(0) for name, values in tensors.items() if name != "variance"}
    _same_values(subject, evaluation, turned, "with the targets in another order")


def check_hand_computed(subject: Subject) -> None:
    """The numbers are those that were computed by hand: ``examples`` of the test class."""
    if subject.examples is None:
        raise NotApplicable("no examples here: they are in the plugin's tests (PluginSuite)")
    fault = "no examples: give the test class examples = (Example(evaluation(...), {...}),)"
    require(bool(subject.examples), fault)
    for number, example in enumerate(subject.examples, start=1):
        values = {label(e): e.value for e in _measure(subject, example.evaluation)}
        require(bool(example.expected), f"example {number} expects nothing")
        for name, value in example.expected.items():
            if name not in values:
                names = ", ".join(map(str, values))
                raise CheckFailed(f"example {number}: no estimate {name!r}; there are {names}")
            equal = _close(value, values[name], example.tolerance, example.tolerance)
            require(equal, f"example {number}: {name} is {values[name]!r}, expected {value!r}")


def _measure(subject: Subject, evaluation: Evaluation) -> list[Estimate]:
    metric = subject.build()
    require(isinstance(metric, Metric), f"{subject.name} is no Metric")
    try:
        estimates = metric.measure(evaluation)
    except UnfitError:  # it says that it has nothing to say of such a run
        return []
    fine = isinstance(estimates, list) and all(isinstance(e, Estimate) for e in estimates)
    require(fine, "measure gives no list of Estimates")
    return list(estimates)


def _tensors(evaluation: Evaluation) -> dict[str, Tensor]:
    """All of an evaluation's tensors, by name."""
    values = {f.name: getattr(evaluation, f.name) for f in fields(evaluation)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _no_nan(estimates: Iterable[Estimate], when: str) -> None:
    for e in estimates:
        require(not math.isnan(e.value), f"{e.name} is {e.value} {when}")


def _close(a: float, b: float, relative: float, absolute: float) -> bool:
    """About equal, or both NaN."""
    return math.isclose(a, b, rel_tol=relative, abs_tol=absolute) or (a != a and b != b)


def _same_values(subject: Subject, a: Evaluation, turned: dict[str, Tensor], when: str) -> None:
    """Values must agree; intervals are drawn, and may differ."""
    again = _measure(subject, replace(a, **turned))  # type: ignore[arg-type]
    for first, second in zip(_measure(subject, a), again, strict=True):
        equal = _close(first.value, second.value, 1e-6, 1e-12)
        require(equal, f"{when}, {first.name} is {second.value:.6g}, not {first.value:.6g}")
