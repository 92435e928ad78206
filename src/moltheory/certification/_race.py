"""Which models to evaluate next: a race that drops models as soon as they are decided, valid whenever it stops."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import few, named, quoted
from moltheory._core._validation import FloatArray, Maximise, as_readonly, check_count, check_real
from moltheory.certification._certificate import Certificate
from moltheory.certification._stream import CertificateStream
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RaceResult", "race"]

Bools = npt.NDArray[np.bool_]
Evaluate = Callable[[tuple[str, ...], range], npt.ArrayLike]

# Each batch is at least this share of the examples so far, so that there are few looks.
_GROWTH = 0.05
_REASONS = {
    "decided": "every model is decided",
    "budget": "the budget does not pay for another batch",
    "examples": "there are no more examples",
}


@dataclass(frozen=True, eq=False, repr=False)
class RaceResult(Shown):
    """What a race found and what it cost.

    Attributes
    ----------
    certificate : Certificate
        Valid although the race chose what to evaluate and when to stop.
    evaluations : (M,) ndarray of int64
        Number of examples on which each model was evaluated.
    cost : float
        What the evaluations cost.
    n_examples : int
        Number of examples that some model was evaluated on.
    uniform_cost : float
        What evaluating all models on all these examples would have cost.
    reason : {"decided", "budget", "examples"}
        Why the race stopped.
    history : tuple of (int, int, int, float)
        After each batch of this run: examples so far, models that were evaluated, models that are decided, cost so far.
    """

    certificate: Certificate
    evaluations: npt.NDArray[np.int64]
    cost: float
    n_examples: int
    uniform_cost: float
    reason: str
    history: tuple[tuple[int, int, int, float], ...]

    @property
    def saved(self) -> float:
        """Share of the cost that was saved against evaluating all models on the same number of examples."""
        return 1.0 - self.cost / self.uniform_cost if self.uniform_cost > 0.0 else 0.0

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its status and on how many examples it was evaluated."""
        import pandas as pd

        names, status = list(self.certificate.names), list(self.certificate.status)
        return pd.DataFrame({"model": names, "status": status, "evaluations": self.evaluations})

    def _line(self) -> str:
        """How many models are decided, after how many examples, and what was saved."""
        decided = int(np.count_nonzero(~self.certificate.undecided))
        return (
            f"RaceResult({decided} of {len(self.certificate)} models decided from {self.n_examples:,} examples, "
            f"{percent_text(self.saved)} of the cost saved: {_REASONS[self.reason]})"
        )

    def _card(self) -> Card:
        marks = {"sure": Mark("on the front", "good"), "excluded": Mark("not on the front", "bad")}
        status = self.certificate.status
        rows = [
            [named(name), marks.get(status[h], Mark("cannot tell yet", "open")), int(self.evaluations[h])]
            for h, name in enumerate(self.certificate.names[:MOST_ROWS])
        ]
        return Card(
            "RaceResult",
            self._line().removeprefix("RaceResult(").removesuffix(")"),
            [("cost", number_text(self.cost)), ("cost of evaluating all models", number_text(self.uniform_cost))],
            [Table(["model", "verdict", "evaluations"], rows, len(status), "model")],
            [self.certificate.promise],
            code=["result.certificate", "result.to_frame()"],
        )


