"""Average gradient outer products: closed form for Laplace kernels, deep recursive features, and trained networks.

Further names are the workings of the study, loaded when asked for; they may change.
"""

from moltheory.studies._workings import lazy_names
from moltheory.studies.gradient_outer_product._model import LaplaceRegression
from moltheory.studies.gradient_outer_product._recursion import recursive_features
from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult
from moltheory.studies.gradient_outer_product._study import GradientOuterProduct

__all__ = ["GradientOuterProduct", "GradientOuterProductResult", "LaplaceRegression", "recursive_features"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_experiment": "Budget Variant network_sweep recursion_sweep variants",
        "_images": "digit_split image_split",
        "_large": "LargeBudget large_sweep",
        "_linearized": "LinearizedFeatures finite_size_gap laplace_identity linearized_features linearized_rate",
        "_model": "collapsed_kernel_value linear_outer_product matrix_root optimal_kernel pair_distances right_half",
        "_networks": "ReluNetwork matrix_correlation train_network",
        "_recursion": "RecursiveFeatures sign_targets",
        "_tables": "geometric_mean model_objectives network_shares real_fronts stage_ratios",
        "_theory": "finite_sizes linearized_layers optimal_kernels",
    },
)
