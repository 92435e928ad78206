"""`certify`: losses of models on examples in, a certificate of the front out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, Maximise, check_choice, check_fraction
from moltheory.certification._assumptions import assumptions_of
from moltheory.certification._binary_by_inspection import kept_level
from moltheory.certification._boxes import box_method, column_box
from moltheory.certification._certificate import Certificate
from moltheory.certification._decisions import Shares, decide
from moltheory.certification._p_values import chosen_test, pair_p_values
from moltheory.certification._problem import Objective, Problem, read_problem
from moltheory.certification._summaries import Moments, estimates, summaries
from moltheory.inference._pairs import PairCounts

__all__ = ["certify"]

# Shares of delta: boxes, exclusions, members, replacements; and where there is nothing to replace by (no slack or costs).
_REPLACING = {"auto": (0.4, 0.2, 0.2, 0.2), "boxes": (1.0, 0.0, 0.0, 0.0), "paired": (0.0, 0.4, 0.3, 0.3)}
_SHARES = {"auto": (0.5, 0.25, 0.25), "boxes": (1.0, 0.0, 0.0), "paired": (0.0, 0.5, 0.5)}


def certify(
    losses: Any,
    /,
    *,
    delta: float = 0.05,
    costs: Any = None,
    objectives: Any = None,
    names: Sequence[str] | None = None,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    maximise: Maximise | Sequence[str] | None = None,
    epsilon: npt.ArrayLike = 0.0,
    clusters: npt.ArrayLike | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
    method: str = "auto",
) -> Certificate:
    r"""Tell which models are on the true Pareto front, which are not, and which the data cannot tell.

    With probability at least 1 - delta, every model called sure is on the front (or within the slack of it), none
    called excluded is on it, every named dominance and replacement holds, and every box holds its true values.

    Parameters
    ----------
    losses : (n, M, N) or (n, M) array_like, EvaluatedModels, a source of blocks, or None
        Loss of each model on each example in each objective; NaN = not evaluated on that example. `EvaluatedModels`
        bring what they know (names, costs, clusters, directions, measures); other arguments come in its place. A
        source of blocks has ``model_names``, ``objective_names`` and ``blocks()``, and is read two or three times.
        None where `objectives` are measures.
    delta : float, default 0.05
        Total failure probability, in (0, 1).
    costs : (M, k) array_like, mapping or DataFrame, optional
        Values known exactly (size, latency, price), appended as last objectives.
    objectives : sequence of str, or sequence or mapping of Measure, optional
        Names of the N objectives; or measures (`moltheory.objectives`: means, rates in a group, gaps, worst group)
        that hold their losses themselves.
    names : sequence of str, optional
        Names of the models.
    loss_range : pair, default (0, 1)
        Ends of the range of the losses, each one number or one per estimated objective; fixed before the data.
    maximise : bool, sequence of bool or of str, optional
        Which objectives are better when larger; by default none, or as `EvaluatedModels` say. One bool for all, costs
        included, or one for each; one per estimated objective leaves the costs minimised; or names.
    epsilon : float or (N,) or (N+k,) array_like, default 0
        Slack in units of the losses: models are confirmed that nobody beats by at least this much in every objective
        (once strictly more), and told from which cheaper one within it they are replaceable. Exclusion needs no slack:
        it means dominated. One number is for the estimated objectives; costs then have none.
    clusters : (n,) array_like, optional
        Labels of examples that belong together (of one patient, one prompt); only clusters are then independent.
    largest_cluster : int, optional
        Number of examples that no cluster of the population exceeds, fixed before the data. **Without it the largest
        cluster seen is taken for the largest there is**: the guarantee then holds for such populations only, and is
        lost if larger clusters exist, however rare. The more it exceeds the usual size, the less can be told.
    cluster_weights : {"size", "equal"}, default "size"
        What is compared. "size": means over examples, E[total loss of a cluster] / E[its size]. "equal": means over
        clusters of the mean loss in each (in a measure: in that part of it which counts), E[total / size]; valid for
        clusters of any size, without a largest one, where nothing could be told of means over examples. The two differ
        where losses depend on the size.
    method : {"auto", "boxes", "paired"}, default "auto"
        Half of delta for boxes, a quarter each for excluding and for confirming models by paired tests; all for
        boxes; or half each for the paired tests, with boxes as wide as the range. With slack and costs a share goes
        to replacements; `Certificate.spent` says what each got.

    Returns
    -------
    Certificate

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule; a loss is outside its range; there is only one model; or a model was never
        evaluated in some objective.

    Notes
    -----
    O(n M^2 N) for the pairs, in products of matrices or of packed bits; O(M^2 N) memory beside the losses. Bounded
    losses get bets on every pair while n M^2 N <= 2e8; beyond, empirical Bernstein, and bets on promising pairs. The
    argument stands in the module `_decisions`, the tests in `_p_values`.

    Bools, and integers in a range of length one, are 0/1 losses by their type. For others nothing of the kind is
    assumed: where no loss inside the range is seen, the tests for 0/1 losses are used at 95 % of their level, and so
    are the tests for bounded losses where many are; where only a few dozen are, these get 5 % (`_selection`).

    References
    ----------
    Derived, from Q. McNemar (1947), doi 10.1007/BF02295996; C. J. Clopper and E. S. Pearson (1934), doi
    10.1093/biomet/26.4.404; A. Maurer and M. Pontil (2009), arXiv 0907.3740; I. Waudby-Smith and A. Ramdas (2024),
    doi 10.1093/jrsssb/qkad009; R. L. Berger (1982), doi 10.1080/00401706.1982.10487790; S. Holm (1979).

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.zeros((1000, 3))
    >>> losses[:200, 0] = losses[20:250, 1] = losses[5:204, 2] = 1  # b errs on 50 that a gets right
    >>> certify(losses, costs={"size": [5, 7, 9]}, names=["a", "b", "c"])
    Certificate at confidence 0.95 from 1000 examples: 3 models, objectives objective_1, size
      on the front for sure (1): a
      excluded (1): b (dominated by a)
      undecided (1): c
    """
    total = check_fraction("delta", delta)
    check_choice("method", method, _SHARES)
    prepared = getattr(losses, "certify", None)
    if callable(prepared):
        # Read as a mere source of blocks, these models would lose their costs, measures and directions.
        other = {"costs": costs, "objectives": objectives, "names": names, "maximise": maximise, "clusters": clusters}
        other |= {"largest_cluster": largest_cluster}
        if cluster_weights != "size":
            other["cluster_weights"] = cluster_weights
        given = {name: value for name, value in other.items() if value is not None}
        found_by: Certificate = prepared(delta=delta, loss_range=loss_range, epsilon=epsilon, method=method, **given)
        return found_by
    problem = read_problem(
        losses,
        costs=costs,
        objectives=objectives,
        names=names,
        loss_range=loss_range,
        maximise=False if maximise is None else maximise,
        epsilon=epsilon,
        clusters=clusters,
        largest_cluster=largest_cluster,
        cluster_weights=cluster_weights,
    )
    replacing = problem.epsilon.any() and not problem.data_dependent.all()
    shares = Shares(*(total * share for share in (_REPLACING if replacing else _SHARES)[method]))
    found = summaries(problem.evaluation)
    values, boxes, compared = _values_and_boxes(problem, found, shares.boxes)
    below, not_above = _p_values(problem, found, shares)
    sign = np.where(problem.maximise, -1.0, 1.0)
    ends = compared * sign[:, None]
    decisions = decide(
        ends.min(axis=2),
        ends.max(axis=2),
        ~problem.data_dependent,
        problem.epsilon / _scales(problem),
        shares,
        below=below,
        not_above=not_above,
    )
    return Certificate(
        names=problem.evaluation.model_names,
        objectives=tuple(objective.name for objective in problem.objectives),
        maximise=problem.maximise,
        data_dependent=problem.data_dependent,
        sure=decisions.sure,
        within_slack=decisions.within_slack,
        replaceable_by=decisions.replaceable_by,
        excluded=decisions.excluded,
        excluded_by=decisions.excluded_by,
        level=decisions.level,
        beats=decisions.beats,
        estimates=values,
        boxes=boxes,
        epsilon=problem.epsilon,
        delta=total,
        spent=_spent(shares),
        n_examples=max(column.n_examples for column in problem.evaluation.columns),
        methods=tuple(_method(problem, objective, shares) for objective in problem.objectives),
        assumptions=assumptions_of(problem, tested=shares.exclusions > 0.0),
    )


def _scales(problem: Problem) -> FloatArray:
    """Return the units (m,) in which objectives are compared: means of one column in that of its range."""
    plain = [objective.values is None and objective.measure is None for objective in problem.objectives]
    columns = problem.evaluation.columns
    return np.array([columns[o.columns[0]].span if p else 1.0 for o, p in zip(problem.objectives, plain, strict=True)])


def _values_and_boxes(
    problem: Problem, found: list[PairCounts | Moments], share: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return estimates (M, m) and boxes (M, m, 2) in the caller's units, and boxes in those of `_scales`.

    Far from 0 the caller's units round differences away: boxes that touch there decide nothing.
    """
    evaluation = problem.evaluation
    each = share / (evaluation.n_models * len(evaluation.columns))
    means, lows, highs, scaled = [], [], [], []
    for index, (column, summary) in enumerate(zip(evaluation.columns, found, strict=True)):
        lower, upper = np.zeros(evaluation.n_models), np.ones(evaluation.n_models)
        if share > 0.0:
            kept, spent = kept_level(column, -math.log(each))
            lower, upper = column_box(evaluation, index, summary, kept * (each - spent))
        means.append(column.back(estimates(summary)))
        lows.append(column.back(lower, outward=-1))
        highs.append(column.back(upper, outward=1))
        scaled.append((lower, upper))
    values, boxes, compared = [], [], []
    for objective in problem.objectives:
        if objective.values is not None:
            values.append(objective.values)
            boxes.append((objective.values, objective.values))
            compared.append(boxes[-1])
            continue
        part_means, part_lows, part_highs = ([ends[c] for c in objective.columns] for ends in (means, lows, highs))
        if objective.measure is None:
            values.append(part_means[0])
            boxes.append((part_lows[0], part_highs[0]))
            compared.append(scaled[objective.columns[0]])
        else:
            values.append(objective.measure.value(part_means))
            boxes.append(objective.measure.interval(part_lows, part_highs))
            compared.append(boxes[-1])
    shaped = [np.moveaxis(np.array(b, dtype=np.float64), (0, 1, 2), (1, 2, 0)) for b in (boxes, compared)]
    return np.stack(values, axis=1), shaped[0], shaped[1]


