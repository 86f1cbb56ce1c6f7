"""What a run costs."""

from invcore.plugin import Config, Estimate, Evaluation, Metric


class Cost(Metric[Config]):
    """Seconds of each stage, simulator calls, and numbers in the fitted model's state.

    Calls for the pairs that a method learns from are counted apart: they are made once for all
    targets, whereas the others grow with them.
    """

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Facts without intervals."""
        seconds = [
            Estimate(name.removesuffix("_s") + "-time", float(value), unit="s")
            for name, value in evaluation.timings.items()
        ]
        proposed = evaluation.errors.numel()
        spent = float(evaluation.timings.get("propose_s", 0.0))
        rate = 1000.0 * spent / proposed if proposed else float("nan")
        return [
            *seconds,
            Estimate("time-per-1000-candidates", rate, unit="s"),
            Estimate("simulator-calls", float(evaluation.simulator_calls)),
            Estimate("training-calls", float(evaluation.training_calls)),
            Estimate("parameters", float(evaluation.parameters)),
        ]
