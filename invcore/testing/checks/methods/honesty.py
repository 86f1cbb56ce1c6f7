"""Checks of methods: answers that mean something, and no looking where one must not."""

from invcore.scoring.errors import squared_error
from invcore.testing.cases.comparison import same, same_mappings
from invcore.testing.cases.component_under_test import MethodSubject
from invcore.testing.cases.sealed_split import sealed_runs
from invcore.testing.check import require


def check_beats_ignoring_the_target(subject: MethodSubject) -> None:
    """Candidates fit their own target better than another's, and better than random designs."""
    for question in subject.ask_both(24, 8):
        train = question.case.train
        scale = train.y.std(dim=0)
        targets = question.targets.y / scale
        y = question.responses(question.designs()) / scale
        drawn = train.y[: 24 * 8].unflatten(0, (24, 8)) / scale
        own = float(squared_error(y, targets).nanmean())
        others = float(squared_error(y, targets.roll(1, dims=0)).nanmean())
        blind = float(squared_error(drawn, targets).mean())
        text = f"the error for their own targets ({own:.3g}) is hardly below that for other targets"
        question.require(own < 0.8 * others, f"{text} ({others:.3g}): the target is ignored")
        fault = f"the error ({own:.3g}) is hardly below that of random designs ({blind:.3g})"
        question.require(own < 0.8 * blind, fault)


def check_test_split_unopened(subject: MethodSubject) -> None:
    """Nothing reaches for the test split before candidates are scored; no answer depends on it."""
    first, other_targets, other_designs = sealed_runs(subject)
    for run, what in ((other_targets, "another test split"), (other_designs, "other test designs")):
        changed = [name for name in same_mappings(first, run) if name != "x"]
        names = ", ".join(name.removeprefix("model.") for name in changed[:3])
        require(not changed, f"{what} gives another fit ({names} of the state differ)")
    fault = "other test designs with the same responses give other candidates: propose knows them"
    require(same(first["x"], other_designs["x"]), fault)
