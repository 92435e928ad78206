r"""Empirical Rademacher complexity of losses on a sample: exact, by simulated signs, or bounded in closed form.

:math:`\hat R_S = E_\sigma \sup_h \frac1n \sum_i \sigma_i l_i(h)` for independent uniform signs (no absolute value).
It does not change where a fixed number is added to all losses of one example; every function below uses this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, check_real, real_array
from moltheory.errors import InvalidInputError, TooLargeError

__all__ = ["Complexity", "linear_complexity", "rademacher_complexity"]

Signs = int | np.random.SeedSequence | np.random.Generator | None
# Sign vectors are enumerated up to this many examples.
_EXACT_LIMIT = 20
# Floats in a temporary block.
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Complexity(Shown):
    """Upper bound on a Rademacher complexity, with the method and failure probability behind it.

    Attributes
    ----------
    value : float
        The complexity, its estimate, or a closed form above it.
    certificate : float
        With probability at least 1 - `delta` over the simulated signs the complexity is at most
        `value` + `certificate`; 0 where nothing was simulated.
    delta : float
        Failure probability spent on simulated signs; 0 where nothing was simulated.
    n : int
        Sample size.
    empirical : bool
        Whether it is the complexity of the sample, not its expectation.
    method : str
    source : str
    """

    value: float
    certificate: float
    delta: float
    n: int
    empirical: bool
    method: str
    source: str

    @property
    def upper(self) -> float:
        """Value that enters a bound: value + certificate, at least 0."""
        return max(self.value + self.certificate, 0.0)


@document
def rademacher_complexity(
    losses: npt.ArrayLike,
    /,
    *,
    method: Literal["exact", "monte-carlo", "massart"] = "monte-carlo",
    rng: Signs = None,
    delta: float | None = None,
    draws: int = 200,
) -> Complexity:
    r"""Empirical Rademacher complexity of a finite class on its sample.

    Parameters
    ----------
    losses : (n, H) array_like
        Losses of H hypotheses on n examples; 0/1 losses as bool or uint8 are counted in packed bits.
    method : {"monte-carlo", "exact", "massart"}
        Simulated signs with a certificate; all 2^n sign vectors, n <= 20; Massart's finite lemma
        :math:`\max_h \|l(h) - c\| \sqrt{2 \log |\{l(h)\}|} / n`, c the middle of each example's losses.
    {rng}
    delta : float
        Failure probability of the certificate, in (0, 1); required by ``"monte-carlo"``, ignored otherwise.
    draws : int, default 200
        Number D of simulated sign vectors.

    Returns
    -------
    Complexity

    {raises}
    TooLargeError
        If n > 20 for ``"exact"``, or the signs do not fit into memory.

    Notes
    -----
    With the middle of each example's losses subtracted (unbiased, as signs have mean 0), one sign changes the
    average of D suprema by at most r_i/(n D), r_i the range of the losses of example i; McDiarmid's inequality gives
    the certificate :math:`\sqrt{\sum_i r_i^2 \log(1/\delta) / (2 D)}\,/\,n`, conditionally on the sample.
    Complexity: O(n (H + D)) memory; n H D / 64 word operations for 0/1 losses, one matrix product otherwise.
    ``"exact"``: n 2^n + n H steps for 0/1 losses, 2^n H additions otherwise; its value is rounded once where the losses
    are integers.

    References
    ----------
    P. Bartlett and S. Mendelson, JMLR 3 (2002). Massart's lemma: P. Massart (2000), Annales de la Faculté des
    sciences de Toulouse 9. The certificate: derived (proof: rademacher-certificate), from C. McDiarmid (1989), "On the
    method of bounded differences".

    Examples
    --------
    >>> rademacher_complexity([[0, 1], [0, 1], [0, 1]], method="exact").value
    0.25
    >>> found = rademacher_complexity([[0, 1], [0, 1], [0, 1]], rng=0, delta=0.01)
    >>> abs(found.value - 0.25) < found.certificate
    True
    """
    check_choice("method", method, ("exact", "monte-carlo", "massart"))
    array = real_array("losses", losses, shape="(n, H)", min_ndim=2, max_ndim=2, keep_integers=True)
    n = array.shape[0]
    if method == "massart":
        return Complexity(
            _massart(array), 0.0, 0.0, n, True, "Massart", "Massart 2000; centred per example, which changes nothing"
        )
    if method == "exact":
        if n > _EXACT_LIMIT:
            raise TooLargeError(f"`losses` must have at most {_EXACT_LIMIT} examples for method 'exact', got {n}.")
        return Complexity(_enumerated(array), 0.0, 0.0, n, True, "exact", "definition, all sign vectors")
    if delta is None:
        raise InvalidInputError("`delta` must be given for method 'monte-carlo', got None.")
    check_fraction("delta", delta)
    require_memory(
        9.0 * check_count("draws", draws) * n, f"`draws` = {draws} of {n} signs", "take fewer draws, or fewer examples"
    )
    generator = np.random.default_rng(rng)
    positive = generator.integers(0, 2, size=(draws, n), dtype=np.uint8)
    suprema, squares = _simulated(array, positive)
    return _certified(float(suprema.mean()) / n, squares, n, delta, draws)


@document
def linear_complexity(
    inputs: npt.ArrayLike,
    /,
    *,
    weight_norm: float,
    lipschitz: float = 1.0,
    norm: Literal["l2", "l1"] = "l2",
    method: Literal["closed-form", "exact", "monte-carlo"] = "closed-form",
    rng: Signs = None,
    delta: float | None = None,
    draws: int = 200,
) -> Complexity:
    r"""Empirical Rademacher complexity of linear functions of bounded norm on given inputs.

    The supremum over the ball is a dual norm: :math:`\hat R = W E\|\sum_i \sigma_i x_i\|_* / n`, with the Euclidean
    norm for ``"l2"`` and the largest coordinate for ``"l1"``; a Lipschitz loss multiplies it by its constant.

    Parameters
    ----------
    inputs : (n, d) array_like
        One input vector per example.
    weight_norm : float
        Radius W > 0 of the ball of weights, in the norm named by `norm`.
    lipschitz : float, default 1.0
        Lipschitz constant of the loss in the linear function's value.
    norm : {"l2", "l1"}
        Norm of the weights.
    method : {"closed-form", "exact", "monte-carlo"}
        :math:`W \sqrt{\sum \|x_i\|^2}/n` or :math:`W \max_j \sqrt{\sum_i x_{ij}^2} \sqrt{2 \log 2d}/n`; all sign
        vectors, n <= 20; simulated signs with a certificate.
    rng, delta, draws
        As in `rademacher_complexity`.

    Returns
    -------
    Complexity
        An upper bound where `lipschitz` stands for a loss (contraction).

    {raises}
    TooLargeError
        If n > 20 for ``"exact"``.

    Notes
    -----
    Complexity: O(n d) time for the closed form, O(D n d) for D draws, O(2^n n d) exact; memory O(n d).

    References
    ----------
    S. Kakade, K. Sridharan and A. Tewari, NeurIPS 2008. Contraction: M. Ledoux and M. Talagrand (1991), Theorem 4.12.
    The certificate: derived (proof: rademacher-certificate), from C. McDiarmid (1989).

    Examples
    --------
    >>> linear_complexity([[1.0, 0.0], [0.0, 1.0]], weight_norm=1.0, method="exact").value
    0.7071...
    """
    check_choice("norm", norm, ("l2", "l1"))
    check_choice("method", method, ("closed-form", "exact", "monte-carlo"))
    array = real_array("inputs", inputs, shape="(n, d)", min_ndim=2, max_ndim=2)
    scale = check_real("weight_norm", weight_norm, low=0.0) * check_real("lipschitz", lipschitz, low=0.0)
    n, d = array.shape
    order = 2 if norm == "l2" else np.inf
    lengths: FloatArray = (
        np.sqrt(np.einsum("ij,ij->i", array, array)) if norm == "l2" else np.linalg.norm(array, ord=order, axis=1)
    )
    source = "Kakade, Sridharan, Tewari 2008; contraction: Ledoux and Talagrand 1991"
    if method == "closed-form":
        if norm == "l2":
            value = math.sqrt(float((lengths**2).sum())) / n
        else:
            value = math.sqrt(2.0 * math.log(2 * d) * float((array**2).sum(axis=0).max())) / n
        return Complexity(scale * value, 0.0, 0.0, n, True, f"linear {norm}, closed form", source)
    if method == "exact":
        if n > _EXACT_LIMIT:
            raise TooLargeError(f"`inputs` must have at most {_EXACT_LIMIT} examples for method 'exact', got {n}.")
        # One sign is free by symmetry.
        total = math.fsum(
            float(np.linalg.norm(block @ array, ord=order, axis=1).sum()) for block in _sign_blocks(n - 1, n)
        )
        return Complexity(scale * total / n / 2 ** (n - 1), 0.0, 0.0, n, True, f"linear {norm}, exact", source)
    if delta is None:
        raise InvalidInputError("`delta` must be given for method 'monte-carlo', got None.")
    check_fraction("delta", delta)
    generator, step = np.random.default_rng(rng), max(1, _BLOCK // n)
    suprema = np.empty(check_count("draws", draws))
    for start in range(0, draws, step):
        # The same signs, however they are cut.
        signs = 2.0 * generator.integers(0, 2, size=(min(step, draws - start), n)) - 1.0
        suprema[start : start + step] = scale * np.linalg.norm(signs @ array, ord=order, axis=1)
    # Changing one sign moves the supremum by at most 2 W ||x_i||: that is the range of example i.
    squares = float(((2.0 * scale * lengths) ** 2).sum())
    return _certified(float(suprema.mean()) / n, squares, n, delta, draws, f"linear {norm}, ")


def _certified(value: float, squares: float, n: int, delta: float, draws: int, what: str = "") -> Complexity:
    """Attach McDiarmid's certificate for sum of squared ranges `squares`."""
    certificate = math.sqrt(squares * -math.log(delta) / (2.0 * draws)) / n
    method = f"{what}{draws} simulated sign vectors"
    source = "derived, from McDiarmid 1989 (proof: rademacher-certificate)"
    return Complexity(value, certificate, float(delta), n, True, method, source)


