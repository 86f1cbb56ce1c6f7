"""The classifier two-sample test between candidates and reference posteriors."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric, Task, UnfitError
from invcore.results import bootstrap
from invcore_sbibm.reference_files import reference_samples
from invcore_sbibm.stochastic_task import StochasticTask


class C2stReferenceConfig(Config):
    """Settings of ``c2st-reference``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"quick": {"most": 1000}}

    most: int = Field(
        10_000, ge=10, description="Candidates of an observation that are compared, at most."
    )
    folds: int = Field(5, ge=2, description="Folds of the classifier's cross-validation.")


def c2st(reference: Tensor, candidates: Tensor, folds: int = 5, seed: int = 1) -> float:
    """Accuracy at telling two samples apart, as the benchmark computes it.

    Both are standardised by the first; scikit-learn's perceptron, with two hidden layers of 10 D,
    is cross-validated on all rows together.

    References:
        Lueckmann et al., AISTATS 2021, https://arxiv.org/abs/2101.04653

    Args:
        reference: (S, D).
        candidates: (S, D), as many, for which half is chance.
        folds: of the cross-validation.
        seed: of the classifier and of the folds.

    Example:
        >>> here = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
        >>> c2st(here, here + 30.0)
        1.0
    """
    import numpy as np
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neural_network import MLPClassifier

    reference, candidates = reference.float(), candidates.float()  # as theirs are
    centre, spread = reference.mean(dim=0), reference.std(dim=0)
    spread = torch.where(spread > 0, spread, 1.0)
    rows = ((torch.cat((reference, candidates)) - centre) / spread).cpu().numpy()
    labels = np.repeat([0.0, 1.0], [len(reference), len(candidates)])
    width = 10 * rows.shape[1]
    classifier = MLPClassifier(
        hidden_layer_sizes=(width, width), max_iter=10_000, random_state=seed
    )
    parts = KFold(n_splits=folds, shuffle=True, random_state=seed)
    return float(cross_val_score(classifier, rows, labels, cv=parts, scoring="accuracy").mean())


class C2stReference(Metric[C2stReferenceConfig]):
    """How well a classifier tells candidates from samples of the benchmark's reference posterior.

    0.5: they look the same; 1: they have nothing in common. Of each observation as many candidates,
    the first ones, are compared as reference samples. One with too few candidates counts as 1.

    References:
        Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545;
        Lueckmann et al., AISTATS 2021, https://arxiv.org/abs/2101.04653
    """

    Config = C2stReferenceConfig
    expected_failures = {"estimates": "the kit's runs are on a task without reference posteriors"}

    def applies(self, task: Task[Any]) -> bool:
        """Whether the task is one of the benchmark's."""
        return isinstance(task, StochasticTask)

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """The accuracy for each observation, and their mean.

        Raises:
            UnfitError: the targets are none of the benchmark's observations, or their samples
                cannot be read.
        """
        evaluation.need_exact()
        task = evaluation.task
        numbers = task.config.observations if isinstance(task, StochasticTask) else ()
        if not isinstance(task, StochasticTask) or not numbers:
            raise UnfitError(
                "the targets are none of the benchmark's observations: --set task.observations=[1]"
            )
        values, estimates = [], []
        for number, x in zip(numbers, evaluation.candidates, strict=False):
            samples = reference_samples(task.folder, number, task.designs.dim)
            values.append(self._accuracy(samples, x.double().cpu()))
            estimates.append(Estimate(f"c2st-reference-{number}", values[-1]))
        spread = bootstrap(
            torch.tensor(values, dtype=torch.float64), evaluation.generator("c2st-reference")
        )
        return [Estimate("c2st-reference", *spread), *estimates]

    def _accuracy(self, samples: Tensor, x: Tensor) -> float:
        x = x[x.isfinite().all(dim=1)]
        count = min(self.config.most, len(x), len(samples))
        if count < self.config.folds:
            return 1.0
        return c2st(samples[:count], x[:count], self.config.folds)
