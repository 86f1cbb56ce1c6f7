"""Classical optimisers for plugins of invcore, batched over problems.

The public names; they are imported on first use, so that the command line needs no torch.
"""

from typing import TYPE_CHECKING

from invcore import lazy_names

if TYPE_CHECKING:
    from invcore_optimisers.adam import minimise_adam as minimise_adam
    from invcore_optimisers.bfgs import minimise_bfgs as minimise_bfgs
    from invcore_optimisers.config import AdamConfig as AdamConfig
    from invcore_optimisers.config import BFGSConfig as BFGSConfig
    from invcore_optimisers.config import GradientDescentConfig as GradientDescentConfig
    from invcore_optimisers.config import LBFGSConfig as LBFGSConfig
    from invcore_optimisers.evaluation import Evaluator as Evaluator
    from invcore_optimisers.evaluation import Objective as Objective
    from invcore_optimisers.gradient_descent import (
        minimise_gradient_descent as minimise_gradient_descent,
    )
    from invcore_optimisers.lbfgs import minimise_lbfgs as minimise_lbfgs
    from invcore_optimisers.minimum import History as History
    from invcore_optimisers.minimum import Minimum as Minimum
    from invcore_optimisers.minimum import Reason as Reason
    from invcore_optimisers.minimum import Recorder as Recorder
    from invcore_optimisers.problem import Problems as Problems
    from invcore_optimisers.problem import Result as Result

__getattr__, _NAMES = lazy_names(__name__, {
    "adam": "minimise_adam",
    "bfgs": "minimise_bfgs",
    "config": "AdamConfig BFGSConfig GradientDescentConfig LBFGSConfig",
    "evaluation": "Evaluator Objective",
    "gradient_descent": "minimise_gradient_descent",
    "lbfgs": "minimise_lbfgs",
    "minimum": "History Minimum Reason Recorder",
    "problem": "Result Problems",
})  # fmt: skip

__all__ = [*_NAMES]
