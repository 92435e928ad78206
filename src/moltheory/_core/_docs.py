"""Descriptions that many docstrings share, each written once: `document` fills them in where a function is defined.

A placeholder is a word in braces on a line of its own, ``{delta}``; it stands for a whole entry of a section or for a
whole section. Braces inside a line, as in sets of choices or formulas, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

__all__ = ["ENTRIES", "PLACEHOLDER", "document"]

_Target = TypeVar("_Target", bound=Callable[..., Any])

PLACEHOLDER = re.compile(r"^( *)\{(\w+)\}$", re.MULTILINE)

ENTRIES: Mapping[str, str] = {
    # Pictures.
    "new_axes": """\
ax : matplotlib.axes.Axes, optional
    New axes by default.""",
    "theme": """\
theme : {"light", "dark"}, optional
    Of new axes; see `moltheory.plotting.styled`.""",
    # Sizes of samples, classes and failures.
    "delta": """\
delta : float
    Total failure probability, in (0, 1).""",
    "delta_default": """\
delta : float, default 0.05
    Total failure probability, in (0, 1).""",
    "delta_per_mean": """\
delta : float or (...) array_like
    Failure probability **per mean**, in (0, 1); for a simultaneous statement divide it by the number of means. A
    two-sided interval spends half on each side.""",
    "sizes": """\
n : int or (N,) array_like
    Sample size, >= 1; ``inf`` marks a data-independent objective, which has width 0 and is not counted.""",
    "size": """\
n : int
    Sample size, >= 1.""",
    "n_objectives": """\
