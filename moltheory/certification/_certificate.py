"""The result of `certify`: which models are on the front, which are not, which cannot be told, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_fraction, frozen
from moltheory.errors import InvalidInputError
from moltheory.pareto import Front, hypervolume, pareto_front

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Certificate"]

_KIND = "moltheory.Certificate"
_DTYPES: dict[str, type] = {
    "sure": np.bool_,
    "excluded": np.bool_,
    "excluded_by": np.int64,
    "beats": np.bool_,
    "within_slack": np.bool_,
    "replaceable_by": np.int64,
    "data_dependent": np.bool_,
    "level": np.float64,
    "estimates": np.float64,
    "boxes": np.float64,
    "epsilon": np.float64,
}
_PER_MODEL = ("sure", "excluded", "excluded_by", "level", "within_slack", "replaceable_by")
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is certain about the front of M models in m objectives, with probability at least 1 - delta in all.

    Attributes
    ----------
    names : tuple of str
        Of the M models.
    objectives : tuple of str
        Names of the m objectives, known costs last.
    maximise : tuple of bool
    data_dependent : (m,) ndarray of bool
        False for known costs.
    sure : (M,) ndarray of bool
        On the true front. With slack e = `epsilon`: `within_slack` and not excluded.
    excluded : (M,) ndarray of bool
        Not on it: some model dominates it.
    excluded_by : (M,) ndarray of int64
        Who does, -1 = nobody; rather a model that is not excluded itself.
    level : (M,) ndarray
        Adjusted p-value of each exclusion; `delta` where it takes the boxes too, NaN where it is not excluded. For every
        alpha up to `delta`, fixed in advance, a model of the front is excluded at a level of at most alpha with
        probability at most alpha. It is of the paired tests as planned for `delta`, so not the smallest delta that
        excludes: `certify` with another delta plans others, which may exclude at a smaller one, or not at this one. For
        losses that are not 0/1 by their type it is never below 1e-5 `delta`.
    beats : (M, M) ndarray of bool
        All dominance that is certain: ``beats[b, h]``, b dominates h.
    estimates : (M, m) ndarray
        Means over the examples on which the model was evaluated (over clusters, where these have equal weights); known
        values for costs.
    boxes : (M, m, 2) ndarray
        Intervals that hold the true values all at once; single points for costs, the whole range where no share of
        delta was spent on boxes.
    epsilon : (m,) ndarray
        Slack.
    delta : float
        Total failure probability of all claims together.
    spent : tuple of (str, float)
        How delta was split in advance.
    n_examples : int
        Examples on which some model was evaluated, in the objective that has most of them.
    methods : tuple of str
        Per objective: interval of the boxes; paired test.
    assumptions : tuple of str
        What the guarantee rests on.
    within_slack : (M,) ndarray of bool
        Certain members of the epsilon-Pareto set: no model is better by at least e in every objective, once strictly
        more. It may hold excluded ones, that are dominated by little; without slack it is `sure`.
    replaceable_by : (M,) ndarray of int64
        A model that costs no more, and less in some cost, and is worse by less than e in every other objective;
        -1 = none known. Claimed with slack and costs only.

    Examples
    --------
    >>> import moltheory as mt
    >>> losses = np.zeros((1000, 2), dtype=bool)
    >>> losses[:200, 0] = losses[20:250, 1] = 1
    >>> certificate = mt.certify(losses, names=["a", "b"])
    >>> certificate.sure, certificate.excluded, float(certificate.level[1].round(5))
    (array([ True, False]), array([False,  True]), 0.00176)
    >>> certificate.hypervolume([1.0])
    (0.76..., 0.83...)
    """

    names: tuple[str, ...]
    objectives: tuple[str, ...]
    maximise: tuple[bool, ...]
    data_dependent: npt.NDArray[np.bool_]
    sure: npt.NDArray[np.bool_]
    excluded: npt.NDArray[np.bool_]
    excluded_by: npt.NDArray[np.int64]
    level: FloatArray
    beats: npt.NDArray[np.bool_]
    estimates: FloatArray
    boxes: FloatArray
    epsilon: FloatArray
    delta: float
    spent: tuple[tuple[str, float], ...]
    n_examples: int
    methods: tuple[str, ...]
    assumptions: tuple[str, ...]
    within_slack: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    replaceable_by: npt.NDArray[np.int64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.within_slack is None:
            object.__setattr__(self, "within_slack", self.sure)
        if self.replaceable_by is None:
            object.__setattr__(self, "replaceable_by", np.full(len(self.names), -1))
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name), dtype=dtype)))
        check_fraction("delta", self.delta)
        n_models, m = len(self.names), len(self.objectives)
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_PER_MODEL, (n_models,))
        shapes |= {"beats": (n_models, n_models), "estimates": (n_models, m), "boxes": (n_models, m, 2)}
        shapes |= {"epsilon": (m,), "data_dependent": (m,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(f"`{name}` must have shape {shape}, got shape {getattr(self, name).shape}.")
        if (self.sure & self.excluded).any():
            raise InvalidInputError("`sure` must not hold an excluded model, got one.")

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Certificate):
            return NotImplemented
        return all(
            np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
            if isinstance(mine, np.ndarray)
            else mine == theirs
            for mine, theirs in ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def undecided(self) -> npt.NDArray[np.bool_]:
        """Neither sure nor excluded, (M,)."""
        return frozen(~(self.sure | self.excluded))

    @property
    def adjusted_p_value(self) -> FloatArray:
        """Adjusted p-value of each exclusion, (M,): another name of `level`."""
        return self.level

    @property
    def status(self) -> tuple[str, ...]:
        """One of "sure", "excluded", "undecided" per model."""
        return tuple(
            "sure" if sure else "excluded" if out else "undecided"
            for sure, out in zip(self.sure, self.excluded, strict=True)
        )

    @property
    def front_sandwich(self) -> tuple[Front, Front]:
        """Fronts of the worst and of the best ends of the boxes; the true front lies between them."""
        worst = np.where(self.maximise, self.boxes[:, :, 0], self.boxes[:, :, 1])
        best = np.where(self.maximise, self.boxes[:, :, 1], self.boxes[:, :, 0])
        return pareto_front(worst, maximise=self.maximise), pareto_front(best, maximise=self.maximise)

    def hypervolume(self, reference: npt.ArrayLike, /) -> tuple[float, float]:
        """Return an interval for the hypervolume of the true front.

        Parameters
        ----------
        reference : (m,) array_like
            In the caller's units and orientation.

        Returns
        -------
        low, high : float
        """
        low, high = (
            float(hypervolume(front.points, reference=reference, maximise=self.maximise))
            for front in self.front_sandwich
        )
        return low, high

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: status, who excludes it, and estimate and box of every objective."""
        import pandas as pd

        by = [self.names[j] if j >= 0 else None for j in self.excluded_by]
        columns: dict[str, Any] = {"model": self.names, "status": self.status}
        columns |= {"excluded_by": pd.array(by, dtype="string"), "level": self.level}
        if self.epsilon.any():
            other = [self.names[j] if j >= 0 else None for j in self.replaceable_by]
            columns |= {"within_slack": self.within_slack, "replaceable_by": pd.array(other, dtype="string")}
        for i, name in enumerate(self.objectives):
            columns[f"{name} (estimate)" if name in columns else name] = self.estimates[:, i]
            if self.data_dependent[i]:
                columns[f"{name} (low)"], columns[f"{name} (high)"] = self.boxes[:, i, 0], self.boxes[:, i, 1]
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the boxes of all models, colored and marked by status.

        One objective: intervals, sorted. Two: the plane. More: one line per model over the objectives, each scaled
        to the range of the boxes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional

        Returns
        -------
        matplotlib.axes.Axes
        """
        from moltheory.certification._plot import drawn

        return drawn(self, ax)

    def __repr__(self) -> str:
        """The verdicts in words."""
        data = ", ".join(self.objectives)
        slack = f", slack {'/'.join(f'{e:g}' for e in self.epsilon)}" if self.epsilon.any() else ""
        within = "to within the slack" if slack else "for sure"
        lines = [
            f"Certificate at confidence {1.0 - self.delta:g} from {self.n_examples} examples: "
            f"{len(self)} models, objectives {data}{slack}",
            f"  on the front {within} ({int(self.sure.sum())}): {self._some(self.sure)}",
            f"  excluded ({int(self.excluded.sum())}): {self._some(self.excluded, by=True)}",
            f"  undecided ({int(self.undecided.sum())}): {self._some(self.undecided)}",
        ]
        replaceable = int((self.replaceable_by >= 0).sum())
        if replaceable:
            lines.append(f"  replaceable by a cheaper one within the slack: {replaceable}")
        return "\n".join(lines)

    def _some(self, mask: npt.NDArray[np.bool_], *, by: bool = False) -> str:
        rows = np.flatnonzero(mask).tolist()
        shown = [
            self.names[h] + (f" (dominated by {self.names[self.excluded_by[h]]})" if by else "") for h in rows[:_SHOWN]
        ]
        more = [f"and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
        return ", ".join(shown + more) or "none"

    def to_json(self) -> str:
        """Return the certificate as JSON text; `from_json` gives back an equal one, bit for bit."""
        content: dict[str, Any] = {"kind": _KIND}
        for field in fields(self):
            value = getattr(self, field.name)
            content[field.name] = value.tolist() if isinstance(value, np.ndarray) else value
        content["beats"] = np.argwhere(self.beats).tolist()
        content["level"] = [None if np.isnan(level) else level for level in self.level.tolist()]
        return json.dumps(content, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, /) -> Certificate:
        """Return the certificate that `to_json` wrote.

        Raises
        ------
        InvalidInputError
            If `text` is not such a certificate.
        """
        try:
            content = json.loads(text)
            if content.pop("kind") != _KIND:
                raise KeyError("kind")
            beats = np.zeros((len(content["names"]),) * 2, dtype=np.bool_)
            for winner, loser in content["beats"]:
                beats[winner, loser] = True
            content["beats"] = beats
            content["level"] = [np.nan if level is None else level for level in content["level"]]
            content["spent"] = tuple((str(engine), float(share)) for engine, share in content["spent"])
            content["maximise"] = tuple(bool(flag) for flag in content["maximise"])
            for name in ("names", "objectives", "methods", "assumptions"):
                content[name] = tuple(content[name])
            return cls(**content)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise InvalidInputError("`text` must be the JSON text of a Certificate, got something else.") from None
