"""Every metric of this package keeps the contract, and says what was computed by hand."""

from math import nan, sqrt

from invcore.testing import Example, PluginSuite, evaluation

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
# Errors of two targets: 1, none, 9 and none, none, none.
LOST = evaluation(
    targets=[[0.0], [10.0]],
    resimulated=[[[1.0], [nan], [3.0]], [[nan], [nan], [nan]]],
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
        # The second target has no answer, and is left out.
        Example(LOST, {("r_T", 1): 5.0, ("r_T", 3): 1.0, ("r_T-median", 1): 5.0}),
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
        Example(LOST, {"resimulation-error": 5.0, "resimulation-error-spread": 4.0}),
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
                parameters=42,
            ),
            {
                "fit-time": 3.0,
                "propose-time": 0.5,
                "simulate-time": 0.25,
                "time-per-1000-candidates": 50.0,
                "simulator-calls": 17.0,
                "parameters": 42.0,
            },
        ),
    )
