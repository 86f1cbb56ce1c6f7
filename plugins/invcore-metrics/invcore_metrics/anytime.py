"""The best answer within a given time, and within given simulator calls."""

from collections.abc import Iterable

from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric
from invcore.results import anytime, best_within_calls, bootstrap, expected_best


class AnytimeConfig(Config):
    """Settings of ``anytime``."""

    seconds: tuple[float, ...] = Field(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0), description="Times for one target, s."
    )
    calls: tuple[int, ...] = Field(
        (1, 10, 100, 1000), description="Numbers of simulator calls for one target."
    )
    call_s: float = Field(
        0.0,
        ge=0,
        description="Seconds that a simulator call is taken to cost, for a simulator that is not "
        "the run's; 0: as measured.",
    )


class Anytime(Metric[AnytimeConfig]):
    """The expected smallest error that a target has after a time, or after simulator calls.

    The time of T candidates is that to propose and to simulate them; ranked candidates are all
    proposed before the first is known (see ``invcore.anytime``). Fitting is left out. Once a run
    has judged all its candidates, more time brings nothing. Times too short for one candidate
    are left out, and so are more calls than the run made for a target. Within calls, a search has
    what its own calls brought by then, and any other method the best of as many candidates.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (figure 4)
    """

    Config = AnytimeConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """``best-within-0.1s`` and the like, then ``best-within-10-calls`` and the like."""
        evaluation.need_errors()
        total = evaluation.errors.shape[1]
        proposed = evaluation.errors.numel()
        if not proposed:
            return []
        timings = evaluation.timings
        measured = float(timings.get("simulate_s", 0.0)) / proposed
        call, calls = self.config.call_s or measured, evaluation.search_calls
        # What a costlier simulator would have added to a search that asks it
        dearer = max(0, calls) * (call - measured)
        first, last = (
            anytime(
                evaluation.counted,
                ranked=evaluation.ranked,
                propose_s=max(0.0, float(timings.get("propose_s", 0.0)) + dearer),
                call_s=call,
                counts=[count],
                propose_calls=max(0, calls),
            )
            for count in (1, total)
        )
        counts: dict[str, int] = {}
        if timings:
            for seconds in dict.fromkeys(self.config.seconds):
                count = _reached(seconds, float(first.seconds), float(last.seconds), total)
                if count:
                    counts[f"best-within-{seconds:g}s"] = count
        times: list[Estimate] = []
        if counts:
            best = expected_best(evaluation.counted, [*counts.values()], ranked=evaluation.ranked)
            times = _estimates(evaluation, counts, best)
        budgets = tuple(dict.fromkeys(self.config.calls))
        if evaluation.search_calls and evaluation.history is None:
            return times  # nobody knows what its calls have brought
        within = best_within_calls(
            evaluation.counted,
            budgets,
            ranked=evaluation.ranked,
            penalty=evaluation.worst,
            search=evaluation.history if evaluation.search_calls else None,
        )  # (budgets, B)
        made = [i for i, row in enumerate(within) if not bool(row.isnan().any())]
        names = [f"best-within-{budgets[i]}-calls" for i in made]
        return times + _estimates(evaluation, names, within[made])


def _estimates(evaluation: Evaluation, names: Iterable[str], best: Tensor) -> list[Estimate]:
    return [
        Estimate(name, *bootstrap(values, evaluation.generator("anytime")))
        for name, values in zip(names, best, strict=True)
    ]


def _reached(budget: float, first: float, last: float, total: int) -> int:
    """How many of the candidates a budget is enough for, if the first and the last cost so much."""
    if budget < first * (1 - 1e-9):
        return 0
    if budget >= last or total == 1:
        return total
    each = (last - first) / (total - 1)  # all others cost the same
    return min(total, 1 + int((budget - first) / each * (1 + 1e-9)))
