"""Every metric of this package keeps the contract, and says what was computed by hand."""

from dataclasses import replace
from math import erfc, exp, inf, nan, sqrt

import torch

from invcore import Integers, Space, Variable
from invcore.contracts.simulation.call_record import CallRecord
from invcore.plugin import Config, Modes, Task
from invcore.testing import Example, PluginSuite, evaluation


class Switch(Task[Config]):
    """One of three positions; its response says whether it is the middle one."""

    free_calls = True
    designs = Space.of(Variable(name="x", prior=Integers(low=-1, high=1)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return (x == 0).to(x)

    def modes(self, targets, designs):
        two = targets[:, 0] == 0
        label = torch.where(two[:, None], (designs[..., 0] > 0).long(), 0)
        return Modes(two.long() + 1, label)


def switched(targets, candidates):
    """Targets (B,) and candidates (B, K) of the switch."""
    x = torch.tensor(candidates, dtype=torch.float64)[..., None]
    y = torch.tensor(targets, dtype=torch.float64)[:, None]
    return evaluation(y, (x == 0).double(), x, designs=Switch.designs, task=Switch(), seed=3)


# Errors of two targets: 0, 1, 4 and 4, 9, 16.
SQUARES = evaluation(
    targets=[[0.0], [10.0]],
    resimulated=[[[1.0], [0.0], [-2.0]], [[12.0], [13.0], [6.0]]],
)
RANKED = evaluation(
    targets=[[0.0], [10.0]],
    resimulated=[[[1.0], [0.0], [-2.0]], [[12.0], [13.0], [6.0]]],
    ranked=True,
)
# Errors of two targets: 1, none, 9 and none, none, none; what is missing counts as 100 and 144.
LOST = evaluation(
    targets=[[0.0], [10.0]],
    resimulated=[[[1.0], [nan], [3.0]], [[nan], [nan], [nan]]],
    penalty=torch.tensor([100.0, 144.0]),
)


class TestExpectedBest(PluginSuite):
    kind, name = "metric", "r_T"
    settings = {"T": [1, 2, 3], "median": [1]}
    examples = (
        Example(
            SQUARES,
            {
                ("r_T", 1): (5 / 3 + 29 / 3) / 2,
                # Of the pairs of candidates: the smallest of 0, 0, 1 and of 4, 4, 9.
                ("r_T", 2): (1 / 3 + 17 / 3) / 2,
                ("r_T", 3): (0 + 4) / 2,
            },
        ),
        # Ranked candidates: 1, 0, 4 and 4, 9, 16, as they come.
        Example(RANKED, {("r_T", 1): 2.5, ("r_T", 2): 2.0, ("r_T", 3): 2.0}),
        Example(
            LOST,
            {
                ("r_T", 1): (110 / 3 + 144) / 2,
                # Of the pairs of 1, 9 and 100: the smallest are 1, 1 and 9.
                ("r_T", 2): (11 / 3 + 144) / 2,
                ("r_T", 3): (1 + 144) / 2,
                ("r_T-median", 1): (110 / 3 + 144) / 2,
            },
        ),
        # Ranked: the first has none.
        Example(
            replace(LOST, ranked=True, errors=LOST.errors[:, [1, 0, 2]]),
            {("r_T", 1): (100 + 144) / 2, ("r_T", 2): (1 + 144) / 2},
        ),
        # Where nothing else is known of responses, the other targets say what is far.
        Example(replace(LOST, penalty=None), {("r_T", 1): (110 / 3 + 100) / 2}),
    )


class TestResimulationError(PluginSuite):
    kind, name = "metric", "resimulation-error"
    examples = (
        Example(
            SQUARES,
            {
                "resimulation-error": 34 / 6,
                "resimulation-error-median": 4.0,
                # Of 0, 1, 4, 4, 9, 16: the mean square is 370 / 6.
                "resimulation-error-spread": sqrt(370 / 6 - (34 / 6) ** 2),
            },
        ),
        # Of 1, 9, 100 and three times 144.
        Example(
            LOST, {"resimulation-error": (110 / 3 + 144) / 2, "resimulation-error-median": 122.0}
        ),
    )


class TestFailures(PluginSuite):
    kind, name = "metric", "failures"
    examples = (
        Example(SQUARES, {"failed": 0.0, "unanswered": 0.0}),
        Example(LOST, {"failed": (1 / 3 + 1) / 2, "unanswered": 0.5}),
    )


class TestOutOfBounds(PluginSuite):
    kind, name = "metric", "out-of-bounds"
    examples = (
        # Designs between 0 and 1: the ends are inside.
        Example(
            evaluation(
                targets=[[0.0]],
                resimulated=[[[0.0], [0.0], [0.0], [0.0]]],
                candidates=[[[0.0, 0.5], [1.0, 1.0], [1.1, 0.5], [nan, 0.5]]],
            ),
            {"out-of-bounds": 0.5},
        ),
    )


class TestDiversity(PluginSuite):
    kind, name = "metric", "diversity"
    examples = (
        # Two points 0.5 apart; three whose squared distances are 0.16, 0.09 and 0.25.
        Example(
            evaluation(
                targets=[[0.0], [0.0]],
                resimulated=[[[0.0], [0.0], [nan]], [[0.0], [0.0], [0.0]]],
                candidates=[
                    [[0.1, 0.1], [0.4, 0.5], [0.9, 0.9]],
                    [[0.2, 0.2], [0.6, 0.2], [0.2, 0.5]],
                ],
            ),
            {"diversity": (0.5 + sqrt((0.16 + 0.09 + 0.25) / 3)) / 2},
        ),
    )


class TestCost(PluginSuite):
    kind, name = "metric", "cost"
    examples = (
        Example(
            evaluation(
                targets=[[0.0], [10.0]],
                resimulated=[[[0.0]] * 5] * 2,
                timings={"fit_s": 3.0, "propose_s": 0.5, "simulate_s": 0.25},
                simulator_calls=17,
                training_calls=1000,
                parameters=42,
            ),
            {
                "fit-time": 3.0,
                "propose-time": 0.5,
                "simulate-time": 0.25,
                "time-per-1000-candidates": 50.0,
                "simulator-calls": 17.0,
                "training-calls": 1000.0,
                "parameters": 42.0,
            },
        ),
    )


# All posterior samples of target 1 are 0. The three kernels of two points one apart:
APART = sum(a**2 / (a**2 + 1) for a in (0.05, 0.2, 0.9))
TWICE = sum(a**2 / (a**2 + 4) for a in (0.05, 0.2, 0.9))


class TestMmd(PluginSuite):
    kind, name = "metric", "mmd"
    settings = {"scale": "none"}
    examples = (
        # Candidates as the reference: 3 + 3 - 2 * 3. One on either side of it, two apart.
        Example(
            switched([1.0, 1.0], [[0, 0], [1, -1]]),
            {"mmd": (0 + TWICE + 3 - 2 * APART) / 2},
        ),
    )


class TestC2st(PluginSuite):
    kind, name = "metric", "c2st"
    settings = {"steps": 30}
    examples = (
        # Always the same as the reference; never.
        Example(switched([1.0], [[0] * 12]), {"c2st": 0.5, "c2st-neighbours": 0.5}),
        Example(switched([1.0], [[1] * 12]), {"c2st": 1.0, "c2st-neighbours": 1.0}),
    )


class TestSbc(PluginSuite):
    kind, name = "metric", "sbc"
    examples = (
        # Ranks of 10 truths among one candidate: 8 times above it, so bins of 2 and 8. Pearson's
        # statistic is 9 / 5 + 9 / 5 with one degree of freedom.
        Example(
            evaluation(
                targets=[[0.0]] * 10,
                resimulated=[[[0.0]]] * 10,
                candidates=[[[0.5]]] * 10,
                truth=torch.tensor([[0.1]] * 2 + [[0.9]] * 8),
            ),
            {"sbc-p": erfc(sqrt(3.6 / 2)), "sbc-deviation": 0.3},
        ),
    )


class TestTarp(PluginSuite):
    kind, name = "metric", "tarp"
    examples = (
        # 21 truths at 1 and two candidates of each at 0. Around a candidate the other one is
        # nearer: rank 1 of 1, 21 times, and Pearson's statistic is 21 with one degree of freedom.
        # Around another truth all candidates are farther: rank 0 of 2, 20 times in three bins, and
        # the statistic is 40 with two degrees.
        Example(
            evaluation(
                targets=[[0.0]] * 21,
                resimulated=[[[0.0], [0.0]]] * 21,
                candidates=[[[0.0], [0.0]]] * 21,
                truth=torch.ones(21, 1),
            ),
            {"tarp-p": 3 * exp(-20), "tarp-deviation": 2 / 3, "tarp-excess": -0.25},
        ),
    )


class TestLocalC2st(PluginSuite):
    kind, name = "metric", "l-c2st"
    examples = (
        # Nobody can tell candidates that are the truth from it, whatever the labels.
        Example(
            evaluation(
                targets=[[float(i % 3)] for i in range(20)],
                resimulated=[[[0.0]] * 4] * 20,
                candidates=[[[float(i % 5)]] * 4 for i in range(20)],
                truth=torch.arange(20.0)[:, None] % 5,
            ),
            {"l-c2st": 0.0, "l-c2st-p": 1.0, "l-c2st-rejected": 0.0},
        ),
        # Always at 0, and the truth at 1: the true labels alone are learnt, of a hundred.
        Example(
            evaluation(
                targets=[[float(i % 3)] for i in range(20)],
                resimulated=[[[0.0]] * 4] * 20,
                candidates=[[[0.0]] * 4] * 20,
                truth=torch.ones(20, 1),
            ),
            {"l-c2st-p": 0.01, "l-c2st-rejected": 1.0},
        ),
    )


class TestLogLikelihood(PluginSuite):
    kind, name = "metric", "log-likelihood"
    examples = (
        Example(
            evaluation(
                targets=[[0.0]] * 3,
                resimulated=[[[0.0]]] * 3,
                log_density=torch.tensor([-1.0, -1.5, -5.0]),
            ),
            {"log-likelihood": -2.5},
        ),
        # No number is no better than the truth being impossible.
        Example(
            evaluation(
                targets=[[0.0]] * 3,
                resimulated=[[[0.0]]] * 3,
                log_density=torch.tensor([-1.0, nan, -4.0]),
            ),
            {"log-likelihood": -inf},
        ),
    )


class TestModeRecall(PluginSuite):
    kind, name = "metric", "mode-recall"
    examples = (
        # Two, one and two modes; found are one (the other candidates are wrong), one and both.
        Example(
            switched([0.0, 1.0, 0.0], [[1, 1, 0], [0, 1, -1], [0, 1, -1]]),
            {"mode-recall": (1 / 2 + 1 + 1) / 3, "modes": 5 / 3},
        ),
    )


class TestAnytime(PluginSuite):
    kind, name = "metric", "anytime"
    settings = {"seconds": [0.5, 1.0, 2.5, 100.0], "calls": [1, 2, 5]}
    examples = (
        # Six proposals took 3 s and their simulations 3 s: 1 s each. Errors: see SQUARES.
        Example(
            replace(SQUARES, timings={"propose_s": 3.0, "simulate_s": 3.0}, simulator_calls=6),
            {
                "best-within-1s": (5 / 3 + 29 / 3) / 2,
                "best-within-2.5s": (1 / 3 + 17 / 3) / 2,
                "best-within-100s": 2.0,
                "best-within-1-calls": (5 / 3 + 29 / 3) / 2,
                "best-within-2-calls": (1 / 3 + 17 / 3) / 2,
            },
        ),
        # Ranked: 1.5 s for the three proposals of a target, then 0.5 s for each of them.
        Example(
            replace(RANKED, timings={"propose_s": 3.0, "simulate_s": 3.0}, simulator_calls=6),
            {"best-within-2.5s": 2.0, "best-within-100s": 2.0, "best-within-1-calls": 2.5},
        ),
    )


def called(*rows, wanted=(0.0, 10.0), cost=1):
    """An evaluation whose calls were these: pairs of a target's place, or None, and a response."""
    record = CallRecord(torch.tensor(wanted)[:, None], 1.0)
    for place, response in rows:
        target = None if place is None else torch.tensor([place])
        record.add(torch.tensor([[response]]), target, cost=cost)
    return replace(SQUARES, history=record.history(), search_calls=len(rows))


class TestCallsTo(PluginSuite):
    kind, name = "metric", "calls-to"
    settings = {"levels": [1.0, 1e-2, 1e-12]}
    examples = (
        # The first target's errors are 4, 0.25, 0; the second one's 4, 1 and never less.
        Example(
            called((0, 2.0), (1, 12.0), (0, 0.5), (1, 11.0), (0, 0.0), (1, 14.0), (1, 11.0)),
            {
                "calls-to-1e+00": 2.0,
                "calls-to-1e+00-solved": 1.0,
                "calls-to-1e-02": inf,
                "calls-to-1e-02-q90": inf,
                "calls-to-1e-02-solved": 0.5,
                "calls-to-1e-12-solved": 0.5,
            },
        ),
        # A row with its gradient is two calls here.
        Example(called((0, 0.0), (1, 11.0), (1, 10.0), cost=2), {"calls-to-1e-12": 3.0}),
        # Rows for all: the first target's fourth call and the second one's third, of two targets.
        Example(
            called((None, 5.0), (None, 4.0), (None, 10.0), (None, 0.0)),
            {"shared-calls-to-1e-12": 1.75, "shared-calls-to-1e-12-q90": 2.0},
        ),
    )
