"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1

_BOOK = "Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006"


@hookimpl
def invcore_methods() -> list[Component]:
    """Return the classical optimisers."""
    return [
        Component(
            "bfgs",
            "BFGS on the simulator from one start a candidate, all problems in one batch.",
            "invcore_optimisers.methods.bfgs:BFGS",
            references=(_BOOK,),
            tags=("simulator", "gradient", "optimisation", "ranked", "context"),
        ),
        Component(
            "lbfgs",
            "L-BFGS on the simulator: BFGS for many variables, all problems in one batch.",
            "invcore_optimisers.methods.lbfgs:LBFGS",
            references=(
                "Liu, Nocedal, On the limited memory BFGS method for large scale optimization, "
                "Mathematical Programming 45, 1989, https://doi.org/10.1007/BF01589116",
            ),
            tags=("simulator", "gradient", "optimisation", "ranked", "context"),
        ),
        Component(
            "gradient-descent",
            "Gradient descent on the simulator, with Armijo's steps or fixed ones.",
            "invcore_optimisers.methods.gradient_descent:GradientDescent",
            references=(_BOOK,),
            tags=("simulator", "gradient", "optimisation", "ranked", "context"),
        ),
        Component(
            "adam",
            "Adam on the simulator from one start a candidate, all problems in one batch.",
            "invcore_optimisers.methods.adam:Adam",
            references=(
                "Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015, "
                "https://arxiv.org/abs/1412.6980",
            ),
            tags=("simulator", "gradient", "optimisation", "ranked", "context"),
        ),
    ]


@hookimpl
def invcore_loops() -> list[Component]:
    """Return the searches without gradients, which are methods too."""
    return [
        Component(
            "random-search",
            "Simulate many designs of the prior for each candidate, and keep the best.",
            "invcore_optimisers.loops.random_search:RandomSearch",
            references=(
                "Bergstra, Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012, "
                "https://jmlr.org/papers/v13/bergstra12a.html",
            ),
            tags=("simulator", "optimisation", "ranked", "context"),
        ),
        Component(
            "cma-es",
            "CMA-ES on the simulator from one start a candidate; needs no gradient.",
            "invcore_optimisers.loops.cma_es:CMAES",
            references=(
                "Hansen, The CMA evolution strategy: a tutorial, 2016, "
                "https://arxiv.org/abs/1604.00772",
                "Nomura, Shibata, cmaes: a simple yet practical Python library for CMA-ES, 2024, "
                "https://arxiv.org/abs/2402.01373",
            ),
            tags=("simulator", "optimisation", "ranked", "context"),
        ),
    ]
