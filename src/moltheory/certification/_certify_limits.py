"""`certify_limits`: which models meet limits that are fixed before the data (Learn then Test, Pareto testing)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._text import few, quoted
from moltheory._core._validation import FloatArray, Maximise, as_readonly, check_choice, check_fraction
from moltheory.certification._data_warnings import directions_stated, warn_about_data
from moltheory.certification._limit_p_values import P_VALUES, LimitedColumn, limited_columns, p_values_of
from moltheory.certification._limit_tests import LimitTests
from moltheory.certification._limits import is_mean, named_limits
from moltheory.certification._rejections import PROCEDURES, check_graph, rejections
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import Comparison, read_comparison
from moltheory.evaluation._scan import Scan
from moltheory.pareto import nondominated
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["certify_limits"]


@document
def certify_limits(
    losses: Any,
    limits: Mapping[str, float],
    /,
    *,
    delta: float = 0.05,
    order: Sequence[str] | None = None,
    pilot: float | None = None,
    procedure: Literal["fixed-sequence", "graphical", "holm"] = "fixed-sequence",
    weights: npt.ArrayLike | None = None,
    transitions: npt.ArrayLike | None = None,
    p_values: Literal["auto", "binomial", "hoeffding-bentkus", "betting"] = "auto",
    rng: RandomSource = 0,
    costs: Any = None,
    objectives: Any = None,
    names: Sequence[str] | None = None,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    maximise: Maximise | Sequence[str] | None = None,
    clusters: npt.ArrayLike | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
) -> LimitTests:
    """Return which models meet limits, with probability at least 1 - delta all of them, at limits fixed before the data.

    Sharper than `Certificate.within`, whose limits may be chosen after looking: models are tested one after another, and
    a model costs nothing as long as those before it pass.

    Parameters
    ----------
    losses : LossTable, source of blocks, (n, M, N) or (n, M) array_like, DataFrame, or mapping
        As in `certify`.
    limits : mapping of str to float
        Limits of means of losses (also shares above a number, and rates) or of known costs, in their units: from above,
        or from below where larger is better. **Fixed before the data are seen**, like everything else here. A limit on a
        known cost needs no test: models that break it are left out beforehand and never certified, and where all limits
        are of this kind, the others have p-value 0 and are certified.
    {delta_default}
    order : sequence of str, optional
        Names of models, the most promising first; those left out are not tested. By default the order of the
        models, or that of the pilot.
    pilot : float, optional
        Share of the examples, in (0, 1), on which the order is found (Pareto testing): the models on the estimated front
        or level with it in some objective, of all objectives, limited or not, by the p-values that they have there. Tests
        use the other examples alone.
    procedure : {"fixed-sequence", "graphical", "holm"}
        Stop at the first model that fails; pass the level of models that are certified on along a graph; or treat all
        alike.
    weights, transitions : (M,) and (M, M) array_like, optional
        The graph, for the models of the order: their shares of delta, and how the share of a certified model is
        divided. One that breaks a limit on a known cost has p-value 1 there and keeps its share. By default equal shares
        of the other models, each passed on to the next one (the fallback procedure).
    p_values : {"auto", "binomial", "hoeffding-bentkus", "betting"}
        Exact binomial tails, for losses that are 0 or 1 by nature; Hoeffding-Bentkus or bets for others. By default
        binomial where the type of the losses says 0/1 (bool or integer), else bets.
    rng : int, SeedSequence, Generator or None, default 0
        Which examples make the pilot.
    costs, objectives, names, loss_range, maximise, clusters, largest_cluster, cluster_weights
        As in `certify`.

    Returns
    -------
    LimitTests

    Raises
    ------
    InvalidInputError
        If a limit does not fit the data, the order or the graph is no such thing, the pilot leaves no example, or the
        losses are refused.

    Warns
    -----
    DataWarning
        As in `certify`.

    Notes
    -----
    A model's p-value is the largest of those of its limits (R. L. Berger 1982). With an order, a graph and limits that do
    not depend on the tested examples, a model that breaks a limit is certified with probability at most delta. The front
    among the certified models is by their estimates and is no claim. The bounds of `p_values` are those of one mean;
    derived for bets and clusters (proof: limit-tests).

    Complexity: O(n M k) time and memory for k limits.

    References
    ----------
    Learn then Test: A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan and L. Lei (2021), arXiv 2110.01052.
    Pareto testing: B. Laufer-Goldshtein, A. Fisch, R. Barzilay and T. Jaakkola (2023), arXiv 2210.07913.
    Hoeffding-Bentkus: S. Bates et al. (2021), arXiv 2101.02703. Graphs: F. Bretz et al. (2009), doi 10.1002/sim.3495.

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.zeros((200, 4, 2), dtype=bool)
    >>> for model, (first, second) in enumerate([(12, 6), (16, 8), (20, 9), (24, 11)]):
    ...     losses[:first, model, 0] = losses[:second, model, 1] = True
    >>> limits = {"error": 0.15, "harm": 0.10}
    >>> found = certify_limits(losses, limits, names=list("abcd"), objectives=["error", "harm"])
    >>> found.certified, found.p_value.round(3)
    (array([ True,  True,  True, False]), array([...]))
    >>> certify_limits(losses, limits, objectives=["error", "harm"], p_values="hoeffding-bentkus").certified
    array([ True,  True, False, False])
    """
    total = check_fraction("delta", delta)
    check_choice("procedure", procedure, PROCEDURES)
    check_choice("p_values", p_values, P_VALUES)
    if procedure != "graphical" and (weights is not None or transitions is not None):
        raise InvalidInputError(
            f"`weights` and `transitions` must be left out with {procedure!r}, got one: use 'graphical'."
        )
    if pilot is not None:
        check_fraction("pilot", pilot)
        if order is not None:
            raise InvalidInputError("`order` must be left out with a `pilot`, which finds one, got both.")
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
    checked = named_limits(limits, [objective.name for objective in problem.objectives])
    tested = _order(problem, order)
    scan = problem.scan(largest_cluster, cluster_weights)
    warn_about_data(problem, scan, losses, stated=maximise is not None or directions_stated(losses))
    columns = limited_columns(problem, scan, checked)
    if pilot is not None:
        first, columns = _split(problem, scan, columns, pilot, rng)
        tested = _pilot_order(problem, checked, first, p_values, math.log(1.0 / total))
    graph = check_graph(weights, transitions, len(tested))
    table = _table(problem, checked, columns, p_values, math.log(1.0 / total))
    largest = table.max(axis=1)
    # What breaks a limit on a known cost is known without data; only a graph of the caller's still has a place for it.
    known = [k for k, name in enumerate(checked) if name not in columns]
    placed, tested = tested, [h for h in tested if (table[h, known] == 0.0).all()]
    certified = np.zeros(largest.size, dtype=np.bool_)
    run = tested if graph is None else placed
    if run:
        certified[run] = rejections(largest[run], total, procedure, graph)
    estimates = _estimates(problem, scan)
    return LimitTests(
        names=problem.model_names,
        limits=checked,
        maximise=tuple(_is_maximised(problem, name) for name in checked),
        p_values=as_readonly(table),
        order=tuple(problem.model_names[h] for h in tested),
        certified=as_readonly(certified),
        estimates=as_readonly(estimates),
        objectives=tuple(objective.name for objective in problem.objectives),
        directions=problem.maximise,
        procedure=procedure,
        delta=total,
        n_tested=min((column.values.shape[0] for column in columns.values()), default=0),
    )


def _is_maximised(problem: Comparison, name: str) -> bool:
    names = [objective.name for objective in problem.objectives]
    return bool(problem.maximise[names.index(name)])


def _order(problem: Comparison, order: Sequence[str] | None) -> list[int]:
    known = list(problem.model_names)
    if order is None:
        return list(range(len(known)))
    if isinstance(order, Set | Mapping) or not isinstance(order, Iterable):
        # The order of a set is another one in the next process.
        raise InvalidInputError(f"`order` must be a list of names, got {type(order).__name__}.")
    wanted = [order] if isinstance(order, str) else list(order)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted or len(set(wanted)) < len(wanted):
        got = quoted(unknown[0]) if unknown else wanted
        raise InvalidInputError(f"`order` must name models among {few(known, 8, describe=str)}, each once, got {got}.")
    return [known.index(name) for name in wanted]


def _table(
    problem: Comparison, limits: dict[str, float], columns: dict[str, LimitedColumn], kind: str, log_level: float
) -> FloatArray:
    """Return p-values (M, k); of known costs 0 or 1."""
    found = []
    for name, limit in limits.items():
        if name in columns:
            found.append(p_values_of(columns[name], kind, log_level))
            continue
        objective = next(one for one in problem.objectives if one.name == name)
        values = np.asarray(objective.values)
        found.append(np.where(values >= limit if _is_maximised(problem, name) else values <= limit, 0.0, 1.0))
    return np.column_stack(found)


def _estimates(problem: Comparison, scan: Scan, rows: npt.NDArray[Any] | None = None) -> FloatArray:
    """Return estimates (M, m) of means and known costs, in the caller's units; NaN for everything else."""
    out = np.full((scan.n_models, len(problem.objectives)), np.nan)
    for i, objective in enumerate(problem.objectives):
        if objective.values is not None:
            out[:, i] = objective.values
        elif is_mean(objective):
            index = objective.columns[0]
            units = scan.stacked(index)
            column = LimitedColumn(scan.columns[index], units.values, units.sizes, 0.0, (0.0, False))
            means = (column if rows is None else column.part(rows)).means()
            out[:, i] = scan.columns[index].to_original_units(means)
    return out


