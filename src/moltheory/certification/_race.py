"""Which models to evaluate next: a race that drops models as soon as they are decided, valid whenever it stops."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._text import quoted
from moltheory._core._validation import Maximise, as_readonly, check_choice, check_count
from moltheory.certification._race_answers import refuse_silent
from moltheory.certification._race_file import read_race, state_path, write_race
from moltheory.certification._race_result import RaceResult
from moltheory.certification._race_sampling import SAMPLINGS, wanted
from moltheory.certification._race_source import Prices, Source
from moltheory.certification._stream import CertificateStream
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource

__all__ = ["RaceResult", "race"]

Evaluate = Callable[[Any, range], npt.ArrayLike]

# Each batch is at least this share of the examples so far, so that there are few looks.
_GROWTH = 0.05


@document
def race(
    models: Sequence[str],
    evaluate: Evaluate | npt.ArrayLike,
    /,
    *,
    objectives: int | Sequence[str] = 1,
    budget: float = math.inf,
    n_examples: int | None = None,
    evaluation_costs: Mapping[str, float | Mapping[str, float]] | None = None,
    ask: str = "models",
    sampling: str = "elimination",
    batch: int = 100,
    delta: float = 0.05,
    costs: object = None,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    maximise: Maximise | Sequence[str] = False,
    epsilon: npt.ArrayLike = 0.0,
    state: str | os.PathLike[str] | None = None,
    rng: RandomSource = 0,
) -> RaceResult:
    """Return a certificate from evaluations that are asked for batch by batch, of models that still matter only.

    A model is evaluated on a batch if it is undecided, or may still dominate an undecided one.

    Parameters
    ----------
    models : sequence of str
        Names of M >= 2 models.
    evaluate : callable or (n, M, N) array_like
        ``evaluate(models, examples)``: losses (b, k, N) of k models on b examples, given as a range of numbers of examples
        whose order is random, in other words not chosen by their losses. NaN is a model that gave no answer, whatever its
        loss would have been; one that never answers is refused. Or a table with all losses, for a dry run on examples in
        random order. Models and objectives that a frame, a mapping or a labelled array names are matched.
    objectives : int or sequence of str, default 1
        Number N of objectives of the losses, or their names.
    budget : float, optional
        Largest total cost of evaluations, > 0.
    n_examples : int, optional
        Number of examples that there are. By default those of the table, or without end: a race of equal models then needs
        a budget or a tolerance.
    evaluation_costs : mapping of str to float or to mapping of str to float, optional
        Cost > 0 of evaluating each model on one example, 1 by default, of which each objective has an equal part; or of
        each of its objectives by name.
    ask : {{"models", "objectives"}}, default "models"
        With "objectives", each objective of a model is asked for by itself, and no more once no undecided model depends on
        it: ``evaluate(pairs, examples)`` gets k pairs (model, objective) and returns losses (b, k) in their order, without
        names.
    sampling : {{"elimination", "top-two"}}, default "elimination"
        What is evaluated: all that may still matter; or, for each undecided model, what settles it at the least cost by
        the evidence so far, which is its challenger if it seems excluded, and otherwise the objective in which it is
        furthest ahead of each open rival. See Notes.
    batch : int, default 100
        Number of examples in a batch, at least; 5 % of the examples so far if these are more.
    {delta_default}
    costs, loss_range, maximise, epsilon
        As in `CertificateStream`. With a tolerance the race ends sooner.
    state : path, optional
        File in which the race is kept after every batch. If it is there, the race goes on from it, with the same result as
        without the break; models, objectives, `evaluation_costs` and a table's examples must be the same.
    rng : int, SeedSequence, Generator or None, default 0
        Order of the examples of a table.

    Returns
    -------
    RaceResult

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, the losses have another shape or other names, a model never answers, or the
        file is of another race or cannot be written.

    Notes
    -----
    What is evaluated on an example is known before all losses on it, and all certificates of a stream are valid at once;
    so the verdicts are right with probability at least 1 - delta, whatever was asked for and whenever the race stopped.
    Models are compared on the same new examples: evaluating a model later on examples on which its rival's losses are known
    would void the guarantee.

    "top-two" saves as much cost as "elimination" or more in most simulated worlds, above all if objectives are asked for one
    by one; it takes more examples, and where these end it may leave more models undecided.

    Complexity: O(M^2 N) time per batch and O(M^2 N) per example at most; O(M^2 N) memory.

    References
    ----------
    Derived (proof: stream). In the spirit of elimination (P. Auer, C.-K. Chiang, R. Ortner and M. Drugan 2016, Pareto front
    identification from stochastic bandit feedback), of leaders and their challengers (C. Kone, E. Kaufmann and L. Richert
    2023, arXiv 2307.00424) and of sampling in proportion to what settles the front (É. Crépon, A. Garivier and W. M. Koolen
    2024, arXiv 2501.17513), with paired tests instead of separate intervals.

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.random.default_rng(0).random((5000, 4)) < [0.1, 0.2, 0.4, 0.5]
    >>> result = race(["a", "b", "c", "d"], losses[:, :, None], objectives=["error"])
    >>> result.certificate.status, result.reason, result.saved > 0.2
    (('sure', 'excluded', 'excluded', 'excluded'), 'decided', True)
    """
    if hasattr(models, "__len__") and not isinstance(models, str) and len(models) < 2:
        raise InvalidInputError(f"`models` must name at least 2 models, got {len(models)}.")
    stream = CertificateStream(
        models, objectives, delta, costs=costs, loss_range=loss_range, maximise=maximise, epsilon=epsilon
    )
    names, labels = stream._names, stream._labels[: len(stream._objectives)]
    check_count("batch", batch)
    check_choice("sampling", sampling, SAMPLINGS)
    apart = check_choice("ask", ask, ("models", "objectives")) == "objectives"
    if isinstance(budget, bool) or not isinstance(budget, numbers.Real):
        raise InvalidInputError(f"`budget` must be a real number, got {quoted(budget)}.")
    if not budget > 0.0:
        raise InvalidInputError(f"`budget` must be > 0, got {budget}.")
    if n_examples is not None:
        check_count("n_examples", n_examples)
    prices = Prices.of(evaluation_costs, names, labels)
    path = None if state is None else state_path(state)
    source = Source.of(evaluate, names, labels, rng, apart=apart)
    most = min(source.available, math.inf if n_examples is None else n_examples)
    asked = np.zeros((len(names), len(labels)), np.int64)
    if path is not None and path.exists():
        stream, asked = read_race(path, stream, prices.cells, source.origin)
    history: list[tuple[int, int, int, float]] = []
    while True:
        certificate, done = stream.certificate(), stream.n_examples
        if history:
            history[-1] = (*history[-1][:2], int(np.count_nonzero(~certificate.undecided)), history[-1][3])
        if not certificate.undecided.any():
            reason = "decided"
            break
        cells = wanted(stream, certificate, prices.cells, sampling, apart=apart)
        paid = (budget - prices.spent(asked)) // prices.spent(cells) if math.isfinite(budget) else math.inf
        size = min(max(batch, int(_GROWTH * done)), most - done, paid)
        if size < 1:
            reason = "examples" if most - done < 1 else "budget"
            break
        stream.update(source.rows(cells, range(done, done + int(size))))
        asked += int(size) * cells
        if path is not None:
            write_race(path, stream, asked, prices.cells, source.origin)
        counts = np.stack([objective.count for objective in stream._objectives], axis=1)
        refuse_silent(counts, asked, cells, most, names, labels)
        history.append((stream.n_examples, int(cells.any(axis=1).sum()), 0, prices.spent(asked)))
    return RaceResult(
        certificate=certificate,
        evaluations=as_readonly(asked.max(axis=1)),
        evaluations_by_objective=as_readonly(asked),
        cost=prices.spent(asked),
        n_examples=done,
        uniform_cost=prices.spent(np.full(asked.shape, done)),
        reason=reason,
        history=tuple(history),
    )
