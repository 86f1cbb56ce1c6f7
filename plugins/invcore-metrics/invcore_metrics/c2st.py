"""Classifier two-sample tests between candidates and posterior samples."""

from invcore.plugin import Estimate, Evaluation, Field, Metric
from invcore.results import bootstrap
from invcore_metrics.classifier import network_accuracy
from invcore_metrics.neighbours import neighbour_accuracy
from invcore_metrics.posterior import PosteriorConfig, posterior_samples


class C2stConfig(PosteriorConfig):
    """Settings of ``c2st``."""

    most: int = Field(
        256, ge=2, description="Candidates of a target that are compared; drawn from more."
    )
    folds: int = Field(2, ge=2, description="Folds of the network's cross-validation.")
    width: int = Field(16, ge=1, description="Width of the network's two hidden layers.")
    steps: int = Field(60, ge=1, description="Training steps of the network.")
    neighbours: int = Field(5, ge=1, description="Neighbours that vote in c2st-neighbours.")


class C2st(Metric[C2stConfig]):
    """How well a classifier tells the candidates of a target from posterior samples.

    ``c2st`` is the cross-validated accuracy of a small network, ``c2st-neighbours`` the
    leave-one-out accuracy of the nearest neighbours: the network sees smooth differences best,
    the neighbours thin solution sets. 0.5: they look the same; 1: they have nothing in common,
    which a target counts as that has too few candidates to tell.

    References:
        Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545;
        Lueckmann et al., AISTATS 2021, https://arxiv.org/abs/2101.04653
    """

    Config = C2stConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Means over targets with reference samples; nothing where there are none."""
        own = self.config
        samples = posterior_samples(evaluation, own)
        if samples is None:
            return []
        generator = evaluation.generator("c2st")
        network = network_accuracy(
            samples.candidates,
            samples.reference,
            generator,
            folds=own.folds,
            width=own.width,
            steps=own.steps,
        )
        near = neighbour_accuracy(samples.candidates, samples.reference, own.neighbours)
        if evaluation.errors.shape[1] < own.folds:
            return []
        return [
            Estimate(name, *bootstrap(values.nan_to_num(nan=1.0), evaluation.generator(name)))
            for name, values in (("c2st", network), ("c2st-neighbours", near))
        ]
