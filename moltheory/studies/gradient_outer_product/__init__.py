"""Average gradient outer products: closed form for Laplace kernels, deep recursive features, and trained networks."""

from moltheory.studies.gradient_outer_product._exact import (
    collapsed_kernel_value,
    linear_outer_product,
    optimal_kernel,
    right_half,
)
from moltheory.studies.gradient_outer_product._experiment import (
    Budget,
    Variant,
    digit_split,
    network_sweep,
    recursion_sweep,
    variants,
)
from moltheory.studies.gradient_outer_product._laplace import LaplaceRegression, matrix_root, pair_distances
from moltheory.studies.gradient_outer_product._networks import ReluNetwork, matrix_correlation, train_network
from moltheory.studies.gradient_outer_product._recursion import RecursiveFeatures, recursive_features, sign_targets
from moltheory.studies.gradient_outer_product._study import GradientOuterProduct, GradientOuterProductResult
from moltheory.studies.gradient_outer_product._tabulation import geometric_mean, network_shares, stage_ratios
from moltheory.studies.gradient_outer_product._trade_off import model_objectives, real_fronts

__all__ = [
    "Budget",
    "GradientOuterProduct",
    "GradientOuterProductResult",
    "LaplaceRegression",
    "RecursiveFeatures",
    "ReluNetwork",
    "Variant",
    "collapsed_kernel_value",
    "digit_split",
    "geometric_mean",
    "linear_outer_product",
    "matrix_correlation",
    "matrix_root",
    "model_objectives",
    "network_shares",
    "network_sweep",
    "optimal_kernel",
    "pair_distances",
    "real_fronts",
    "recursion_sweep",
    "recursive_features",
    "right_half",
    "sign_targets",
    "stage_ratios",
    "train_network",
    "variants",
]
