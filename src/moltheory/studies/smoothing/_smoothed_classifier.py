"""Any classifier smoothed by votes under Gaussian noise, in batches, with a stream of noise for every point."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.studies.smoothing._counting import IntArray, SmoothedPredictions, certified_votes
from moltheory.studies.smoothing._dimension_limits import check_design
from moltheory.studies.smoothing._noise_scale import ConstantSigma, Sigma

__all__ = ["SmoothedClassifier"]

# Noise held at once: what fits a processor's cache, in bytes, and enough inputs to keep `predict` busy.
_BYTES, _ROWS = 8 << 20, 64
# Streams of a point: votes that guess its class, votes that certify it.
_GUESS, _CERTIFY = 0, 1


class SmoothedClassifier(Shown):
    r"""A classifier under Gaussian noise: the most probable class of :math:`f(x + e)`, e ~ N(0, sigma(x)^2 I).

    Parameters
    ----------
    predict : callable
        f: (m, ...) inputs to m labels, the same label for the same input.
    sigma : float or Sigma
        Standard deviation of the noise, > 0, or a function of the input with its `rate`.
    classes : sequence
        All labels that `predict` may give, at least two, distinct.
    batch : int, optional
        Noisy inputs per call of `predict`; by default at least 64, and as many as fit 8 MiB.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule; a function without a rate is refused, since nothing can be certified with it.

    Notes
    -----
    Every point has its own random stream, keyed by its place: its votes depend neither on the batch nor on the other
    points, as far as those of `predict` do not. Memory beside the inputs: one batch of noisy inputs, and
    what `predict` takes.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv 1902.02918; P. Súkeník, A. Kuvshinov, S. Günnemann (2022), arXiv
    2110.05365.

    Examples
    --------
    >>> smoothed = SmoothedClassifier(lambda x: (x[:, 0] > 0).astype(int), 0.5, classes=[0, 1])
    >>> found = smoothed.certify([[1.0, 0.0], [0.01, 5.0]], n=1000, rng=0)
    >>> found.classes, found.radii.round(2)
    (array([ 1, -1]), array([0.87, 0.  ]))
    """

    def __init__(
        self,
        predict: Callable[[npt.NDArray[Any]], npt.ArrayLike],
        sigma: float | Sigma,
        *,
        classes: Sequence[Any] | npt.NDArray[Any],
        batch: int | None = None,
    ) -> None:
        if not callable(predict):
            raise InvalidInputError(f"`predict` must be a function of inputs, got {type(predict).__name__}.")
        self.predict = predict
        if callable(sigma):
            if not isinstance(sigma, Sigma):
                raise InvalidInputError(
                    "`sigma` must have a `rate`, the r of its semi-elasticity, since nothing can be certified without "
                    "one, got a function that has none."
                )
            self.sigma: Sigma = sigma
        else:
            self.sigma = ConstantSigma(check_real("sigma", sigma, low=0.0, strict=True))
        self.classes: npt.NDArray[Any] = np.asarray(classes)
        if self.classes.ndim != 1 or len(self.classes) < 2 or len(np.unique(self.classes)) < len(self.classes):
            raise InvalidInputError(f"`classes` must hold at least two distinct labels, got {classes!r}.")
        self._order = np.argsort(self.classes, kind="stable")
        self.batch = None if batch is None else check_count("batch", batch)

    def vote(
        self,
        points: npt.ArrayLike,
        /,
        *,
        sizes: int | Sequence[int],
        rng: RandomSource,
        stream: int = _CERTIFY,
        progress: bool = False,
        sigma: npt.ArrayLike | None = None,
    ) -> IntArray:
        """Return how often `predict` gives each class under noise.

        Parameters
        ----------
        points : (n, ...) array_like
            Inputs; each is kept in its shape.
        sizes : int or sequence of int
            Votes per point; or increasing numbers of votes, of which the first are shared.
        rng : int, SeedSequence, Generator or None
            Seed.
        stream : int, default 1
            Which of a point's streams, >= 0; votes of different streams are independent.
        progress : bool, default False
            Show a bar.
        sigma : (n,) array_like, optional
            What the function sigma gave at the points, if that is known already.

        Returns
        -------
        (n, K) or (n, len(sizes), K) ndarray of int

        Raises
        ------
        InvalidInputError
            If an argument breaks its rule, or `predict` gives an unknown label or not one per input.
        """
        inputs = real_array("points", points, shape="(n, ...)", min_ndim=2)
        single = not isinstance(sizes, Sequence | np.ndarray)
        ends = [check_count("sizes", size) for size in ([sizes] if single else sizes)]  # type: ignore[union-attr]
        if not ends or any(a >= b for a, b in itertools.pairwise(ends)):
            raise InvalidInputError(f"`sizes` must be one number of votes or increasing ones, got {sizes!r}.")
        check_count("stream", stream, low=0)
        spread = self._spread(inputs, sigma)
        found = np.zeros((len(inputs), len(ends), len(self.classes)), dtype=np.int64)
        root = as_seed_sequence(rng)
        for owners, stages, noisy in self._noisy(inputs, spread, ends, root, stream, progress):
            codes = self._codes(noisy)
            np.add.at(found, (owners, stages, codes), 1)
        found = found.cumsum(axis=1)
        return np.asarray(found[:, 0] if single else found)

    def decide(
        self, points: npt.ArrayLike, /, *, n: int, rng: RandomSource, alpha: float = 0.001, progress: bool = False
    ) -> SmoothedPredictions:
        """Return predictions without radii, abstaining where the two leading classes are indistinguishable.

        A point gets a class other than the smoothed classifier's with probability alpha at most, by the two-sided
        binomial test between both classes of Cohen et al. (2019) and K. Hung and W. Fithian (2019, doi
        10.1214/17-AOS1634). Arguments as for `certify`; radii are zero and `p_other` is one, since nothing is claimed of
        other points.
        """
        from scipy.stats import binom

        check_fraction("alpha", alpha)
        inputs = real_array("points", points, shape="(n, ...)", min_ndim=2)
        spread = self._spread(inputs)
        votes = self.vote(inputs, sizes=n, rng=rng, progress=progress, sigma=spread)
        two = np.sort(votes, axis=1)[:, -2:]
        total = two.sum(axis=1)
        clear = 2.0 * binom.sf(two[:, 1] - 1, total, 0.5) <= alpha
        classes = np.where(clear, votes.argmax(axis=1), -1)
        zeros = np.zeros(len(inputs))
        return SmoothedPredictions(classes, zeros, zeros + 1.0, spread, votes, n, alpha)

    def certify(
        self,
        points: npt.ArrayLike,
        /,
        *,
        n: int,
        rng: RandomSource,
        guesses: int = 100,
        alpha: float = 0.001,
        least_radius: float | None = None,
        progress: bool = False,
    ) -> SmoothedPredictions:
        """Return predictions with certified radii, abstaining where no majority of the guessed class is certain.

        Parameters
        ----------
        points : (n, ...) array_like
        n : int
            Votes per point that the certificate rests on.
        rng : int, SeedSequence, Generator or None
            Seed.
        guesses : int, default 100
            Votes per point that choose the class, apart from the n.
        alpha : float, default 0.001
            Failure probability of the claim about each point, not about all together, in (0, 1).
        least_radius : float, optional
            See `check_design`.
        progress : bool, default False
            Show a bar.

        Raises
        ------
        InvalidInputError
            If an argument breaks its rule, or this design of the noise cannot certify anything (`check_design`).
        """
        check_count("guesses", guesses)
        inputs = real_array("points", points, shape="(n, ...)", min_ndim=2)
        dimension, spread = int(np.prod(inputs.shape[1:])), self._spread(inputs)
        rate = float(self.sigma.rate)
        check_design(spread, rate=rate, dimension=dimension, n=n, alpha=alpha, least_radius=least_radius)
        root = as_seed_sequence(rng)
        first = self.vote(inputs, sizes=guesses, rng=root, stream=_GUESS, progress=progress, sigma=spread)
        votes = self.vote(inputs, sizes=n, rng=root, progress=progress, sigma=spread)
        return certified_votes(
            votes, guess=first.argmax(axis=1), sigma=spread, rate=rate, dimension=dimension, alpha=alpha
        )

    def _spread(self, inputs: FloatArray, known: npt.ArrayLike | None = None) -> FloatArray:
        given = self.sigma(inputs.reshape(len(inputs), -1)) if known is None else known
        found = np.asarray(given, dtype=np.float64)
        if found.shape != (len(inputs),) or not (np.isfinite(found) & (found > 0)).all():
            raise InvalidInputError("`sigma` must give one finite positive number per input, got something else.")
        return found

    def _noisy(
        self,
        inputs: FloatArray,
        spread: FloatArray,
        ends: list[int],
        root: np.random.SeedSequence,
        stream: int,
        progress: bool,
    ) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Noisy inputs in batches, with the points and the stages they belong to."""
        from tqdm.auto import tqdm

        size = inputs[0].size
        rows = self.batch or max(_ROWS, _BYTES // (8 * size))
        owners, votes = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
        noisy = np.empty((rows, *inputs.shape[1:]))
        filled, edges = 0, np.asarray(ends)
        with tqdm(total=len(inputs) * ends[-1], disable=not progress, desc="votes", unit_scale=True) as bar:
            for point, x in enumerate(inputs):
                source, done = block_stream(root, "smoothing", point, stream), 0
                while done < ends[-1]:
                    take = min(rows - filled, ends[-1] - done)
                    part = slice(filled, filled + take)
                    # In place: a stream gives the same numbers however they are cut.
                    source.standard_normal(out=noisy[part])
                    noisy[part] *= spread[point]
                    noisy[part] += x
                    owners[part], votes[part] = point, np.arange(done, done + take)
                    filled, done = filled + take, done + take
                    if filled == rows:
                        yield owners, np.searchsorted(edges, votes, side="right"), noisy
                        filled = 0
                bar.update(ends[-1])
        if filled:
            yield owners[:filled], np.searchsorted(edges, votes[:filled], side="right"), noisy[:filled]

    def _codes(self, noisy: FloatArray) -> npt.NDArray[np.intp]:
        labels = np.asarray(self.predict(noisy))
        if labels.shape != (len(noisy),):
            raise InvalidInputError(
                f"`predict` must give one label per input, {len(noisy)} in all, got shape {labels.shape}."
            )
        places = np.searchsorted(self.classes, labels, sorter=self._order)
        codes = self._order[np.minimum(places, len(self.classes) - 1)]
        unknown = self.classes[codes] != labels
        if np.any(unknown):
            raise InvalidInputError(f"`predict` must give labels among `classes`, got {labels[unknown][0]!r}.")
        return np.asarray(codes)
