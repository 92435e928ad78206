"""`certify`: from losses of models on examples to a certificate of the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import Maximise, check_choice, check_fraction
from moltheory.certification._beside_baseline import certified_beside
from moltheory.certification._certificate import Certificate
from moltheory.certification._certified import certified
from moltheory.certification._contrasts import with_contrasts
from moltheory.certification._data_warnings import directions_stated, warn_about_data, warn_about_pairs
from moltheory.certification._earlier import read_earlier, warn_of_growth
from moltheory.certification._kept_losses import recorded
from moltheory.certification._memory import bytes_per_pair, require_pairs
from moltheory.certification._promises import ENGINES, Promise
from moltheory.certification._shares import METHODS, Shares
from moltheory.certification._statistics import PairStatistics, summaries
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_epsilon
from moltheory.evaluation._comparison import read_comparison
from moltheory.evaluation._measured_cost import total_delta

__all__ = ["certify"]

_OF_BASELINE = ("losses", "delta", "baseline", "margins")


@document
def certify(
    losses: Any,
    /,
    *,
    delta: float = 0.05,
    costs: Any = None,
    objectives: Any = None,
    names: Sequence[str] | None = None,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    maximise: Maximise | Sequence[str] | None = None,
    epsilon: npt.ArrayLike = 0.0,
    clusters: npt.ArrayLike | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
    method: str = "auto",
    error: str = "any",
    dependence: str = "any",
    verdicts: str = "both",
    engine: str = "exact",
    baseline: str | None = None,
    margins: Mapping[str, float] | None = None,
    earlier: Any = None,
) -> Certificate:
    """Return a certificate of the models that are on the true Pareto front, those that are not, and those undecided.

    With probability at least 1 - delta, all of the following is true at once (`error` has weaker promises about the
    verdicts, the first two):

    * every model in ``sure`` is on the true front (with a tolerance: no other model is better by that much everywhere);
    * no model in ``excluded`` is on it;
    * every dominance in ``dominates`` and every replacement is real;
    * every box contains its true values.

    Parameters
    ----------
    losses : (n, M, N) or (n, M) array_like, DataFrame, mapping, LossTable, source of blocks, or None
        Loss of each model on each example in each objective; NaN marks a model that was not evaluated on an example.
        Columns of a frame, of any library, and keys of a mapping of models to (n,) losses name the models; labels of
        examples (an index) are matched by those of `clusters`; masked, null and NA are missing as NaN is. A
        `LossTable` also provides names, costs, clusters, directions, ranges and measures; arguments given here replace
        them. Any object with ``model_names``, ``objective_names`` and ``blocks()`` is a source of blocks: up to 8 MB
        are read once, more are read two or three times. None if `objectives` are measures, which hold their losses.
    {delta_default}
    {costs}
    objectives : sequence of str, or sequence or mapping of Measure or Tail, optional
        Names of the N objectives. Instead of names, measures (`moltheory.objectives`: means, rates in a group, gaps,
        worst group, F1) and tails (`moltheory.evaluation`: CVaR, quantiles), which hold their losses. Paired tests
        apply to measures that declare `Measure.is_increasing` or `Measure.linear_forms` (gaps, spreads, worst groups:
        of groups that do not overlap, without clusters) and to tails that declare `Tail.paired_p_values` (quantiles);
        other measures and tails are decided by boxes.
    {model_names}
    loss_range : pair, optional
        Smallest and largest possible loss, each one number or one per estimated objective; fixed before the data. By
        default that of the `LossTable`, or (0, 1).
    maximise : bool, sequence of bool or of str, optional
        The objectives for which larger is better, by name; or one bool for all, costs included; or one bool for each
        (one per estimated objective leaves the costs minimised). By default those of the `LossTable`, or none; a name
        such as "accuracy" then leads to a warning, which ``maximise=[]`` avoids.
    {tolerance}
    clusters : (n,) array_like, optional
        Labels of dependent examples: those of one patient, or several seeds, repeats or paraphrases of one example,
        which are one cluster. Only different clusters are then assumed to be independent.
    largest_cluster : int, optional
        Upper bound on the number of examples in any cluster of the population, fixed before the data. **By default
        the largest observed cluster is taken as the bound**: the guarantee then covers only populations without larger
        clusters, however rare. A bound far above the usual size leaves more models undecided.
    cluster_weights : {"size", "equal"}, default "size"
        The compared quantity. "size": means over examples, E[total loss of a cluster] / E[its size]. "equal": means
        over clusters of the mean loss in each (of a measure: in the part of the cluster that counts), E[total / size].
        The two differ if losses depend on the size. "equal" is valid for clusters of any size, without a bound; means
        over examples then admit no guarantee.
    method : {"auto", "boxes", "paired"}, default "auto"
        Allocation of delta. "auto": 85 % to paired tests that decide models, 10 % to boxes, 5 % to paired tests of which
        model dominates which; more to boxes if some objective has no paired test, all if none has. "boxes": all to
        boxes. "paired": none to boxes, which are then as wide as the range. With a tolerance and known costs, 20 % (or
        25 %) goes to replacements instead of to verdicts; see `Certificate.delta_allocation`. Measured costs bring their
        own part of delta; the rest is allocated.
    error : {"any", "one", "share"}, default "any"
        The error that is controlled, to be chosen before the data. "any": with probability 1 - delta no verdict is
        wrong. "one": with probability 1 - delta at most one verdict is wrong. "share": the expected share of wrong ones
        among the verdicts given is at most delta. Boxes, dominances and replacements keep their promise.
    dependence : {"any", "positive"}, default "any"
        For ``error="share"``: "positive" assumes that p-values are positively dependent (PRDS), which is plausible but
        not proven for paired comparisons; more models are then settled.
    verdicts : {"both", "excluded", "sure"}, default "both"
        The verdicts that are asked for, to be chosen before the data. If only exclusions or only memberships matter,
        asking for these alone settles somewhat more of them.
    engine : {"exact", "asymptotic"}, default "exact"
        "exact": guaranteed at every sample size. "asymptotic": **no guarantee at this sample size**; approximate tests
        and intervals (Student's t on differences of examples or clusters), and no price for comparisons that are plain.
        It settles more models if losses are not 0/1, needs no bound on the sizes of clusters, and certifies means of
        losses without a range: state ``loss_range=(0, inf)``. For its error in simulations see the notes.
    baseline : str, optional
        Name of a model, such as the one in production, with which all others are compared: `Certificate.baseline`, at half
        of delta.
    margins : mapping of str to float, optional
        With a baseline, as in `compare_to_baseline`.
    earlier : Certificate or path, optional
        An earlier certificate of the same file, or the file of its JSON text: if the losses begin with the rows of that one
        in the models that both have, and go on, a `DataWarning` says so, as two looks are not valid together at delta.

    Returns
    -------
    Certificate
        Its method `plan` returns how many further examples would decide the undecided models.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule; a loss is outside its range; there is only one model; or a model was never
        evaluated in some objective.
    TooLargeError
        If the tables of pairs of so many models do not fit in the memory that is available.

    Warns
    -----
    DirectionWarning
        If no direction was stated and the name of an objective suggests that larger is better.
    FewExamplesWarning
        If there are fewer than 20 independent examples.
    AggregateWarning
        If rows look like folds or averages. These classes of `moltheory.errors` share the base class `DataWarning`;
        the certificate is the same with and without the warnings.

    Notes
    -----
    Complexity: O(n M^2 N) time for the pairs, in products of matrices or of packed bits, and at most M^3 / 64 operations
    on words for transitivity; O(M^2 N) memory beside the losses: about 25 M^2 + 12 M^2 N bytes for 0/1 losses, twice as
    much with a tolerance or other losses (8,000 models, two objectives: 3 to 6 GB), which are asked for before the
    work. Bounded losses are tested by bets on every pair while n M^2 N <= 2e8, otherwise by empirical Bernstein and by bets
    on the most promising pairs. The module `_decisions` contains the argument for validity, `_p_values` the tests.

    The asymptotic engine was simulated at delta = 0.05: with 100 examples or more and models that are all on the front by a
    hair, at most 52 of 1,000 runs had a wrong verdict; with 50 examples of log-normal losses (sigma = 2) beside a steady
    model, 164 of 1,000. No sample size is enough for all distributions; the module `_asymptotic` has the conditions.

    Bools, and integers in a range of length one, are 0/1 losses by type. Other losses are not assumed to be 0/1: if no
    loss inside the range is observed, the tests for 0/1 losses are used at 95 % of their level. The tests for bounded
    losses are used at 95 % of theirs if many losses inside are observed, and at 5 % if only a few dozen are
    (`moltheory.inference._inspection`).

    References
    ----------
    Derived (proof: certificate, promises, slack-tests), from Q. McNemar (1947), doi 10.1007/BF02295996; C. J. Clopper
    and E. S. Pearson (1934), doi 10.1093/biomet/26.4.404; A. Maurer and M. Pontil (2009), arXiv 0907.3740; I.
    Waudby-Smith and A. Ramdas (2024), doi 10.1093/jrsssb/qkad009; R. L. Berger (1982), doi
    10.1080/00401706.1982.10487790; S. Holm (1979).

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.zeros((1000, 3))
    >>> losses[:200, 0] = losses[20:250, 1] = losses[5:204, 2] = 1  # b errs on 50 that a gets right
    >>> certify(losses, costs={"size": [5, 7, 9]}, names=["a", "b", "c"])
    Certificate at confidence 0.95 from 1,000 examples: 3 models, objectives objective_1, size
      on the front (1): a
      not on the front (1): b (dominated by a)
      cannot tell yet (1): c
    """
    options = {name: value for name, value in locals().items() if name not in _OF_BASELINE}
    if baseline is not None:
        return certified_beside(certify, losses, baseline, margins, delta, options)
    if margins is not None:
        raise InvalidInputError("`margins` must be left out without a `baseline`, got some.")
    total = check_fraction("delta", delta)
    check_choice("method", method, METHODS)
    promise = Promise.of(error, dependence, verdicts)
    approximate = check_choice("engine", engine, ENGINES) == "asymptotic"
    problem = read_comparison(
        losses,
        costs=costs,
        objectives=objectives,
        names=names,
        loss_range=loss_range,
        maximise=maximise,
        clusters=clusters,
        largest_cluster=largest_cluster,
        cluster_weights=cluster_weights,
    )
    if approximate and not any(objective.columns for objective in problem.objectives):
        raise InvalidInputError(
            "`engine` must be 'exact' where no objective is made of means, got 'asymptotic': intervals and tests of tails "
            "are exact at every sample size."
        )
    problem, recorder = recorded(with_contrasts(problem))
    estimated = problem.data_dependent
    slack = read_epsilon(epsilon, problem.of_losses)
    spent = total_delta([o.measured for o in problem.objectives if o.measured is not None], total)
    before = read_earlier(earlier)
    prints = () if before is None else before.fingerprint
    scan = problem.scan(largest_cluster, cluster_weights, unbounded=approximate, earlier=prints)
    warn_of_growth(scan, before)
    warn_about_data(problem, scan, losses, stated=maximise is not None or directions_stated(losses))
    replacing = bool(slack.any() and not estimated.all())
    n_tested = sum(objective.tested for objective in problem.objectives)
    untested = sum(objective.of_losses for objective in problem.objectives) - n_tested
    shares = Shares.of(
        total, method=method, replacing=replacing, measured=spent, n_tested=n_tested, n_untested=untested
    )
    require_pairs(bytes_per_pair(problem, scan, slack, tested=shares.tested, approximate=approximate), scan.n_models)
    found = summaries(scan)
    warn_about_pairs(scan, found)
    certificate = certified(
        problem,
        scan,
        found,
        slack=slack,
        shares=shares,
        promise=promise,
        delta=total,
        engine=engine,
        sizes_stated=largest_cluster is not None,
    )
    # Without the losses that measures hold.
    lean = tuple(replace(objective, measure=None, tail=None) for objective in problem.objectives)
    sample = recorder.sample(problem, certified, largest_cluster, cluster_weights)
    return certificate.with_statistics(PairStatistics(scan.columns, tuple(found), lean, shares, sample))
