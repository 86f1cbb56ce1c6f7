"""The task and the metric keep their contracts."""

from math import nan

from invcore.testing import Example, PluginSuite, evaluation


class TestCrystal(PluginSuite):
    kind, name = "task", "crystal-mos2"


# Targets 0, 0.5 and 1.5 eV. Off by: 0, 0.05, 0.2; 0.1, -, 0.3; 1.5, 1.6, 1.7. What is missing is
# as far off as the farthest other response that is known, here a target 1 eV away.
SEEN = evaluation(
    [[0.0], [0.5], [1.5]],
    [[[0.0], [0.05], [0.2]], [[0.6], [nan], [0.2]], [[0.0], [3.1], [3.2]]],
)


class TestHits(PluginSuite):
    kind, name = "metric", "hits"
    examples = (
        Example(
            SEEN,
            {
                "hits": (2 / 3 + 1 / 3 + 0) / 3,
                "hits-semiconductor": (1 / 3 + 0) / 2,
                "gap-error": (0.25 / 3 + 1.4 / 3 + 4.8 / 3) / 3,
            },
        ),
        Example(
            evaluation([[0.05]], [[[0.0], [0.2]]]),  # a metal hits: none that no metal hits
            {"hits": 0.5, "hits-semiconductor": nan, "gap-error": 0.1},
        ),
    )


class TestNarrowHits(PluginSuite):
    kind, name = "metric", "hits"
    settings = {"tolerance": 0.04}
    examples = (
        Example(SEEN, {"hits": 1 / 9, "hits-semiconductor": 0.0}),
        Example(evaluation([[0.05]], [[[0.05], [0.2]]]), {"hits-semiconductor": 0.5}),
    )
