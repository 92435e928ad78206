"""Tasks on finitely many cells: simple one by one, while their best common predictor is any function of the cell."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, as_readonly, check_count, real_array
from moltheory.bounds._lower_labels import read_cells
from moltheory.errors import InvalidInputError
from moltheory.objectives import QuadraticObjectives
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._infinite import InfiniteProblem
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["CellTasks", "cell_tasks"]


@document
class CellTasks(InfiniteProblem):
    r"""Binary tasks whose inputs lie in D cells, with Bayes predictors that are constant on r blocks of cells.

    In task k cell x has probability :math:`p_k(x)`, and the label is 1 with probability :math:`\theta_{k b(x)}`. A common
    predictor g is any function of the cell; its risk in task k is the mean squared error. The minimiser of a weighted
    sum of the risks is :math:`\sum_k w_k p_k \theta_{k b} / \sum_k w_k p_k` in every cell, for all Bregman losses alike: it
    depends on the cell even where the Bayes predictors do not.

    Parameters
    ----------
    marginals : (K, D) array_like
        Probabilities of the cells in each task.
    blocks : (D,) array_like of int
        The block 0, ..., r - 1 of each cell.
    means : (K, r) array_like
        theta, in [0, 1].
    name : str, default "cell_tasks"

    Attributes
    ----------
    bayes : (K, D) ndarray
        The Bayes predictors.

    {raises}

    Notes
    -----
    Complexity: O(K D) time and memory; the true objectives, and each sample, O(K D^2).

    Examples
    --------
    >>> problem = CellTasks([[0.75, 0.25], [0.25, 0.75]], blocks=[0, 0], means=[[0.0], [1.0]])
    >>> problem.minimiser([0.5, 0.5])
    array([0.25, 0.75])
    """

    is_exact = True
    is_lattice = False
    holds_examples = False

    def __init__(
        self, marginals: npt.ArrayLike, blocks: npt.ArrayLike, means: npt.ArrayLike, *, name: str = "cell_tasks"
    ) -> None:
        p, block, _ = read_cells(marginals, blocks, None)
        theta = real_array("means", means, shape="(K, r)", min_ndim=2, max_ndim=2)
        if theta.shape != (p.shape[0], int(block.max()) + 1):
            raise InvalidInputError(
                f"`means` must have shape {(p.shape[0], int(block.max()) + 1)}, one for each task and block, got "
                f"{theta.shape}."
            )
        if theta.min() < 0.0 or theta.max() > 1.0:
            raise InvalidInputError(f"`means` must be in [0, 1] everywhere, got {theta.min():g} to {theta.max():g}.")
        self.name = name
        self.marginals, self.blocks, self.means = as_readonly(p), as_readonly(block), as_readonly(theta)
        self.bayes: FloatArray = as_readonly(theta[:, block])

    @cached_property
    def true(self) -> QuadraticObjectives:  # type: ignore[override]
        """The mean squared errors of predictors, as quadratic functions of their D values."""
        return _quadratics(self.marginals, self.bayes)

    @property
    def n_tasks(self) -> int:
        """The number K of tasks."""
        return int(self.marginals.shape[0])

    @property
    def n_cells(self) -> int:
        """The number D of cells."""
        return int(self.marginals.shape[1])

    @property
    def dimension(self) -> int:
        """The number D of cells."""
        return self.n_cells

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(f"task {k + 1}" for k in range(self.n_tasks))

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity: twice the smallest probability of a cell in each task."""
        moduli: FloatArray = 2.0 * self.marginals.min(axis=1)
        return moduli

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> QuadraticObjectives:
        """Draw independent labelled examples of every task and return the empirical objectives; see `InfiniteProblem`."""
        checked = check_sample_size(n, np.ones(self.n_tasks, dtype=np.bool_))
        sizes = (checked,) * self.n_tasks if isinstance(checked, int) else checked
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(rows, 3.0 * self.n_tasks * self.n_cells**2, of=f"{self.n_tasks} tasks on {self.n_cells} cells")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        p = self.marginals / self.marginals.sum(axis=1, keepdims=True)
        counts = np.stack(
            [generator.multinomial(size, row, size=rows) for size, row in zip(sizes, p, strict=True)], axis=1
        )
        ones = generator.binomial(counts, self.bayes)
        means = np.where(counts > 0, ones / np.maximum(counts, 1), 0.5)
        shares = counts / np.array(sizes, dtype=np.float64)[:, None]
        if replicates is None:
            shares, means = shares[0], means[0]
        return _quadratics(shares, means)

    def mixture(self, weights: npt.ArrayLike | None = None) -> tuple[FloatArray, FloatArray]:
        """Return checked weights (K,), equal ones by default, and the mixture (D,) of the marginals."""
        _, _, w = read_cells(
            self.marginals, self.blocks, np.full(self.n_tasks, 1.0 / self.n_tasks) if weights is None else weights
        )
        return w, w @ self.marginals

    def minimiser(self, weights: npt.ArrayLike) -> FloatArray:
        """Return the predictor (D,) that minimises the weighted sum of the risks; 1/2 in cells of probability 0."""
        w, mixture = self.mixture(weights)
        with np.errstate(invalid="ignore"):
            best: FloatArray = np.where(
                mixture > 0.0, (w[:, None] * self.marginals * self.bayes).sum(axis=0) / mixture, 0.5
            )
        return best

    def excess(self, predictions: npt.ArrayLike, weights: npt.ArrayLike, *, loss: str = "square") -> FloatArray:
        """Return the excess (...) of the weighted risk of predictions (..., D), for squared error or logarithmic loss.

        Raises
        ------
        InvalidInputError
            If a prediction is outside of [0, 1], or the loss is neither "square" nor "log".
        """
        from scipy.special import rel_entr

        g = real_array("predictions", predictions, shape=f"(..., {self.n_cells})", min_ndim=1)
        if g.shape[-1] != self.n_cells or g.min() < 0.0 or g.max() > 1.0:
            raise InvalidInputError(
                f"`predictions` must be in [0, 1], one for each of {self.n_cells} cells, got shape {g.shape}."
            )
        _, mixture = self.mixture(weights)
        best = self.minimiser(weights)
        if loss == "square":
            apart = (g - best) ** 2
        elif loss == "log":
            apart = rel_entr(best, g) + rel_entr(1.0 - best, 1.0 - g)
        else:
            raise InvalidInputError(f'`loss` must be "square" or "log", got {loss!r}.')
        result: FloatArray = np.where(mixture > 0.0, mixture * apart, 0.0).sum(axis=-1)
        return result

    def risks(self, predictions: npt.ArrayLike) -> FloatArray:
        """Return the mean squared errors (..., K) of predictions (..., D) in all tasks."""
        g = real_array("predictions", predictions, shape=f"(..., {self.n_cells})", min_ndim=1)
        noise = self.bayes * (1.0 - self.bayes)
        result: FloatArray = (self.marginals * ((g[..., None, :] - self.bayes) ** 2 + noise)).sum(axis=-1)
        return result


