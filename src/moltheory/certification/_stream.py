"""Certificates that are valid after every example simultaneously, so that stopping may depend on the data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._text import few
from moltheory._core._validation import Maximise, check_choice, check_count, check_fraction, check_names, check_real
from moltheory.certification._cards import stream_card, stream_line
from moltheory.certification._memory import require_pairs
from moltheory.certification._shares import Shares
from moltheory.certification._stream_batch import Clusters, read_rows, scaled_units
from moltheory.certification._stream_names import counted_names, listed_names
from moltheory.certification._stream_objective import StreamObjective
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_epsilon, read_maximise, read_ranges
from moltheory.evaluation._measured_cost import total_delta
from moltheory.evaluation._objectives import cost_objectives

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["CertificateStream"]


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
    largest_cluster : int, optional
        Number of examples that no cluster exceeds, if examples come in clusters whose examples depend on each other.
    cluster_weights : {"size", "equal"}, default "size"
        As in `moltheory.certify`: means over examples, which need `largest_cluster`, or means over clusters.
    joining : float, default 0
        Part of delta, in [0, 1), that is kept for models that join later (`add_models`).

    {raises}

    Notes
    -----
    The unit is the example, or the cluster if `largest_cluster` or equal weights are stated; an example without a
    cluster is one of its own.

    The first models have 1 - `joining` of delta, and those that join as the j-th group `joining` / (j (j + 1)), whatever
    was seen before; verdicts among earlier models stay as they were. A verdict takes as many examples as without
    newcomers at delta (1 - `joining`): with half of delta, evidence log 2 more, against log(M^2 / delta) in all.

    The front is that of **all models that ever were in the stream**: one that left stays a rival on what was seen of it,
    so leaving never makes a verdict wrong, and gives no part of delta back.

    Complexity: only sums are kept: O(M^2 N) memory, and 100 bytes for each cluster, which is recognized if it comes again;
    O(b M^2 N) time per update with b examples, O(M^2 N) per certificate, whatever the number of examples so far. Losses
    that are all 0 or 1 so far are counted as bits, with a test of their own. Boxes are the intersection of those of all
    looks, and p-values the smallest so far; only requested certificates count as looks. The claims follow as in
    `moltheory.certify`: its families of claims need p-values and boxes only, and here these are valid at all times at
    once. delta is split in advance as there. In simulated worlds as many decisions as those of `moltheory.certify` took 1.6
    times as many examples with 0/1 losses, 2.5 times with others (medians, measured: benchmarks/results/stream.md).

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
        largest_cluster: int | None = None,
        cluster_weights: str = "size",
        joining: float = 0.0,
    ) -> None:
        self._names = counted_names("models", models, low=2, stem="model")
        of_losses = counted_names("objectives", objectives, low=1, stem="objective")
        self._delta = check_fraction("delta", delta)
        self._joining = check_real("joining", joining)
        if not 0.0 <= self._joining < 1.0:
            raise InvalidInputError(f"`joining` must lie in [0, 1), got {self._joining!r}.")
        self._averaged = check_choice("cluster_weights", cluster_weights, ("size", "equal")) == "equal"
        self._largest = None if largest_cluster is None else check_count("largest_cluster", largest_cluster)
        if self._averaged and self._largest is not None:
            raise InvalidInputError(
                f"`largest_cluster` must be left out where `cluster_weights` is 'equal', got {self._largest}: clusters may "
                f"then have any size."
            )
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
        self._n = self._n_units = 0
        self._ids: set[int] = set()
        self._cohorts = np.zeros(len(self._names), np.int64)
        self._active = np.ones(len(self._names), np.bool_)
        self._require_memory(len(self._names), len(of_losses))
        self._objectives = [StreamObjective(len(self._names), by_size=self._largest is not None) for _ in of_losses]

    @property
    def n_examples(self) -> int:
        """Number of examples so far."""
        return self._n

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models whose losses `update` takes, in the order of its columns."""
        return tuple(name for name, stays in zip(self._names, self._active.tolist(), strict=True) if stays)

    def update(self, losses: Any, /, *, clusters: npt.ArrayLike | None = None) -> None:
        """Add examples in the order of their arrival.

        Parameters
        ----------
        losses : (b, M, N) or (M, N) array_like, or measures
            Losses of b examples, or of one, of the M models of `models`; NaN marks a model that was not evaluated. Models
            and objectives that a frame or a labelled array names are matched; with one objective, a frame may have a row
            for each example and a column for each model. Or one measure for each objective, in their
            order or by name: `moltheory.objectives.Mean`, or `moltheory.objectives.Rate` in a group of examples; an
            example outside of the group is NaN in that objective.
        clusters : (b,) array_like, optional
            Label of the cluster of each example. All examples of a cluster come in one update.

        Raises
        ------
        InvalidInputError
            If the shape is wrong, a loss is outside its range, a cluster came before or is larger than stated, or a
            measure is no mean over examples that do not depend on the model; then nothing is added.
        """
        rows = read_rows(losses, self.models, self._labels[: len(self._objectives)])
        outside = (rows < self._low) | (rows > self._high)
        if outside.any():
            k = int(np.flatnonzero(outside.any(axis=(0, 1)))[0])
            raise InvalidInputError(
                f"`losses` must lie in `loss_range` [{self._low[k]:g}, {self._high[k]:g}] in objective "
                f"{self._labels[k]!r}, got {rows[:, :, k][outside[:, :, k]][0]!s}."
            )
        n, found = rows.shape[0], None
        if clusters is not None:
            if not self._clustered:
                raise InvalidInputError(
                    "`clusters` must come with a `largest_cluster` that was stated when the stream was made, or with "
                    "cluster_weights='equal', got neither."
                )
            found = Clusters.of(clusters, n, largest=self._largest, seen=self._ids)
        units = []
        for k in range(len(self._objectives)):
            x = np.full((n, len(self._names)), np.nan)
            x[:, self._active] = (rows[:, :, k] - self._low[k]) / (self._high[k] - self._low[k])
            x = 1.0 - x if self._maximise[k] else x
            units.append(scaled_units(x, found, largest=self._largest, averaged=self._averaged))
        for objective, (values, sizes) in zip(self._objectives, units, strict=True):
            objective.update(values, sizes)
        self._n += n
        self._n_units += n if found is None else len(found.ids)
        self._ids |= set() if found is None else found.ids

    def add_models(self, models: Sequence[str], /, *, costs: object = None) -> None:
        """Let models join, which are compared with all others on later examples.

        Which models join, and when, may depend on everything seen so far.

        Parameters
        ----------
        models : sequence of str
            Names that never were in the stream.
        costs : optional
            Their exact costs, with the same names as those of the stream.

        Raises
        ------
        InvalidInputError
            If the stream keeps no part of delta for them (`joining`), a name is taken, or costs do not fit; then the stream
            is as before.
        TooLargeError
            If so many models do not fit in the memory that is available.

        Notes
        -----
        Complexity: O(M^2 N) time and memory. (Derived; proof: stream.)

        Examples
        --------
        >>> stream = CertificateStream(["old", "new"], ["error"], 0.05, joining=0.5)
        >>> stream.update([[[1], [0]]] * 40)
        >>> stream.add_models(["newer"])
        >>> stream.certificate().status
        ('excluded', 'undecided', 'undecided')
        """
        names = listed_names(models, "new models")
        taken = [name for name in names if name in self._names]
        if taken:
            raise InvalidInputError(
                f"`models` must be names of new models, got {few(taken)} which the stream has or had."
            )
        if self._joining == 0.0:
            raise InvalidInputError(
                f"`models` must not join a stream that keeps no part of delta for them, got {few(names)}: make it with "
                f"`joining`, such as joining=0.5."
            )
        if self._measured.any():
            raise InvalidInputError(
                "`costs` must be known exactly where models join, got a stream with measured costs, whose intervals hold "
                "for its own models at once."
            )
        found = {cost.name: cost for cost in cost_objectives(costs, names)}
        expected = self._labels[len(self._objectives) :]
        if set(found) != set(expected) or any(cost.values is None for cost in found.values()):
            got = "measured ones" if set(found) == set(expected) else few(list(found)) or "none"
            raise InvalidInputError(f"`costs` must be exact ones named {few(expected) or '(none)'}, got {got}.")
        self._require_memory(len(self._names) + len(names), len(self._objectives))
        new = np.empty((3, len(names), len(expected)))
        for k, label in enumerate(expected):
            new[:, :, k] = found[label].values
        for objective in self._objectives:
            objective.grow(len(names))
        self._names = (*self._names, *names)
        self._costs = np.concatenate([self._costs, new], axis=1)
        self._cohorts = np.append(self._cohorts, np.full(len(names), self._cohorts.max() + 1))
        self._active = np.append(self._active, np.ones(len(names), np.bool_))

    def drop_models(self, models: Sequence[str], /) -> None:
        """Let models leave: `update` takes no losses of them any more.

        They stay in the certificates, on what was seen of them: the front is that of all models that ever were in the
        stream, so a verdict about the others does not depend on which left and why.

        Parameters
        ----------
        models : sequence of str

        Raises
        ------
        InvalidInputError
            If one is not in the stream, or fewer than two are left; then the stream is as before.

        Examples
        --------
        >>> stream = CertificateStream(["a", "b", "c"], ["error"], 0.05)
        >>> stream.drop_models(["b"])
        >>> stream.models
        ('a', 'c')
        """
        names = listed_names(models, "models in the stream")
        unknown = [name for name in names if name not in self.models]
        if unknown:
            raise InvalidInputError(f"`models` must be names of models in the stream, got {few(unknown)}.")
        if len(self.models) - len(names) < 2:
            raise InvalidInputError(
                f"`models` must leave at least two models in the stream, got {len(names)} of {len(self.models)}."
            )
        self._active &= ~np.isin(self._names, names)

    def certificate(self) -> Certificate:
        """Return the certificate of the examples so far, valid together with all earlier and later ones.

        The estimate of a model that has not been evaluated yet is the middle of the range.
        """
        from moltheory.certification._stream_certificate import certificate_of

        return certificate_of(self)

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

    @property
    def _clustered(self) -> bool:
        """Whether units are clusters."""
        return self._averaged or self._largest is not None

    def _require_memory(self, n_models: int, count: int) -> None:
        # Evidence and p-values of one or two hypotheses, counts, and what decisions take.
        kinds = 2 if self._epsilon.any() else 1
        each = 16 * kinds + 4 + (24 if self._largest is not None else 0)
        require_pairs(each * count + 25 + (32 if self._joining else 0), n_models, "models", block=80)

    def _line(self) -> str:
        return stream_line(self)

    def _card(self) -> Card:
        return stream_card(self)