def _simulated(array: npt.NDArray[Any], positive: npt.NDArray[np.uint8]) -> tuple[FloatArray, float]:
    """Suprema of centred sums per draw, and the sum of squared ranges of the examples."""
    signs = 2.0 * positive - 1.0
    bits = array if array.dtype in (np.uint8, np.int8) else None
    if bits is None and array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 1:
        bits = array.astype(np.uint8)
    if bits is not None:
        from moltheory.bounds._rademacher_kernels import suprema_of_bits

        found = suprema_of_bits(bits.view(np.uint8), positive)
        if found is not None:
            sums, some, every = found
            middle = (some.astype(np.float64) + every) / 2.0
            return sums - signs @ middle, float((some & ~every).sum())
    array = array.astype(np.float64, copy=False)
    low, high = array.min(axis=1), array.max(axis=1)
    middle = low + (high - low) / 2.0
    step = max(1, _BLOCK // (array.shape[0] + positive.shape[0]))
    suprema = np.full(positive.shape[0], -np.inf)
    for start in range(0, array.shape[1], step):
        block = array[:, start : start + step] - middle[:, None]
        np.maximum(suprema, (signs @ block).max(axis=1), out=suprema)
    return suprema, float(((high - low) ** 2).sum())


def _massart(array: npt.NDArray[Any]) -> float:
    distinct = np.unique(array, axis=1).astype(np.float64)
    middle = (distinct.min(axis=1) + distinct.max(axis=1)) / 2.0
    radius = math.sqrt(float(((distinct - middle[:, None]) ** 2).sum(axis=0).max()))
    return radius * math.sqrt(2.0 * math.log(distinct.shape[1])) / float(array.shape[0])


def _sign_blocks(free: int, n: int) -> Any:
    """Yield all sign vectors of length n whose first n - free signs are +1, in blocks of at most 2^12 rows."""
    low = min(free, 12)
    places = np.arange(low)
    tail = 1.0 - 2.0 * ((np.arange(2**low)[:, None] >> places) & 1)
    for head in range(2 ** (free - low)):
        signs = np.ones((2**low, n))
        signs[:, n - low :] = tail
        for j in range(free - low):
            signs[:, n - free + j] = 1.0 - 2.0 * (head >> j & 1)
        yield signs


def _enumerated(array: npt.NDArray[Any]) -> float:
    """Average of the suprema over all sign vectors."""
    n = array.shape[0]
    if ((array == 0) | (array == 1)).all():
        return _enumerated_bits(array.astype(np.int64))
    small = array.dtype.kind in "iu" and float(np.abs(array.astype(np.float64)).max()) < 2.0**31
    distinct = np.unique(array, axis=1).astype(np.int64 if small else np.float64)
    # The sums of two halves of the examples are combined. By symmetry the first sign is +1 for one half of all
    # vectors; the other half takes the smallest sum.
    half = (n + 1) // 2
    first = _partial_sums(distinct[:half], fixed=True)
    second = _partial_sums(distinct[half:], fixed=False) if n > half else np.zeros((1, distinct.shape[1]), first.dtype)
    step = max(1, _BLOCK // distinct.shape[1])
    totals: list[Any] = []
    for row in first:
        for start in range(0, second.shape[0], step):
            sums = second[start : start + step] + row
            totals.append((sums.max(axis=1) - sums.min(axis=1)).sum().item())
    total = sum(totals) if small else math.fsum(totals)
    return float(total / (n * 2**n))


def _enumerated_bits(losses: npt.NDArray[np.int64]) -> float:
    """As `_enumerated` for 0/1 losses, in n 2^n steps however many hypotheses there are.

    Entry l of the table, a loss vector, starts at 0 if some hypothesis has it. Step i replaces bit i of the index,
    the loss of example i, by its sign: the best continuation is a loss of 0, or of 1 with the sign added.
    """
    n = losses.shape[0]
    table = np.full(2**n, -64, dtype=np.int8)
    table[(1 << np.arange(n)) @ losses] = 0
    for i in range(n):
        pairs = table.reshape(-1, 2, 2**i)
        none, one = pairs[:, 0], pairs[:, 1]
        table = np.stack([np.maximum(none, one + np.int8(1)), np.maximum(none, one - np.int8(1))], axis=1).ravel()
    return float(int(table.sum(dtype=np.int64)) / (n * 2**n))


def _partial_sums(part: npt.NDArray[Any], *, fixed: bool) -> npt.NDArray[Any]:
    """Signed sums of the rows of `part` over all signs, (2^k, H); the first sign stays +1 where `fixed`."""
    sums = part[:1] if fixed else np.concatenate([part[:1], -part[:1]])
    for row in part[1:]:
        sums = np.concatenate([sums + row, sums - row])
    return sums
