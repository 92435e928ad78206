"""Scalarizations: functions of N risks whose minimisers are (weakly) Pareto-optimal.

=======================  ==========================================  ========================  ==============
class                    formula                                     width for widths C        minimisers
=======================  ==========================================  ========================  ==============
`WeightedSum`            sum w_i v_i                                 sum w_i C_i               Pareto, w > 0
`PNorm`                  (sum (w_i v_i)^p)^(1/p)                     (sum (w_i C_i)^p)^(1/p)   Pareto, w > 0
`Chebyshev`              max w_i (v_i - z_i)                         max w_i C_i               weakly Pareto
`Chebyshev`, augmented   the same + rho sum (v_i - z_i)              the same + rho sum C_i    Pareto
`SmoothChebyshev`        m log sum exp(w_i v_i / m)                  max w_i C_i               Pareto, w > 0
`EpsilonConstraint`      v_j where v_i <= b_i for all i, else +inf   none; relax the bounds    weakly Pareto
=======================  ==========================================  ========================  ==============

Each states about itself what theory asks for: monotone, subadditive, homogeneous, the reverse triangle
inequality, the modulus of strong monotonicity, and a width, which turns widths of the risks into one of the
scalarized risk. It also declares its `Form`, from which `moltheory.solve_front` chooses a method; a class of your
own may declare one, or a convex `program` and the `multipliers` that certify its minimisers. Weights are used as
given and never normalised; `simplex_grid` makes weights on the simplex.
The formulas are classical (for a survey see Miettinen 1998, doi 10.1007/978-1-4615-5563-6); for the part they
play in learning see Súkeník and Lampert, arXiv 2208.13499.
"""

from moltheory._core._listing import public_names
from moltheory.scalarization._base import Optimality, Scalarization, WeightedScalarization
from moltheory.scalarization._chebyshev import Chebyshev, SmoothChebyshev
from moltheory.scalarization._constraint import EpsilonConstraint
from moltheory.scalarization._form import Form, LinearForm, SmoothForm
from moltheory.scalarization._form_limits import ConstrainedForm, MaximumForm
from moltheory.scalarization._sums import PNorm, WeightedSum
from moltheory.scalarization._weights import simplex_grid

__all__ = [
    "Chebyshev",
    "ConstrainedForm",
    "EpsilonConstraint",
    "Form",
    "LinearForm",
    "MaximumForm",
    "Optimality",
    "PNorm",
    "Scalarization",
    "SmoothChebyshev",
    "SmoothForm",
    "WeightedScalarization",
    "WeightedSum",
    "simplex_grid",
]

__dir__ = public_names(__name__)
