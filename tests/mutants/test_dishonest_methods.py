"""Dishonest methods: each is caught by the check that is meant for it, and told how to mend it."""

from __future__ import annotations

import pytest

from invcore.testing import CHECKS, Subject, run_checks
from tests.mutants import dishonest_methods as bad
from tests.mutants.reference_methods import HonestSimulations, Kernels

AGAIN = "test-split-unopened", "same-seed"  # they fit twice, and compare

# The check meant for it, and a part of what that says; then others that cannot but fail with it.
MUTANTS = [
    (bad.KeepsItsModel, "restores-elsewhere", "restored in a fresh process, the model fails", []),
    (bad.KeepsAnOffset, "restores-elsewhere", "state() must hold all that restore needs", []),
    (bad.WarmStarts, "earlier-fits", "fit must begin anew", [*AGAIN]),
    (bad.CollectsPairs, "earlier-fits", "fit must begin anew", [*AGAIN]),
    (bad.RemembersTheFirstFit, "earlier-fits", "in a fresh process the same fit", []),
    (
        bad.SharesItsNetwork,
        "earlier-fits",
        "a later fit changes what the model of an",
        ["restores-elsewhere"],
    ),
    (bad.RebuildsTheTestSplit, "test-split-unopened", "the task's dataset was called", []),
    (bad.DrawsTheTestPairs, "test-split-unopened", "the seed of the test pairs is derived", []),
    (bad.DerivesTheTestDesigns, "test-split-unopened", "the seed of the test pairs", []),
    (bad.WalksTheHeap, "test-split-unopened", "other test designs", []),
    (bad.FollowsTheFirstPoint, "points-matter", "points[:, k] drives the k-th candidate", []),
    (bad.FollowsTheMean, "points-matter", "changes other candidates than the k-th", []),
    (bad.Exaggerates, "predictions", "predicted is in the responses' own units", []),
    (bad.PromisesTheTarget, "predicted-misses", "not what is wanted", []),
    (bad.TwiceTooDense, "density", "is the Jacobian of the scaling, or a constant, left out", []),
    (bad.ForgetsTheJacobian, "density", "is the Jacobian of the scaling, or a constant", []),
    (bad.DenseForAll, "density", "is the target used", []),
    (bad.KeepsReferences, "arguments-not-kept", "keep copies, as by clone()", []),
    (bad.ScalesPairsLater, "arguments-unchanged", "propose writes into y", ["..."]),
    (bad.ChangesItsConfig, "arguments-unchanged", "the config was changed", []),
    (bad.HandsOutItsTargets, "arguments-not-kept", "give copies", ["predicted-misses"]),
    (bad.RollsTheAttribution, "calls-recorded", "target= is the place of each row's target", []),
    (bad.SpendsTheGradientsCalls, "calls-recorded", "call that one alone", []),
    (
        bad.AsksTheJudge,
        "simulator-budget",
        "call the simulator itself",
        ["calls-recorded", "test-split-unopened"],
    ),
]


def failing(component):
    outcomes = run_checks(CHECKS["method"], Subject.of("method", "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}


@pytest.mark.parametrize("component", [Kernels, HonestSimulations, bad.Searches])
def test_the_good_ones_pass(component):
    assert failing(component) == {}


@pytest.mark.parametrize(
    ("component", "check", "says", "others"), MUTANTS, ids=[m[0].__name__ for m in MUTANTS]
)
def test_each_bad_one_is_caught(component, check, says, others):
    found = failing(component)
    assert check in found, found
    assert says in found[check]
    assert found[check].isprintable()
    assert "..." in others or set(found) == {check, *others}, found
