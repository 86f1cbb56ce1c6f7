"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1

_PAZ = "Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545"
_TALTS = "Talts et al., 2018, https://arxiv.org/abs/1804.06788"
_LEMOS = "Lemos et al., ICML 2023, https://arxiv.org/abs/2302.03026"
_LINHART = "Linhart, Gramfort, Rodrigues, NeurIPS 2023, https://arxiv.org/abs/2306.03580"
_HOLL = "Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119"
_REN = "Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919"


@hookimpl
def invcore_metrics() -> list[Component]:
    """The metrics."""
    return [
        Component(
            "r_T",
            "Expected smallest error among T candidates.",
            "invcore_metrics.expected_best:ExpectedBest",
            references=(_REN,),
            tags=("accuracy",),
        ),
        Component(
            "specification",
            "Whether wishes are met, how far goals are reached, and by how varied designs.",
            "invcore_metrics.specification:Specification",
            tags=("accuracy", "specification"),
        ),
        Component(
            "resimulation-error",
            "Mean, spread and median of the error over all candidates.",
            "invcore_metrics.resimulation_error:ResimulationError",
            tags=("accuracy",),
        ),
        Component(
            "failures",
            "Shares of candidates without a response, and of targets without an answer.",
            "invcore_metrics.failures:Failures",
            tags=("validity",),
        ),
        Component(
            "out-of-bounds",
            "Share of candidates that the space of designs does not allow.",
            "invcore_metrics.out_of_bounds:OutOfBounds",
            tags=("validity",),
        ),
        Component(
            "diversity",
            "How far the candidates of a target lie apart.",
            "invcore_metrics.diversity:Diversity",
            tags=("diversity",),
        ),
        Component(
            "cost",
            "Seconds, simulator calls, and numbers in the fitted model.",
            "invcore_metrics.cost:Cost",
            tags=("cost",),
        ),
        Component(
            "calls-to",
            "Simulator calls of a target until its error is small.",
            "invcore_metrics.calls_to:CallsTo",
            tags=("cost", "accuracy"),
        ),
        Component(
            "anytime",
            "Expected smallest error within a time, and within simulator calls.",
            "invcore_metrics.anytime:Anytime",
            references=(_REN,),
            tags=("accuracy", "cost"),
        ),
        Component(
            "mmd",
            "Squared maximum mean discrepancy between candidates and posterior samples.",
            "invcore_metrics.mmd:Mmd",
            references=(_REN,),
            tags=("posterior",),
        ),
        Component(
            "c2st",
            "How well a classifier tells candidates from posterior samples.",
            "invcore_metrics.c2st:C2st",
            references=(_PAZ,),
            tags=("posterior",),
        ),
        Component(
            "sbc",
            "Whether the truth has a uniform rank among the candidates.",
            "invcore_metrics.sbc:Sbc",
            references=(_TALTS,),
            tags=("posterior",),
        ),
        Component(
            "tarp",
            "Whether credible regions around random points hold the truth as often as they say.",
            "invcore_metrics.tarp:Tarp",
            references=(_LEMOS,),
            tags=("posterior",),
        ),
        Component(
            "l-c2st",
            "Whether a classifier tells candidates from truths, target by target.",
            "invcore_metrics.local_c2st:LocalC2st",
            references=(_LINHART,),
            tags=("posterior",),
        ),
        Component(
            "log-likelihood",
            "Mean log density that the model gives the truth.",
            "invcore_metrics.log_likelihood:LogLikelihood",
            tags=("posterior",),
        ),
        Component(
            "mode-recall",
            "Share of a target's separate solutions that the candidates find.",
            "invcore_metrics.mode_recall:ModeRecall",
            tags=("diversity",),
        ),
        Component(
            "better-than-reference",
            "Share of problems on which the method ends below BFGS, or another reference.",
            "invcore_metrics.better_than_reference:BetterThanReference",
            references=(_HOLL,),
            tags=("accuracy", "comparison"),
        ),
        Component(
            "robustness",
            "Share of made designs that still meet the target, and their worst error.",
            "invcore_metrics.robustness:Robustness",
            tags=("accuracy", "tolerance"),
        ),
    ]
