"""Certificates that are valid after every example simultaneously, so that stopping may depend on the data."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, Maximise, check_count, check_fraction, check_names
from moltheory.certification._cards import stream_card, stream_line
from moltheory.certification._decisions import decide
from moltheory.certification._memory import require_pairs
from moltheory.certification._row_blocks import row_blocks
from moltheory.certification._shares import Shares
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_epsilon, read_maximise, read_ranges
from moltheory.evaluation._measured_cost import total_delta
from moltheory.evaluation._memory import rows_of_stream
from moltheory.evaluation._objectives import cost_objectives
from moltheory.inference._anytime import mean_ends, mixture_of_bets, sign_mixture
from moltheory.inference._pair_sums import part_of
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["CertificateStream"]

_ASSUMPTIONS = (
    "models fixed before the data",
    "examples in the order of their arrival, each with the same mean losses given all earlier ones",
    "which models are evaluated on an example is determined before their losses on it are known",
    "losses inside their stated range",
    "costs known exactly",
)
_MEASURED = "intervals of measured costs that hold for all models at once, except with their part of delta"


@document
class CertificateStream(Printed):
    """Certificates of models from examples that arrive one after another, all valid at once.

    With probability at least 1 - delta, no certificate ever made from the stream, after any number of examples, reports
    a model as ``sure`` that is not on the front (to within the tolerance), or one of the front as ``excluded``. So the
    certificate may be inspected after every example, and sampling may stop at any time. In exchange, decisions take
    more examples than with `moltheory.certify`, which allows one look at a number of examples fixed in advance.

    Parameters
    ----------
    models : int or sequence of str
        Number M >= 2 of models, or their names.
    objectives : int or sequence of str
        Number N >= 1 of objectives with data, or their names.
    delta : float
        Total failure probability over all times, in (0, 1).
    {costs}
    loss_range : pair, default (0, 1)
        Smallest and largest possible loss, each one number or one per objective with data.
    maximise : bool, sequence of bool or of str, default False
        As in `moltheory.certify`.
    {tolerance}

    {raises}

    Notes
    -----
    Dependent examples (of one patient, one prompt) must enter as one example, by their mean losses. Clusters then weigh
    the same, whatever their sizes, as with ``cluster_weights="equal"`` in `moltheory.certify`.

    Complexity: only sums are kept: O(M^2 N) memory; O(b M^2 N) time per update with b examples, O(M^2 N) per certificate,
    whatever the number of examples so far. Losses
    that are all 0 or 1 so far are counted as bits, with a test of their own. Boxes are the intersection of those of all
    looks, and p-values the smallest so far; only requested certificates count as looks. The claims follow as in
    `moltheory.certify`: its families of claims need p-values and boxes only, and here these are valid at all times at
    once. delta is split in advance as there.

    References
    ----------
    Derived (proof: sum-martingales, stream) from J. Ville (1939); H. Robbins (1970), doi 10.1214/aoms/1177696786
    (mixtures); X. Fan, I. Grama and Q. Liu (2015), doi 10.1214/EJP.v20-3496; see `moltheory.bounds.confidence_sequence`
    for other sequences.

    Examples
    --------
    >>> stream = CertificateStream(["old", "new"], ["error"], 0.05)
    >>> for example in range(60):
    ...     stream.update([[[1], [0]] if example % 3 == 0 else [[0], [0]]])
    >>> stream.n_examples, stream.certificate().status
    (60, ('excluded', 'sure'))
    """

    def __init__(
        self,
        models: int | Sequence[str],
        objectives: int | Sequence[str],
        delta: float,
        *,
        costs: object = None,
        loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
        maximise: Maximise | Sequence[str] = False,
        epsilon: npt.ArrayLike = 0.0,
    ) -> None:
        self._names = _labels("models", models, low=2, stem="model")
        of_losses = _labels("objectives", objectives, low=1, stem="objective")
        self._delta = check_fraction("delta", delta)
        costs_found = cost_objectives(costs, self._names)
        cost_names = tuple(cost.name for cost in costs_found)
        self._labels = check_names(
            "objectives", (*of_losses, *cost_names), length=len(of_losses) + len(cost_names), stem=""
        )
        self._low, self._high = read_ranges(loss_range, of_losses)
        self._maximise = read_maximise(maximise, of_losses, cost_names)
        self._epsilon = read_epsilon(epsilon, np.arange(len(self._labels)) < len(of_losses))
        # Measured costs have intervals of their own, which hold at all times or never.
        self._measured = np.array([False] * len(of_losses) + [cost.measured is not None for cost in costs_found])
        self._with_data = (np.arange(len(self._labels)) < len(of_losses)) | self._measured
        self._costs = np.empty((3, len(self._names), len(costs_found)))
        for k, cost in enumerate(costs_found):
            found = cost.measured
            self._costs[:, :, k] = cost.values if found is None else (found.value, found.low, found.high)
        spent = total_delta([cost.measured for cost in costs_found if cost.measured is not None], self._delta)
        replacing = bool(not self._with_data.all() and self._epsilon.any())
        self._shares = Shares.of(self._delta, replacing=replacing, measured=spent)
        self._n = 0
        # Evidence and p-values of one or two hypotheses, counts, and what decisions take.
        kinds = 2 if self._epsilon.any() else 1
        require_pairs((16 * kinds + 4) * len(of_losses) + 25, len(self._names), "models", block=80)
        self._objectives = [_Objective(len(self._names)) for _ in of_losses]

    @property
    def n_examples(self) -> int:
        """Number of examples so far."""
        return self._n

    def update(self, losses: npt.ArrayLike, /) -> None:
        """Add examples in the order of their arrival.

        Parameters
        ----------
        losses : (b, M, N) or (M, N) array_like
            Losses of b examples, or of one; NaN marks a model that was not evaluated. Models and objectives that a frame
            or a labelled array names are matched.

        Raises
        ------
        InvalidInputError
            If the shape is wrong or a loss is outside its range; then nothing is added.
        """
        rows = rows_of_stream(losses, self._names, self._labels[: len(self._objectives)])
        shape = (len(self._names), len(self._objectives))
        if rows.dtype.kind not in "biuf" or rows.ndim not in (2, 3) or rows.shape[-2:] != shape:
            raise InvalidInputError(
                f"`losses` must be real numbers of shape (b, {shape[0]}, {shape[1]}), got shape {rows.shape}."
            )
        rows = rows[None] if rows.ndim == 2 else rows
        outside = (rows < self._low) | (rows > self._high)
        if outside.any():
            k = int(np.flatnonzero(outside.any(axis=(0, 1)))[0])
            raise InvalidInputError(
                f"`losses` must lie in `loss_range` [{self._low[k]:g}, {self._high[k]:g}] in objective "
                f"{self._labels[k]!r}, got {rows[:, :, k][outside[:, :, k]][0]:g}."
            )
        for k, objective in enumerate(self._objectives):
            x = (rows[:, :, k] - self._low[k]) / (self._high[k] - self._low[k])
            objective.update(1.0 - x if self._maximise[k] else x)
        self._n += rows.shape[0]

    def certificate(self) -> Certificate:
        """Return the certificate of the examples so far, valid together with all earlier and later ones.

        The estimate of a model that has not been evaluated yet is the middle of the range.
        """
        from moltheory.certification._certificate import Certificate

        n_models, count = len(self._names), len(self._objectives)
        shares = self._shares
        log_level = math.log(n_models * count / shares.boxes)
        span = self._high - self._low
        tests = np.full((2, len(self._labels), n_models, n_models), np.nan)
        costs = np.where(self._maximise[count:], -self._costs[1:], self._costs[1:])
        boxes = np.empty((2, n_models, len(self._labels)))
        boxes[:, :, count:] = np.sort(costs, axis=0)
        means = np.empty((n_models, count))
        for k, objective in enumerate(self._objectives):
            objective.look(log_level)
            boxes[0, :, k], boxes[1, :, k] = objective.lower, objective.upper
            slack = float(self._epsilon[k] / span[k])
            tests[0, k], tests[1, k] = objective.p_values(0.0), objective.p_values(slack)
            seen = objective.count
            means[:, k] = np.where(seen > 0, objective.total / np.maximum(seen, 1), 0.5)
        scaled = self._epsilon.copy()
        scaled[:count] /= span
        with np.errstate(invalid="ignore"):
            found = decide(boxes[0], boxes[1], ~self._with_data, scaled, shares, below=tests[0], not_above=tests[1])
        estimates = np.concatenate([self._back(means), self._costs[0]], axis=1)
        ends = np.stack([self._back(boxes[0, :, :count]), self._back(boxes[1, :, :count])], axis=2)
        both = np.concatenate([np.sort(ends, axis=2), np.moveaxis(self._costs[1:], 0, 2)], axis=1)
        engine = "beta mixture and betting confidence sequence; time-uniform paired test"
        return Certificate(
            names=self._names,
            objectives=self._labels,
            maximise=self._maximise,
            data_dependent=self._with_data,
            sure=found.sure,
            within_slack=found.within_slack,
            replaceable_by=found.replaceable_by,
            decided_at=found.decided_at,
            leaning=found.leaning,
            open_rivals=found.open_rivals,
            excluded=found.excluded,
            excluded_by=found.excluded_by,
            adjusted_p_value=found.level,
            dominates=found.dominates,
            estimates=estimates,
            boxes=both,
            epsilon=self._epsilon,
            delta=self._delta,
            delta_allocation=shares.allocation(),
            n_examples=self._n,
            methods=tuple(
                "measured; intervals given; no paired test" if own else engine if data else "known exactly"
                for own, data in zip(self._measured.tolist(), self._with_data.tolist(), strict=True)
            ),
            assumptions=(*_ASSUMPTIONS, *([_MEASURED] if self._measured.any() else [])),
            measured=self._measured,
        )

    def save(self, path: str | os.PathLike[str], /) -> None:
        """Write the stream to a file, from which `load` restores an equal one: it goes on as if it had not been stopped.

        Parameters
        ----------
        path : path
            Ending in .npz by custom. An older file there is replaced once the new one is complete.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from moltheory.certification._stream_file import write_stream

        write_stream(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], /) -> CertificateStream:
        """Return the stream that `save` wrote; nothing in the file is run.

        Raises
        ------
        InvalidInputError
            If there is no such file, or it holds something else.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> stream = CertificateStream(["old", "new"], ["error"], 0.05)
        >>> stream.update([[[1], [0]], [[0], [0]]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stream.save(pathlib.Path(folder) / "stream.npz")
        ...     again = CertificateStream.load(pathlib.Path(folder) / "stream.npz")
        >>> again.n_examples, again.certificate() == stream.certificate()
        (2, True)
        """
        from moltheory.certification._stream_file import read_stream

        return read_stream(cls, path)

    def _back(self, scaled: FloatArray) -> FloatArray:
        """Return means (M, N) in the caller's units and orientation."""
        count = len(self._objectives)
        turned = np.where(self._maximise[:count], 1.0 - scaled, scaled)
        values: FloatArray = np.clip(self._low + (self._high - self._low) * turned, self._low, self._high)
        return values

    def _line(self) -> str:
        return stream_line(self)

    def _card(self) -> Card:
        return stream_card(self)