@document
def race(
    models: Sequence[str],
    evaluate: Evaluate | npt.ArrayLike,
    /,
    *,
    objectives: int | Sequence[str] = 1,
    budget: float = math.inf,
    n_examples: int | None = None,
    evaluation_costs: Mapping[str, float] | None = None,
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
        whose order is random, in other words not chosen by their losses. NaN is a model that gave no answer. Or a table
        with all losses, for a dry run on examples in random order.
    objectives : int or sequence of str, default 1
        Number N of objectives of the losses, or their names.
    budget : float, optional
        Largest total cost of evaluations, > 0.
    n_examples : int, optional
        Number of examples that there are. By default those of the table, or without end.
    evaluation_costs : mapping of str to float, optional
        Cost > 0 of evaluating each model on one example; 1 by default.
    batch : int, default 100
        Number of examples in a batch, at least; 5 % of the examples so far if these are more.
    {delta_default}
    costs, loss_range, maximise, epsilon
        As in `CertificateStream`. With a tolerance the race ends sooner.
    state : path, optional
        File in which the race is kept after every batch (`CertificateStream.save`). If it is there, the race goes on from
        it; models and objectives must be the same.
    rng : int, SeedSequence, Generator or None, default 0
        Order of the examples of a table.

    Returns
    -------
    RaceResult

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, the losses have another shape, or the file is of another race.

    Notes
    -----
    Which models are evaluated on an example is known before their losses on it, and all certificates of a stream are
    valid at once; so the verdicts are right with probability at least 1 - delta, whatever was asked for and whenever the
    race stopped. Derived (proof: stream). In the spirit of elimination (P. Auer, C.-K. Chiang, R. Ortner and M. Drugan
    2016, Pareto front identification from stochastic bandit feedback), with paired tests instead of separate intervals:
    models are compared on the same examples.

    Complexity: O(M^2 N) time per batch and O(M^2 N) per example at most; O(M^2 N) memory.

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.random.default_rng(0).random((5000, 4)) < [0.1, 0.2, 0.4, 0.5]
    >>> result = race(["a", "b", "c", "d"], losses[:, :, None], objectives=["error"])
    >>> result.certificate.status, result.reason, result.saved > 0.2
    (('sure', 'excluded', 'excluded', 'excluded'), 'decided', True)
    """
    stream = CertificateStream(
        models, objectives, delta, costs=costs, loss_range=loss_range, maximise=maximise, epsilon=epsilon
    )
    names, count = stream._names, len(stream._objectives)
    check_count("batch", batch)
    if not budget > 0.0:
        raise InvalidInputError(f"`budget` must be > 0, got {budget}.")
    if n_examples is not None:
        check_count("n_examples", n_examples)
    each = _prices(evaluation_costs, names)
    ask, available = _source(evaluate, names, count, rng)
    most = min(available, math.inf if n_examples is None else n_examples)
    path = None if state is None else Path(state)
    if path is not None and path.exists():
        stream = _resumed(path, stream)
    history: list[tuple[int, int, int, float]] = []
    while True:
        certificate = stream.certificate()
        evaluations = stream._objectives[0].count
        spent = float(evaluations @ each)
        if not certificate.undecided.any():
            reason = "decided"
            break
        active = certificate.undecided | certificate.open_rivals[certificate.undecided].any(axis=0)
        done = stream.n_examples
        paid = math.inf if math.isinf(budget) else (budget - spent) // float(each[active].sum())
        size = min(max(batch, int(_GROWTH * done)), most - done, paid)
        if size < 1:
            reason = "examples" if most - done < 1 else "budget"
            break
        rows = np.full((int(size), len(names), count), np.nan)
        asked = tuple(name for name, yes in zip(names, active.tolist(), strict=True) if yes)
        rows[:, active] = _checked(ask(asked, range(done, done + int(size))), (int(size), len(asked), count))
        stream.update(rows)
        if path is not None:
            stream.save(path)
        decided = int(np.count_nonzero(~stream.certificate().undecided))
        history.append((stream.n_examples, len(asked), decided, float(stream._objectives[0].count @ each)))
    return RaceResult(
        certificate=certificate,
        evaluations=as_readonly(evaluations),
        cost=spent,
        n_examples=stream.n_examples,
        uniform_cost=float(stream.n_examples * each.sum()),
        reason=reason,
        history=tuple(history),
    )


def _prices(costs: Mapping[str, float] | None, names: tuple[str, ...]) -> FloatArray:
    if costs is None:
        return np.ones(len(names))
    if not isinstance(costs, Mapping) or set(costs) != set(names):
        found = sorted(set(names) ^ set(costs)) if isinstance(costs, Mapping) else type(costs).__name__
        raise InvalidInputError(
            f"`evaluation_costs` must map every model to a number > 0, got "
            f"{found if isinstance(found, str) else few(found)}."
        )
    each = np.array([check_real("evaluation_costs", costs[name]) for name in names])
    if (each <= 0.0).any():
        raise InvalidInputError(f"`evaluation_costs` must be > 0, got {each.min():g}.")
    return each


def _source(evaluate: Any, names: tuple[str, ...], count: int, rng: RandomSource) -> tuple[Evaluate, float]:
    """Return what evaluates models, and the number of examples that it has."""
    if callable(evaluate):
        return evaluate, math.inf
    table = np.asarray(evaluate)
    if table.ndim == 2 and count == 1:
        table = table[:, :, None]
    if table.ndim != 3 or table.shape[1:] != (len(names), count) or table.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"`evaluate` must be a function, or losses of shape (n, {len(names)}, {count}), got shape {table.shape}."
        )
    order = np.random.default_rng(as_seed_sequence(rng)).permutation(table.shape[0])

    def look_up(models: tuple[str, ...], examples: range) -> npt.NDArray[Any]:
        columns = [names.index(name) for name in models]
        return np.asarray(table[order[examples.start : examples.stop]][:, columns])

    return look_up, table.shape[0]


def _checked(losses: Any, shape: tuple[int, int, int]) -> npt.NDArray[Any]:
    found = np.asarray(losses)
    if found.ndim == 2 and shape[2] == 1:
        found = found[:, :, None]
    if found.shape != shape or found.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"`evaluate` must return losses of shape {shape} for these models and examples, got "
            f"{found.dtype} of shape {found.shape}."
        )
    return found


def _resumed(path: Path, fresh: CertificateStream) -> CertificateStream:
    """Return the stream in a file, which must be of the same race."""
    stream = CertificateStream.load(path)
    for what in ("_names", "_labels", "_delta", "_maximise"):
        if getattr(stream, what) != getattr(fresh, what):
            found = quoted(str(getattr(stream, what)))
            raise InvalidInputError(f"`state` must be of the same race, got other {_CALLED[what]}: {found}.")
    for what in ("_low", "_high", "_epsilon", "_costs"):
        if not np.array_equal(getattr(stream, what), getattr(fresh, what)):
            raise InvalidInputError(f"`state` must be of the same race, got one with another {_CALLED[what]}.")
    return stream


_CALLED = {
    "_names": "models",
    "_labels": "objectives",
    "_delta": "delta",
    "_maximise": "directions",
    "_low": "range of losses",
    "_high": "range of losses",
    "_epsilon": "tolerance",
    "_costs": "table of costs",
}
