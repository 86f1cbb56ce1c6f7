"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_LUECKMANN = (
    "Lueckmann, Boelts, Greenberg, Gonçalves, Macke, AISTATS 2021, https://arxiv.org/abs/2101.04653"
)
_TAGS = ("stochastic", "reference posterior")


def _task(name: str, summary: str, target: str, *tags: str) -> Component:
    return Component(
        name, summary, f"invcore_sbibm.tasks.{target}", references=(_LUECKMANN,), tags=_TAGS + tags
    )


@hookimpl
def invcore_tasks() -> list[Component]:
    """Return the benchmark's tasks."""
    return [
        _task(
            "two-moons",
            "Two parameters to two numbers, with a posterior of two crescents.",
            "two_moons:TwoMoons",
            "many solutions",
        ),
        _task(
            "gaussian-linear",
            "The mean of a normal in ten dimensions; the posterior is a normal.",
            "gaussian_linear:GaussianLinear",
        ),
        _task(
            "gaussian-linear-uniform",
            "The mean of a normal in ten dimensions, within bounds.",
            "gaussian_linear:GaussianLinearUniform",
        ),
        _task(
            "gaussian-mixture",
            "The common mean of a broad and of a narrow normal in the plane.",
            "gaussian_mixture:GaussianMixture",
        ),
        _task(
            "slcp",
            "Mean and covariance of a normal in the plane to four draws; four symmetric modes.",
            "slcp:Slcp",
            "many solutions",
        ),
        _task(
            "slcp-distractors",
            "The draws of slcp among 92 numbers that have nothing to do with them.",
            "slcp:SlcpDistractors",
            "many solutions",
        ),
        _task(
            "bernoulli-glm",
            "Offset and filter of a neuron to how its spikes follow a stimulus.",
            "bernoulli_glm:BernoulliGlm",
        ),
        _task(
            "sir",
            "Contact and recovery rate of an epidemic to how many of a thousand are infected.",
            "sir:Sir",
        ),
        _task(
            "lotka-volterra",
            "Four rates of hunters and their prey to ten noisy counts of each.",
            "lotka_volterra:LotkaVolterra",
        ),
    ]


@hookimpl
def invcore_metrics() -> list[Component]:
    """Return the comparison with reference posteriors."""
    return [
        Component(
            "c2st-reference",
            "How well a classifier tells candidates from the benchmark's reference posterior.",
            "invcore_sbibm.c2st_reference:C2stReference",
            references=(
                _LUECKMANN,
                "Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545",
            ),
            tags=("posterior",),
        ),
    ]
