"""Runs on these tasks: methods learn that they are stochastic, and observations are judged."""

import invcore
from invcore.plugin import installed
from invcore.runs.plan import Plan, problem_of

METRICS = {"mmd": False, "c2st": False, "c2st-reference": {"most": 60, "folds": 2}}
SMALL = {"pairs": 100, "candidates": 60, "targets": 4, "sampler": "random", "preset": "quick"}


def config(task, method="mdn"):
    return invcore.RunConfig.resolve({"task": task, "method": method, "metrics": METRICS, **SMALL})


def test_methods_are_told_that_responses_are_draws():
    plan = Plan.of(config("two-moons"), installed())
    assert problem_of(plan).stochastic
    assert not problem_of(Plan.of(config("sine-wave"), installed())).stochastic


def test_observations_are_the_targets_and_each_has_its_figure(reference):
    own = config({"name": "gaussian-linear", "observations": [2, 1]})
    record = invcore.run(own, keep_going=False)
    values = [record.metric(f"c2st-reference-{number}").number for number in (2, 1)]
    assert all(0.4 < value <= 1 for value in values)
    assert record.metric("c2st-reference").number == sum(values) / 2


def test_without_observations_a_run_says_why_it_has_no_such_figure():
    record = invcore.run(config("two-moons"), keep_going=False)
    assert record.status == "ok" and "c2st-reference" not in {m.name for m in record.metrics}
    assert "task.observations" in record.scoring["c2st-reference"].reason
