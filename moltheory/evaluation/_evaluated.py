"""What adapters hand to `certify`: losses of models on examples, with names, costs and clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_names, frozen, real_array
from moltheory.errors import InvalidInputError
from moltheory.evaluation._source import Block, LossSource
from moltheory.objectives import Measure

if TYPE_CHECKING:
    from moltheory.certification import Certificate

__all__ = ["EvaluatedModels"]


class EvaluatedModels(LossSource):
    """Losses of M models on n examples for N objectives, ready to be certified; read-only.

    It is a source of losses like a file (see `open_losses`), held in memory: `certify` and `further_examples` take
    it too.

    Parameters
    ----------
    losses : (n, M, N) array_like
        Finite, or NaN where a model was not evaluated.
    model_names, objective_names : iterable of str
        M and N distinct names.
    examples : iterable of str, optional
        Names of the n examples.
    measures : mapping of str to Measure, optional
        What to certify instead of the means of the losses, such as rates within groups, over the same n examples
        and M models.
    clusters : (n,) array_like of int or str, optional
        Equal for examples that belong together, such as rows of one patient; how large they can be, or that they
        weigh the same, is said to `certify` (`largest_cluster`, `cluster_weights`).
    costs : (M, k) array_like, optional
        Costs known exactly.
    cost_names : iterable of str, optional
        Their names.
    maximise : iterable of bool, optional
        Whether larger is better, per objective; False by default. Costs are minimised.

    Attributes
    ----------
    losses, model_names, objective_names, examples, measures, clusters, costs, cost_names, maximise
        As given; clusters that are no integers are numbered.
    """

    name = "evaluated models"

    def __init__(
        self,
        losses: npt.ArrayLike,
        model_names: Iterable[str],
        objective_names: Iterable[str],
        *,
        examples: Iterable[str] | None = None,
        measures: Mapping[str, Measure] | None = None,
        clusters: npt.ArrayLike | None = None,
        costs: npt.ArrayLike | None = None,
        cost_names: Iterable[str] | None = None,
        maximise: Iterable[bool] | None = None,
    ) -> None:
        table = np.asarray(losses, dtype=np.float64)
        if table.ndim != 3 or table.size == 0:
            raise InvalidInputError(f"`losses` must have shape (n, M, N) and not be empty, got shape {table.shape}.")
        if np.isinf(table).any():
            raise InvalidInputError("`losses` must be finite, or NaN where not evaluated, got an infinity.")
        n, m, k = table.shape
        self.losses: FloatArray = frozen(table)
        self.model_names = check_names("model_names", model_names, length=m, stem="model")
        self.objective_names = check_names("objective_names", objective_names, length=k, stem="objective")
        self.examples = None if examples is None else check_names("examples", examples, length=n, stem="example")
        self.measures = None if measures is None else dict(measures)
        self.clusters = None if clusters is None else _check_clusters(clusters, n)
        self.has_clusters = clusters is not None
        self.costs: FloatArray | None = None
        self.cost_names: tuple[str, ...] = ()
        if costs is not None:
            self.costs = frozen(real_array("costs", costs, shape="(M, k)", min_ndim=2, max_ndim=2))
            if self.costs.shape[0] != m:
                raise InvalidInputError(f"`costs` must have one row per model, {m}, got shape {self.costs.shape}.")
            self.cost_names = check_names("cost_names", cost_names, length=self.costs.shape[1], stem="cost")
        self.maximise = (False,) * k if maximise is None else tuple(bool(flag) for flag in maximise)
        if len(self.maximise) != k:
            raise InvalidInputError(f"`maximise` must have {k} entries, one per objective, got {len(self.maximise)}.")

    def certify(self, **options: Any) -> Certificate:
        """Certify these models; see `moltheory.certify`.

        Parameters
        ----------
        **options
            Arguments of `certify` other than the losses, in place of what is known here: `delta`, `epsilon`,
            `method`, and so on.

        Returns
        -------
        Certificate

        Examples
        --------
        >>> models = EvaluatedModels(np.zeros((50, 2, 1)), ["a", "b"], ["error"], costs=[[1.0], [2.0]])
        >>> models.certify(delta=0.1).names
        ('a', 'b')
        """
        from moltheory.certification import certify

        known: dict[str, Any] = {"names": self.model_names, "clusters": self.clusters, "costs": None}
        if self.costs is not None:
            known["costs"] = {name: self.costs[:, j] for j, name in enumerate(self.cost_names)}
        if self.measures is not None:
            return certify(None, **(known | {"objectives": self.measures} | options))
        known |= {"objectives": self.objective_names, "maximise": self.maximise}
        if options.get("maximise") is None:
            options.pop("maximise", None)
        return certify(self.losses, **(known | options))

    def blocks(self) -> Iterator[Block]:
        """Give all losses as one block, with the rows of each cluster together."""
        if self.clusters is None:
            yield self.losses, None
        else:
            order = np.argsort(self.clusters, kind="stable")
            yield self.losses[order], self.clusters[order]

    def __repr__(self) -> str:
        """Sizes and names."""
        n, m, _ = self.losses.shape
        names = ", ".join((*(self.measures or self.objective_names), *self.cost_names))
        missing = float(np.isnan(self.losses).mean())
        gaps = f", {missing:.0%} not evaluated" if missing else ""
        groups = "" if self.clusters is None else f", {np.unique(self.clusters).size} clusters"
        return f"EvaluatedModels({m} models, {n} examples{groups}: {names}{gaps})"


def _check_clusters(clusters: npt.ArrayLike, n: int) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[Any] = np.asarray(clusters)
    if codes.shape == (n,) and (codes.dtype.kind == "U" or all(isinstance(label, str) for label in codes.tolist())):
        codes = np.unique(codes, return_inverse=True)[1]
    if codes.shape != (n,) or codes.dtype.kind not in "iu":
        raise InvalidInputError(f"`clusters` must be {n} integers or names, got shape {codes.shape} of {codes.dtype}.")
    return frozen(codes.astype(np.int64))
