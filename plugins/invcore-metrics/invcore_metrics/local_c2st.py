"""Local classifier two-sample tests: for which targets draws are not of the posterior."""

import torch
from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric, UnfitError
from invcore.results import CalibrationDraws, bootstrap, calibration_draws
from invcore_metrics.independent_draws import independent_draws
from invcore_metrics.local_features import local_features

_BESIDE = 10  # draws beside a truth that classifiers learn from, at most
_LEAST = 10  # targets
_NOTHING = 1e-16  # of a statistic: what rounding gives


class LocalC2stConfig(Config):
    """Settings of ``l-c2st``."""

    trials: int = Field(99, ge=19, description="Classifiers of labels that chance gives.")
    level: float = Field(
        0.05, gt=0, lt=1, description="Targets are rejected whose p-value is at most this."
    )
    folds: int = Field(2, ge=2, description="Parts of the targets; each is judged by the others.")
    features: int = Field(200, ge=2, description="Random features of the classifiers.")
    components: int = Field(
        12,
        ge=1,
        description="Principal components of designs, and of responses, that classifiers see.",
    )
    ridge: float = Field(1e-3, gt=0, description="Of the least squares, for each row.")
    targets: int = Field(1000, ge=10, description="Targets that count; chance chooses.")
    most: int = Field(30, ge=2, description="Candidates of a target that count; chance chooses.")


class LocalC2st(Metric[LocalC2stConfig]):
    """Whether a classifier tells candidates from truths, target by target, without a reference.

    It learns from the pairs of truth and response and of candidate and response, and says for each
    candidate of a target that it has not seen how likely it is a truth, d. The statistic of a
    target is the mean of (d - 1/2)² over its candidates: 0 where nobody can tell, at most 1/4.
    ``l-c2st`` is its mean over the targets. What chance gives is known from classifiers that learn
    from other labels, in which one design of each target, whichever, is called the truth: for draws
    of the posterior all labels are alike. ``l-c2st-p`` is the p-value of the mean, and
    ``l-c2st-rejected`` the share of targets whose own p-value is at most ``level``, as many as that
    for draws of the posterior, on the average over runs.

    Classifiers are least squares of random features here, in place of the paper's network, so that
    one decomposition serves them all.

    References:
        Linhart, Gramfort, Rodrigues, NeurIPS 2023, https://arxiv.org/abs/2306.03580
    """

    Config = LocalC2stConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Three numbers; nothing without the truth.

        Raises:
            UnfitError: the candidates are no independent draws, or they or the targets too few.
        """
        evaluation.need_exact()
        if evaluation.truth is None:
            return []
        own, generator = self.config, evaluation.generator("l-c2st")
        candidates = independent_draws(evaluation)
        beside = max(1, min(_BESIDE, min(own.most, candidates.shape[1]) // 2))
        draws = calibration_draws(
            candidates, evaluation.truth, evaluation.targets, generator,
            context=evaluation.context, least=beside + 1, most=own.most,
        )[: own.targets]  # fmt: skip
        if len(draws.truth) < max(_LEAST, 2 * own.folds):
            raise UnfitError(
                f"it needs {max(_LEAST, 2 * own.folds)} targets with a truth and "
                f"{beside + 1} candidates or more; there are {len(draws.truth)}"
            )
        found = local_statistics(draws, beside, own, generator)  # (trials + 1, B)
        p = _p(found)
        mean = bootstrap(found[0], evaluation.generator("l-c2st", "mean"))
        return [
            Estimate("l-c2st", *mean),
            Estimate("l-c2st-p", float(_p(found.mean(dim=1, keepdim=True))[0]), better="higher"),
            Estimate("l-c2st-rejected", float((p <= own.level).double().mean())),
        ]


def local_statistics(
    draws: CalibrationDraws, beside: int, config: LocalC2stConfig, generator: torch.Generator
) -> Tensor:
    """The statistic of each target, by the classifier of the true labels and by those of others.

    Args:
        draws: of B targets, each more than ``beside``.
        beside: draws of a target that are learnt from; the others are judged.
        config: settings.
        generator: on the CPU.

    Returns:
        (trials + 1, B): first that of the true labels.
    """
    targets = len(draws.truth)
    x = torch.cat((draws.truth[:, None], draws.draws), dim=1)
    rows = local_features(x, draws.conditions, config.features, config.components, generator)
    known, judged = rows[:, : beside + 1], rows[:, beside + 1 :]
    labels = torch.full((targets, beside + 1, config.trials + 1), -1.0, dtype=torch.float64)
    chosen = torch.randint(beside + 1, (targets, 1, config.trials + 1), generator=generator)
    chosen[..., 0] = 0
    # The labels of a target add up to 0, so that its response alone says nothing of them
    labels.scatter_(1, chosen, float(beside))
    there = draws.draws[:, beside:].isfinite().all(dim=2).double()
    share = there / there.sum(dim=1, keepdim=True)
    fold = torch.randperm(targets, generator=generator) % config.folds
    result = torch.empty(targets, config.trials + 1, dtype=torch.float64)
    for own in range(config.folds):
        learnt, mine = fold != own, fold == own
        a, b = known[learnt].flatten(0, 1), labels[learnt].flatten(0, 1)
        gram = a.T @ a
        gram.diagonal().add_(config.ridge * len(a))
        weights = torch.linalg.solve(gram, a.T @ b)
        odds = truth_odds(judged[mine] @ weights, beside)
        distance = (odds / (1 + odds) - 0.5).square()
        result[mine] = (share[mine][..., None] * distance).sum(dim=1)
    return result.T


def truth_odds(said: Tensor, beside: int) -> Tensor:
    """How much likelier a design is as a truth than as a draw, from what least squares say.

    With p the density of truths and q that of draws, J of them beside each truth, whose labels are
    J and -1, least squares tend to J (p - q) / (p + J q).

    Example:
        >>> truth_odds(torch.tensor([0.0, 0.5]), 1)
        tensor([1., 3.])
    """
    said = said.clamp(-1.0 + 1e-6, beside - 1e-6)
    return beside * (1 + said) / (beside - said)


def _p(found: Tensor) -> Tensor:
    """The share of trials, the true one among them, whose statistic is as large: (B,)."""
    return (found >= found[:1] - _NOTHING).double().mean(dim=0)
