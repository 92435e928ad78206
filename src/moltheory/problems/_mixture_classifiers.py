"""Linear classifiers on a mixture of Gaussians: a finite class with exact true risks, and the infinite one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.objectives import BlackBoxObjectives, FiniteObjectives
from moltheory.problems._averaged import AveragedProblem
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._gaussian_mixtures import GaussianMixture, PerturbationNorm, margin_shift
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["GaussianMixtureClassifiers", "linear_classifier_grid", "linear_classifier_objectives"]

# Scores held at once.
_CHUNK = 1 << 21
_DEFAULT = ("error", "robust_error")


@dataclass(frozen=True)
class _Cell:
    """One error rate: within which components, and whether under perturbations."""

    components: tuple[bool, ...]
    robust: bool


@dataclass(frozen=True)
class _Objective:
    """A name, the rates behind it and what is made of them; no rates: the number of inputs used."""

    name: str
    cells: tuple[_Cell, ...]
    kind: str


class GaussianMixtureClassifiers(AveragedProblem):
    r"""Finitely many linear classifiers on a mixture of Gaussians.

    Parameters
    ----------
    mixture : GaussianMixture
        The population.
    classifiers : (H, d + 1) array_like, optional
        Rows (w, b), fixed before any draw; by default `linear_classifier_grid` with its default seed.
    objectives : sequence of str, default ("error", "robust_error")
        Among ``"error"``; ``"robust_error"`` (under perturbations of size `epsilon`); ``"false_positive_rate"`` and
        ``"false_negative_rate"``; ``"group_error:g"`` for a group g; ``"worst_group_error"``; ``"gap"`` (largest minus
        smallest group error); ``"n_features"`` (nonzero entries of w; data-independent).
    epsilon : float, default 0
        Size of the perturbations; > 0 if ``"robust_error"`` is an objective.
    norm : {"l2", "linf"}
        Norm of the perturbations.
    name : str, default "gaussian_mixture"
        Names the problem in tables, and keys its random streams.

    Attributes
    ----------
    mixture : GaussianMixture
    classifiers : (H, d + 1) ndarray
        Read-only.
    true : FiniteObjectives
        True risks in closed form.

    Raises
    ------
    InvalidInputError
        If an objective is unknown or asks for groups that are not there, none depends on data, or a shape is wrong.

    Notes
    -----
    Empirical rates are ratios of integers, divided once, so equal ones are bitwise equal; so are gaps. True rates are
    values of the Gaussian distribution function, equal up to rounding only, hence ``is_lattice`` is False. All
    objectives see one sample unless sizes are given per objective.

    Complexity: O(H K d^2) time and O(H K) memory. R samples of n examples take O(R n H d) time.

    Examples
    --------
    >>> mixture = GaussianMixture([1, 1], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1], groups=["a", "b"])
    >>> problem = GaussianMixtureClassifiers(mixture, [[1, 0, 0], [1, 0, 1]], objectives=["error", "gap"])
    >>> problem.true.risks().round(6)
    array([[0.158655, 0.      ],
           [0.261375, 0.47725 ]])
    >>> problem.sample(50, replicates=3, rng=0).batch_shape
    (3,)
    """

    is_exact = True
    is_lattice = False

    def __init__(
        self,
        mixture: GaussianMixture,
        classifiers: npt.ArrayLike | None = None,
        *,
        objectives: Sequence[str] = _DEFAULT,
        epsilon: float = 0.0,
        norm: PerturbationNorm = "l2",
        name: str = "gaussian_mixture",
    ) -> None:
        _check_mixture(mixture)
        self._objectives = _parsed(mixture, objectives)
        if not any(objective.cells for objective in self._objectives):
            raise InvalidInputError("`objectives` must hold at least one error rate, got only n_features.")
        rows = linear_classifier_grid(mixture) if classifiers is None else mixture.check_classifiers(classifiers)
        self.mixture, self.classifiers, self.name = mixture, as_readonly(rows), name
        self.epsilon, self.norm = _checked_size(epsilon, self._objectives), norm
        self._shift = margin_shift(rows, self.epsilon, norm)
        self._cells = list(dict.fromkeys(cell for one in self._objectives for cell in one.cells))
        risks = _true_risks(rows, mixture, self._objectives, self.epsilon, norm)
        self.true = FiniteObjectives(
            risks,
            names=[one.name for one in self._objectives],
            data_dependent=[bool(one.cells) for one in self._objectives],
        )
        self.risk_limits = as_readonly(np.array([1.0 if one.cells else mixture.dimension for one in self._objectives]))

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        """Objectives (N,) that are single rates or known; gaps and largest rates are biased upwards."""
        return np.array([len(one.cells) <= 1 for one in self._objectives])

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the empirical objectives; see `FiniteProblem.sample`.

        A replicate in which some rate has no example is `undefined` in that objective.
        """
        size = check_sample_size(n, self.true.data_dependent)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        numbers = self.n_hypotheses * (len(self._cells) + 2.0 * len(self._objectives))
        require_room(rows, numbers, of=f"{self.n_hypotheses} hypotheses and {len(self._objectives)} objectives")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        if isinstance(size, int):
            counts, sizes = self._counts(size, rows, generator)
            draws = [(counts, sizes)] * len(self._objectives)
        else:
            draws = [self._counts(size_i, rows, generator) for size_i in size]
        columns, cell_sizes = [], []
        for one, (counts, sizes) in zip(self._objectives, draws, strict=True):
            chosen = [self._cells.index(cell) for cell in one.cells]
            cell_sizes.append(sizes[:, chosen])
            if chosen:
                columns.append(_combined(one.kind, counts[:, chosen], sizes[:, chosen]))
            else:
                columns.append(np.broadcast_to(_n_features(self.classifiers), (rows, self.n_hypotheses)))
        risks, cells = np.stack(columns, axis=-1), np.concatenate(cell_sizes, axis=1)
        single = replicates is None
        return FiniteObjectives(
            risks[0] if single else risks,
            names=self.objective_names,
            data_dependent=self.true.data_dependent,
            cell_sizes=cells[0] if single else cells,
        )

    def _counts(self, n: int, rows: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw samples: errors (R, cells, H) and examples (R, cells), whole numbers."""
        counts = np.empty((rows, len(self._cells), self.n_hypotheses))
        sizes = np.empty((rows, len(self._cells)))
        members = np.array([cell.components for cell in self._cells])
        step = max(1, _CHUNK // (n * self.n_hypotheses))
        for start in range(0, rows, step):
            block = slice(start, min(start + step, rows))
            x, component = self.mixture.draw(n, block.stop - start, rng)
            sign = self.mixture.labels[component][..., None]
            margins = sign * (x @ self.classifiers[:, :-1].T + self.classifiers[:, -1])
            inside = members[:, component].astype(np.float64)
            sizes[block] = inside.sum(axis=-1).T
            for robust in {cell.robust for cell in self._cells}:
                errs = (margins <= (self._shift if robust else 0.0)).astype(np.float64)
                mine = [i for i, cell in enumerate(self._cells) if cell.robust == robust]
                # Sums of zeros and ones, exact in any order.
                counts[block, mine] = np.swapaxes(inside[mine], 0, 1) @ errs
        return counts, sizes

    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        kind = self._objectives[objective].kind
        stacked = np.sort(np.stack(widths), axis=0)
        # The gap is a difference of two of the rates, whichever they are.
        return np.asarray(stacked[-2:].sum(axis=0) if kind == "gap" else stacked[-1])

    def _cell_ranges(self) -> list[list[float]]:
        return [[1.0] * len(one.cells) for one in self._objectives]

    def _sizes_are_random(self) -> bool:
        return not all(all(cell.components) for cell in self._cells)


@document
def linear_classifier_grid(
    mixture: GaussianMixture, *, n_directions: int = 20, n_offsets: int = 15, rng: RandomSource = 0
) -> FloatArray:
    """Return random directions times evenly spaced offsets.

    Parameters
    ----------
    mixture : GaussianMixture
        The offsets span the projections of its means, a standard deviation beyond at both ends.
    n_directions, n_offsets : int
        Numbers of directions (uniform on the sphere) and of offsets for each, >= 1 and >= 2.
    rng : int, SeedSequence, Generator or None, default 0
        Source of the directions.

    Returns
    -------
    (n_directions * n_offsets, d + 1) ndarray
        Rows (w, b) with unit w.

    {raises}

    Notes
    -----
    Complexity: O(H d) time and memory for H rows.

    Examples
    --------
    >>> mixture = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1])
    >>> linear_classifier_grid(mixture, n_directions=3, n_offsets=5).shape
    (15, 3)
    """
    _check_mixture(mixture)
    many, offsets = check_count("n_directions", n_directions), check_count("n_offsets", n_offsets, low=2)
    generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
    w = generator.standard_normal((many, mixture.dimension))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    centers = w @ mixture.means.T
    spread = np.sqrt((np.einsum("kij,hi->hkj", mixture.roots, w) ** 2).sum(axis=-1))
    low, high = (centers - spread).min(axis=1), (centers + spread).max(axis=1)
    b = -np.linspace(low, high, offsets, axis=1)
    return np.concatenate([np.repeat(w, offsets, axis=0), b.reshape(-1, 1)], axis=1)


@document
def linear_classifier_objectives(
    mixture: GaussianMixture,
    *,
    objectives: Sequence[str] = _DEFAULT,
    epsilon: float = 0.0,
    norm: PerturbationNorm = "l2",
    max_offset: float | None = None,
) -> BlackBoxObjectives:
    """Return the true risks of all linear classifiers as functions of (w, b) in a box.

    Parameters
    ----------
    mixture : GaussianMixture
    objectives, epsilon, norm
        As in `GaussianMixtureClassifiers`.
    max_offset : float, optional
        Largest absolute b, > 0; the box has abs(w_i) <= 1. By default the largest l1 norm of a mean plus three times
        the largest standard deviation of a sum of the inputs with factors of at most 1.

    Returns
    -------
    BlackBoxObjectives
        Of d + 1 variables, for ``solve_front(method="nsga2")``.

    {raises}

    Notes
    -----
    Complexity: O(H K d^2) time for the risks of H classifiers on K components.

    Examples
    --------
    >>> mixture = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1])
    >>> linear_classifier_objectives(mixture, epsilon=0.5).risks([[1.0, 0.0, 0.0]]).round(6)
    array([[0.158655, 0.308538]])
    """
    _check_mixture(mixture)
    parsed = _parsed(mixture, objectives)
    size = _checked_size(epsilon, parsed)
    if max_offset is None:
        deviations = np.sqrt(np.diagonal(mixture.covariances, axis1=-2, axis2=-1)).sum(axis=-1)
        limit = float((np.abs(mixture.means).sum(axis=1) + 3.0 * deviations).max())
    else:
        limit = check_real("max_offset", max_offset, low=0.0, strict=True)
    margin_shift(np.zeros((1, 2)), size, norm)
    upper = np.append(np.ones(mixture.dimension), limit)
    return BlackBoxObjectives(
        functools.partial(_true_risks, mixture=mixture, objectives=parsed, epsilon=size, norm=norm),
        -upper,
        upper,
        n_objectives=len(parsed),
        names=[one.name for one in parsed],
    )


def _check_mixture(mixture: object) -> None:
    if not isinstance(mixture, GaussianMixture):
        raise InvalidInputError(f"`mixture` must be a GaussianMixture, got {type(mixture).__name__}.")


def _checked_size(epsilon: float, objectives: tuple[_Objective, ...]) -> float:
    """Return the size of the perturbations; 0 would make the robust error the error."""
    size = check_real("epsilon", epsilon, low=0.0)
    if size == 0.0 and any(cell.robust for one in objectives for cell in one.cells):
        raise InvalidInputError("`epsilon` must be > 0 for the objective robust_error, got 0.")
    return size


def _parsed(mixture: GaussianMixture, objectives: Sequence[str]) -> tuple[_Objective, ...]:
    """Read the names of objectives."""
    names = (objectives,) if isinstance(objectives, str) else tuple(objectives)
    everyone = (True,) * mixture.n_components
    groups = {f"group_error:{name}": tuple(mixture.in_group(name).tolist()) for name in mixture.group_names}
    plain = {name: _Objective(name, (_Cell(inside, False),), "rate") for name, inside in groups.items()}
    known = {
        "error": _Objective("error", (_Cell(everyone, False),), "rate"),
        "robust_error": _Objective("robust_error", (_Cell(everyone, True),), "rate"),
        "n_features": _Objective("n_features", (), "count"),
        **plain,
    }
    for label, rate in ((-1.0, "false_positive_rate"), (1.0, "false_negative_rate")):
        known[rate] = _Objective(rate, (_Cell(tuple((mixture.labels == label).tolist()), False),), "rate")
    if len(groups) > 1:
        cells = tuple(_Cell(inside, False) for inside in groups.values())
        known["worst_group_error"] = _Objective("worst_group_error", cells, "worst")
        known["gap"] = _Objective("gap", cells, "gap")
    wrong = [name for name in names if name not in known]
    if wrong or not names or len(set(names)) != len(names):
        raise InvalidInputError(f"`objectives` must be distinct and among {', '.join(known)}, got {list(names)}.")
    return tuple(known[name] for name in names)


def _true_risks(
    classifiers: FloatArray,
    mixture: GaussianMixture,
    objectives: tuple[_Objective, ...],
    epsilon: float,
    norm: PerturbationNorm,
) -> FloatArray:
    """True risks (H, N)."""
    found = {
        robust: mixture.component_errors(classifiers, epsilon=epsilon if robust else 0.0, norm=norm)
        for robust in {cell.robust for one in objectives for cell in one.cells}
    }
    columns = []
    for one in objectives:
        if not one.cells:
            columns.append(_n_features(classifiers))
            continue
        shares = [mixture.weights * np.array(cell.components) for cell in one.cells]
        rates = [found[cell.robust] @ (p / p.sum()) for cell, p in zip(one.cells, shares, strict=True)]
        worst = np.max(rates, axis=0)
        columns.append(worst - np.min(rates, axis=0) if one.kind == "gap" else worst)
    return np.stack(columns, axis=-1)


def _n_features(classifiers: FloatArray) -> FloatArray:
    return np.asarray((classifiers[:, :-1] != 0.0).sum(axis=1), dtype=np.float64)


def _combined(kind: str, counts: FloatArray, sizes: FloatArray) -> FloatArray:
    """Errors (R, cells, H) among examples (R, cells) to risks (R, H); NaN where a cell is empty."""
    total = sizes[:, :, None]
    rates = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0.0)
    empty = np.isnan(rates).any(axis=1)
    if kind != "gap":
        return np.asarray(rates.max(axis=1))
    filled = np.nan_to_num(rates)
    high, low = filled.argmax(axis=1)[:, None], filled.argmin(axis=1)[:, None]
    wide = np.broadcast_to(np.maximum(total, 1.0), counts.shape)
    a, n = (np.take_along_axis(array, high, axis=1)[:, 0] for array in (counts, wide))
    b, m = (np.take_along_axis(array, low, axis=1)[:, 0] for array in (counts, wide))
    # One division of whole numbers, so that equal gaps are bitwise equal.
    return np.where(empty, np.nan, (a * m - b * n) / (n * m))