def _p_values(
    problem: Problem, found: list[PairCounts | Moments], shares: Shares
) -> tuple[FloatArray | None, FloatArray | None]:
    """Return p-values (m, M, M) against "not better" and against "worse by the slack, or more"; NaN = no test."""
    if shares.exclusions == 0.0:
        return None, None
    evaluation, n_models = problem.evaluation, problem.evaluation.n_models
    log_level = math.log(n_models * (n_models - 1)) - math.log(shares.exclusions)
    requests: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for i, objective in enumerate(problem.objectives):
        if objective.testable:
            for kind, shift in enumerate((0.0, float(problem.epsilon[i]))):
                requests[i, kind] = [(c, shift / evaluation.columns[c].span) for c in objective.columns]
    p = pair_p_values(evaluation, found, [r for group in requests.values() for r in group], log_level=log_level)
    for request in p:
        kept, spent = kept_level(evaluation.columns[request[0]], log_level)
        p[request] = np.minimum(p[request] / kept + spent, 1.0)
    below, not_above = (np.full((len(problem.objectives), n_models, n_models), np.nan) for _ in range(2))
    for (i, kind), group in requests.items():
        largest = np.maximum.reduce([p[request] for request in group])
        (not_above if kind else below)[i] = largest.T if problem.maximise[i] else largest
    return below, not_above


def _spent(shares: Shares) -> tuple[tuple[str, float], ...]:
    return tuple(
        (engine, share)
        for engine, share in (
            ("simultaneous boxes", shares.boxes),
            ("paired tests that exclude", shares.exclusions),
            ("paired tests that confirm", shares.members),
            ("paired tests that replace", shares.replacements),
        )
        if share > 0.0
    )


def _method(problem: Problem, objective: Objective, shares: Shares) -> str:
    """Return interval and test of an objective in words."""
    if objective.values is not None:
        return "known exactly"
    evaluation = problem.evaluation
    words = []
    if shares.boxes > 0.0:
        words.append(" and ".join(dict.fromkeys(box_method(evaluation, c) for c in objective.columns)))
    if shares.exclusions > 0.0:
        slack = bool(problem.epsilon[problem.objectives.index(objective)] > 0.0)
        kinds = (False, True) if slack else (False,)
        tests = dict.fromkeys(chosen_test(evaluation, c, shifted) for c in objective.columns for shifted in kinds)
        words.append(" and ".join(tests) if objective.testable else "no paired test")
    return "; ".join(words)