n_objectives : int, default 1
    N' where `n` is one number; left at 1 otherwise.""",
    "class_size": """\
n_hypotheses : int, optional
    Size of the class, where the first argument holds only some of its members; H by default.""",
    "pac_risks": """\
risks : (N,) or (..., N) array_like
    Empirical risk of the randomised hypothesis, the mean under its posterior Q of losses in [0, 1]; a leading axis
    is over posteriors.""",
    "pac_divergence": """\
divergence : float or (..., 1) or (..., N) array_like
    KL(Q || pi) in nats, >= 0, to a prior fixed before the data.""",
    "pac_returns": """\
Returns
-------
Bound
    Its width, lower and upper have the shape of the risks.""",
    "loss_range": """\
loss_range : float or (N,) array_like, default 1.0
    Length B of the interval that holds the losses, >= 0.""",
    "loss_ends": """\
loss_range : pair, default (0, 1)
    Ends of the range of the losses, numbers or one per mean; fixed before the data.""",
    "side": """\
side : {"both", "lower", "upper"}, default "both"
    Which ends to claim; the other one is the end of the range.""",
    "axis": """\
axis : int, default 0
    Axis of the examples.""",
    "widths": """\
widths : (..., N) array_like
    Half-widths C that hold jointly for all hypotheses, one per objective: an array, or a `Bound` that says so.""",
    "hypothesis_widths": """\
widths : (..., H, N) array_like
    Half-widths C(h) of every hypothesis that hold jointly, as those of `moltheory.bounds.kl_class`.""",
    "hypothesis_risks": """\
risks : (..., H, N) array_like
    Empirical risks of the same hypotheses.""",
    # Objectives and points.
    "maximise": """\
maximise : bool or sequence of bool, default False
    Whether objectives are maximised, one bool for all or one for each.""",
    "objective_names": """\
objective_names : iterable of str, optional
    Names of the N objectives; by default ``objective_1`` and so on.""",
    "names": """\
names : iterable of str, optional
    Names of the N objectives; by default ``objective_1`` and so on.""",
    "weights": """\
weights : array_like of shape (N,)
    Finite, >= 0, not all zero; used as given.""",
    "points": """\
points : (n, N) array_like
    Finite; minimised in every objective.""",
    "weight_rows": """\
weights : (K, N) array_like
    Finite, >= 0, no row zero; used as given.""",
    "ball": """\
ball : NormBall, optional
    Restricts the class to a ball.""",
    # Problems.
    "problem_name": """\
name : str, optional
    Names the problem in tables, and keys its random streams.""",
    "sample_size": """\
n : int or tuple of int
    Sample size of every objective, or one for each; >= 1, also below the number of parameters.""",
    "repetitions": """\
replicates : int, optional
    Number of independent repetitions; None draws one, without a batch axis.""",
    # Losses of models.
    "model_names": """\
names : sequence of str, optional
    Names of the M models; by default those that come with the data, or ``model_1`` and so on.""",
    "costs": """\
costs : (M, k) array_like, mapping or DataFrame, optional
    Objectives **known exactly**, such as size or price; they follow the estimated objectives. A mapping from names
    to values, or a table whose index or column ``model`` holds the models, also names them. What was measured, such
    as latency, is not known: pass the values of each example as an objective like any other, or, as an entry of the
    mapping, a `moltheory.Measured` cost with its interval and its part of delta.""",
    "tolerance": """\
epsilon : float, (N,) or (N + k,) array_like, default 0
    Tolerance, in units of the losses. A model is confirmed if no other model is better by at least `epsilon` in
    every objective (strictly in at least one). If a cheaper model is worse by less than `epsilon`,
    `Certificate.replaceable_by` names it. Excluded still means dominated, by however little. One number applies to
    the estimated objectives; costs then have no tolerance.""",
    "dependent_examples": """\
clusters : (n,) array_like of int or str, optional
    Labels of dependent examples, such as the rows of one patient: equal within a cluster.""",
    "example_groups": """\
group : (n,) array_like, optional
    Group of each example, with at least two different values.""",
    "possible_losses": """\
loss_range : (low, high) or mapping of objectives to such pairs
    Smallest and largest possible loss; (0, 1) by default and for objectives that a mapping leaves out.""",
    "simulate": """\
simulate : int, default 60
    Largest number of simulated runs per sample size; 0 = no simulation. With 60 runs, the standard error of a
    share of 80 % is 5 %.""",
    "simulation_seed": """\
rng : int, default 0
    Seed of the simulation.""",
    # Simulations.
    "sample_sizes": """\
sizes : iterable of int
    Sample sizes, distinct and >= 1.""",
    "replicates": """\
replicates : int
    Independent samples per size, >= 1.""",
    "n_jobs": """\
n_jobs : int, optional
    Number of processes; -1 is one per core, 1 the default. Where `joblib.parallel_config` has chosen a backend of
    other processes (``"loky"``, ``"dask"``, ``"ray"``), its workers compute, as many as it says by default; 1 is
    always this process. The result does not depend on it.""",
    "rng": """\
rng : int, SeedSequence, Generator or None
    Source of randomness.""",
    # What is returned and refused.
    "returns_widths": """\
Returns
-------
Bound
    Its width has shape (N,).""",
    "returns_class_widths": """\
Returns
-------
Bound
    Its width has shape (H, N).""",
    "raises": """\
Raises
------
InvalidInputError
    If an argument breaks its rule; the message names the argument, the rule and what was found.""",
}


@overload
def document(target: _Target, /) -> _Target: ...
@overload
def document(**entries: str) -> Callable[[_Target], _Target]: ...
def document(target: Any = None, /, **entries: str) -> Any:
    """Return the function or class with the placeholders of its docstring filled in.

    Parameters
    ----------
    target : function or class
        What is decorated; left out where `entries` are given.
    entries : str
        Descriptions of this docstring alone, by their placeholder.

    Raises
    ------
    LookupError
        If a placeholder is unknown or there is none, when the function is defined.
    """

    def fill(target: Any) -> Any:
        # Without docstrings (python -OO) there is nothing to fill in.
        if target.__doc__ is not None:
            known = {**ENTRIES, **entries}
            filled, count = PLACEHOLDER.subn(lambda found: _indented(known[found[2]], found[1]), target.__doc__)
            if not count:
                raise LookupError(f"the docstring of {target.__qualname__} has no placeholder")
            target.__doc__ = filled
        return target

    return fill if target is None else fill(target)


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line if line else line for line in text.split("\n"))