class _Objective:
    """Sums of one objective, and the strongest evidence so far.

    Losses are counted as bits while all of them are 0 or 1; from the first other loss on they are added to moments. The
    half of the evidence that is for 0/1 losses ends there, and keeps the value it had reached.
    """

    def __init__(self, n_models: int) -> None:
        self._counts = PairCounts(n_models)
        self._moments: PairMoments | None = None
        self.lower, self.upper = np.zeros(n_models), np.ones(n_models)
        self.evidence: dict[float, FloatArray] = {}

    def update(self, rows: FloatArray) -> None:
        binary = (rows == 0.0) | (rows == 1.0) | np.isnan(rows)
        if self._moments is None and not binary.all():
            self._moments = PairMoments(self._counts.n_models)
        (self._moments or self._counts).update(rows)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays from which `restore` makes an equal objective."""
        found = {f"counts.{name}": array for name, array in self._counts.state().items()}
        if self._moments is not None:
            found |= {f"moments.{name}": array for name, array in self._moments.state().items()}
        for number, (shift, table) in enumerate(self.evidence.items()):
            found |= {f"evidence.{number}": table, f"shift.{number}": np.array([shift])}
        return found | {"lower": self.lower, "upper": self.upper}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned."""
        self._counts.restore(part_of(state, "counts"))
        moments = part_of(state, "moments")
        if moments:
            self._moments = PairMoments(self._counts.n_models)
            self._moments.restore(moments)
        self.lower, self.upper = state["lower"].copy(), state["upper"].copy()
        shifts = part_of(state, "shift")
        self.evidence = {float(shift[0]): state[f"evidence.{number}"].copy() for number, shift in shifts.items()}

    @property
    def count(self) -> npt.NDArray[np.int64]:
        """Number of examples on which each model was evaluated."""
        return self._counts.count + (self._moments.count if self._moments else 0)

    @property
    def total(self) -> FloatArray:
        """Sum of losses of each model."""
        errors = self._counts.errors.astype(np.float64)
        return errors + self._moments.sum if self._moments else errors

    def look(self, log_level: float) -> None:
        """Intersect the boxes with the present ones; failure probability exp(-log_level) per mean, over all times."""
        squares = self._counts.errors.astype(np.float64)
        if self._moments:
            squares = squares + self._moments.sum_sq
        lower, upper = mean_ends(self.count.astype(np.float64), self.total, squares, log_level)
        self.lower, self.upper = np.maximum(self.lower, lower), np.minimum(self.upper, upper)
        # If the event fails, ends may cross; the box is then reset to the whole range.
        crossed = self.lower > self.upper
        self.lower[crossed], self.upper[crossed] = 0.0, 1.0

    def p_values(self, shift: float) -> FloatArray:
        """Return anytime p-values (M, M) against "the row's mean is >= the column's plus `shift`", `shift` >= 0."""
        size = self._counts.n_models
        best = self.evidence.setdefault(shift, np.zeros((size, size)))
        p: FloatArray = np.empty((size, size))
        for models in row_blocks(size):
            np.maximum(best[models], self._logs(shift, models), out=best[models])
            p[models] = np.exp(-best[models])
        np.fill_diagonal(p, 1.0)
        return np.minimum(p, 1.0, out=p)

    def _logs(self, shift: float, models: slice) -> FloatArray:
        """Return logarithms of the present evidence against the same hypotheses, for some of the rows."""
        common, lost, won = (counts.astype(np.float64) for counts in self._counts.outcomes(models))
        gain, squares = won - lost, won + lost
        if self._moments:
            number, total, more, rounded = self._moments.differences(models)
            gain = gain - total
            squares = squares + more + rounded
            common = common + number
        # Differences, column minus row plus shift, are at least -1.
        squares = squares + 2.0 * shift * gain + shift**2 * common
        rounding = 1e-12 * (common + 1.0)
        logs = mixture_of_bets(gain + shift * common, squares) - np.log(2.0) - rounding
        if shift == 0.0 and not self._moments:
            logs = np.logaddexp(logs, sign_mixture(won, lost) - np.log(2.0))
        return np.asarray(logs)


def _labels(name: str, value: int | Sequence[str], *, low: int, stem: str) -> tuple[str, ...]:
    """Return names, given as such or by their number; at least `low` of them."""
    if isinstance(value, str):
        raise InvalidInputError(f"`{name}` must be a number or a sequence of names, got one string.")
    if hasattr(value, "tolist") and not isinstance(value, np.integer):
        value = list(value)  # type: ignore[arg-type]  # names in an array, an index or a series
    if isinstance(value, Sequence):
        names = check_names(name, value, length=len(value), stem=stem)
        check_count(name, len(names), low=low)
        return names
    return check_names(name, None, length=check_count(name, value, low=low), stem=stem)