def _quadratics(shares: FloatArray, means: FloatArray) -> QuadraticObjectives:
    """Return mean squared errors from shares and means of the labels of the cells, (..., K, D)."""
    curvature = np.zeros((*shares.shape, shares.shape[-1]))
    cells = np.arange(shares.shape[-1])
    curvature[..., cells, cells] = shares
    offset = (shares * means * (1.0 - means)).sum(axis=-1)
    names = [f"task {k + 1}" for k in range(shares.shape[-2])]
    return QuadraticObjectives(curvature, means, offset, names=names)


@document
def cell_tasks(n_cells: int = 200, *, n_blocks: int = 4) -> CellTasks:
    r"""Two tasks on the same cells, one of which prefers even cells and the other odd ones.

    Even cells have probability proportional to 3 in the first task and to 1 in the second, odd ones the reverse; the
    Bayes predictors rise from 0.2 to 0.8 over the blocks in the first task, and fall in the second.

    Parameters
    ----------
    n_cells : int, default 200
        D >= 2, even and a multiple of `n_blocks`.
    n_blocks : int, default 4
        r >= 1.

    Returns
    -------
    CellTasks

    {raises}

    Notes
    -----
    Complexity: O(D) time and memory.

    References
    ----------
    The situation, small classes and a large common one, is that of T. Wegel, G. So, J. Park and F. Yang (2025), On the
    sample complexity of semi-supervised multi-objective learning, arXiv 2508.17152; this instance is the project's own.

    Examples
    --------
    >>> problem = cell_tasks(8, n_blocks=2)
    >>> problem.bayes[:, ::4]
    array([[0.2, 0.8],
           [0.8, 0.2]])
    >>> problem.minimiser([0.5, 0.5])[:2]
    array([0.35, 0.65])
    """
    cells, r = check_count("n_cells", n_cells, low=2), check_count("n_blocks", n_blocks)
    if cells % 2 or cells % r:
        raise InvalidInputError(f"`n_cells` must be even and a multiple of `n_blocks` ({r}), got {cells}.")
    first = np.where(np.arange(cells) % 2 == 0, 3.0, 1.0)
    rising = np.linspace(0.2, 0.8, r) if r > 1 else np.array([0.2])
    return CellTasks(
        np.stack([first / first.sum(), first[::-1] / first.sum()]),
        np.repeat(np.arange(r), cells // r),
        np.stack([rising, rising[::-1] if r > 1 else 1.0 - rising]),
        name=f"cell_tasks_{cells}_{r}",
    )