def _split(
    problem: Comparison, scan: Scan, columns: dict[str, LimitedColumn], pilot: float, rng: RandomSource
) -> tuple[tuple[FloatArray, dict[str, LimitedColumn]], dict[str, LimitedColumn]]:
    """Return estimates and columns of the pilot, and the columns of the other units."""
    if not _complete(problem, scan):
        raise InvalidInputError(
            "`pilot` must be left out unless every model was evaluated on every example in every objective, got losses "
            "that are missing or a condition on the examples: give an `order`."
        )
    n = next((scan.columns[one.columns[0]].n_units for one in problem.objectives if is_mean(one)), 0)
    size = round(pilot * n)
    if not 1 <= size < n:
        raise InvalidInputError(f"`pilot` must leave an example on both sides, got {pilot:g} of {n}.")
    shuffled = np.random.default_rng(as_seed_sequence(rng)).permutation(n)
    first, rest = np.sort(shuffled[:size]), np.sort(shuffled[size:])
    return (
        (_estimates(problem, scan, first), {name: column.part(first) for name, column in columns.items()}),
        {name: column.part(rest) for name, column in columns.items()},
    )


def _complete(problem: Comparison, scan: Scan) -> bool:
    """Whether the means are all of the same units, so that these can be split."""
    means = [one for one in problem.objectives if is_mean(one)]
    if not all(one.measure is None or one.measure.cells[0].where.all() for one in means):
        return False
    columns = {one.columns[0] for one in means}
    return all(scan.columns[c].complete and scan.columns[c].n_examples == scan.prints.rows[c] for c in columns)


def _pilot_order(
    problem: Comparison,
    limits: dict[str, float],
    pilot: tuple[FloatArray, dict[str, LimitedColumn]],
    kind: str,
    log_level: float,
) -> list[int]:
    """Return the weakly Pareto-optimal models of the pilot, those with the smallest p-values there first."""
    estimates, columns = pilot
    known = np.asarray(~np.isnan(estimates).any(axis=0))
    up = [up for up, yes in zip(problem.maximise, known.tolist(), strict=True) if yes]
    # Weakly: of models with equal estimates, as few errors have them, the safer one is tested before the cheaper one.
    front = np.flatnonzero(nondominated(estimates[:, known], maximise=up, weak=True))
    p = _table(problem, limits, columns, kind, log_level).max(axis=1)
    return [int(h) for h in front[np.argsort(p[front], kind="stable")]]
