"""Small worlds in which every sample is visited: exact probabilities of everything that a certificate says.

Certificates depend on a sample only through the numbers of its outcomes. All are made once, through the public call;
any law of the outcomes is then a weighting of them, so grids of laws and searches over laws cost next to nothing.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import moltheory as mt

from ._truth import Array, beats

Weights = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SmallWorld:
    """Outcomes that are drawn n times.

    Attributes
    ----------
    losses : (s, M, N) ndarray
        Losses of each outcome as drawn; NaN where a model is not evaluated.
    n : int
    options : dict
        Further arguments of `certify`, `costs` and `epsilon` among them.
    hidden : (s, M, N) ndarray, optional
        Losses without the missing ones; these must be missing at random under every law used.
    make : callable, optional
        From numbers of outcomes to losses and further arguments, or None if such a sample is refused.
    true : callable, optional
        From probabilities to the true values (M, m), costs included.
    chance : (s,) -> bool, optional
        Laws that are allowed.
    """

    losses: Array
    n: int
    options: dict[str, Any] = field(default_factory=dict)
    hidden: Array | None = None
    make: Callable[[Array], tuple[Any, dict[str, Any]] | None] | None = None
    true: Callable[[Array], Array] | None = None
    allows: Callable[[Weights], bool] = lambda _: True

    @functools.cached_property
    def samples(self) -> Array:
        """All numbers of outcomes that add up to n, (T, s)."""
        return np.array(list(compositions(self.n, len(self.losses))))

    @functools.cached_property
    def _coefficients(self) -> Array:
        return np.array(
            [math.factorial(self.n) // math.prod(map(math.factorial, c)) for c in self.samples.tolist()], float
        )

    def chances(self, law: Weights) -> Array:
        """Probability of each sample (T,) under integer weights of the outcomes."""
        p = np.array(law) / sum(law)
        return self._coefficients * np.prod(p[None, :] ** self.samples, axis=1)

    def truth(self, law: Weights) -> Array:
        """True values (M, m) in the caller's orientation."""
        p = np.array(law) / sum(law)
        if self.true is not None:
            return self.true(p)
        means = np.tensordot(p, self.losses if self.hidden is None else self.hidden, axes=1)
        costs = self.options.get("costs")
        return means if costs is None else np.column_stack([means, np.asarray(costs, dtype=float)])

    def laws(self, total: int) -> list[Weights]:
        """All laws with weights that add up to `total`, boundary ones included."""
        return [law for law in compositions(total, len(self.losses)) if self.allows(law)]

    def claims(self, **options: Any) -> "Claims":
        """The certificates of all samples."""
        found = []
        for counts in self.samples:
            made = (np.repeat(self.losses, counts, axis=0), {}) if self.make is None else self.make(counts)
            found.append(None if made is None else mt.certify(made[0], **made[1], **self.options, **options))
        return Claims(self, found)


class Claims:
    """What the certificates of all samples of a world say, as arrays that begin with the samples (T, ...)."""

    def __init__(self, world: SmallWorld, found: list[mt.Certificate | None]) -> None:
        made = [c for c in found if c is not None]
        self.world, self.one = world, made[0]
        # A refused sample says nothing.
        self.made = np.array([c is not None for c in found])
        self.within, self.excluded = self._stack(made, "within_slack"), self._stack(made, "excluded")
        self.dominates, self.open_rivals = self._stack(made, "dominates"), self._stack(made, "open_rivals")
        self.decided_at, self.leaning = self._stack(made, "decided_at"), self._stack(made, "leaning")
        self.boxes, self.replaceable_by = self._stack(made, "boxes"), self._stack(made, "replaceable_by")
        self.level, self.sizes = self._stack(made, "adjusted_p_value"), self._stack(made, "front_size")
        self.sets = [c.alternatives() + c.alternatives(disjoint=True) for c in made]

    def _stack(self, made: list[mt.Certificate], name: str) -> Array:
        return np.array([getattr(certificate, name) for certificate in made])

    def under(self, law: Weights) -> "Odds":
        """Return the probabilities under a law."""
        return Odds(self, self.world.chances(law)[self.made], self.world.truth(law))


class Odds:
    """Exact probabilities of false claims."""

    def __init__(self, claims: Claims, chances: Array, true: Array) -> None:
        self._claims, self._chances = claims, chances
        one = claims.one
        self._true = true
        self._minimised = true * np.where(one.maximise, -1.0, 1.0)
        self.dominance, self.by_slack = beats(self._minimised), beats(self._minimised, one.epsilon)
        self.front, self.members = ~self.dominance.any(axis=0), ~self.by_slack.any(axis=0)
        self.wrong = (claims.within & ~self.members) | (claims.excluded & self.front)
        self.given = claims.within | claims.excluded

    def chance(self, event: Array) -> float:
        """Probability of an event given for each sample."""
        return float(self._chances @ event)

    @property
    def names_wrong(self) -> Array:
        """A dominance, a replacement or a box is wrong, (T,)."""
        claims, one = self._claims, self._claims.one
        wrong = (claims.dominates & ~self.dominance).any(axis=(1, 2))
        low, high = claims.boxes[..., 0], claims.boxes[..., 1]
        wrong |= ((self._true < low - 1e-12) | (self._true > high + 1e-12)).any(axis=(1, 2))
        data = one.data_dependent
        gap = self._minimised[:, None, :] - self._minimised[None, :, :]  # [b, h]
        fine = (gap[:, :, data] < one.epsilon[data] - 1e-12).all(axis=2)
        fine &= (gap[:, :, ~data] <= 0.0).all(axis=2) & (gap[:, :, ~data] < 0.0).any(axis=2)
        by = claims.replaceable_by
        wrong |= ((by >= 0) & ~fine[np.maximum(by, 0), np.arange(by.shape[1])]).any(axis=1)
        return np.asarray(wrong)

    @property
    def open_wrong(self) -> Array:
        """A model is neither excluded nor a member, and no open rival that dominates it is on the front, (T,)."""
        claims = self._claims
        saved = (claims.open_rivals & (self.by_slack & self.front[:, None]).T).any(axis=2)
        return np.asarray((~claims.excluded & ~self.members & ~saved).any(axis=1))

    @property
    def consequences_wrong(self) -> Array:
        """A set said to hold a member holds none, or the number of members is out of its limits, (T,)."""
        claims, members = self._claims, self.members
        wrong = np.array([any(not members[list(chosen)].any() for chosen in sets) for sets in claims.sets])
        low, high = claims.sizes.T
        return np.asarray(wrong | (members.sum() < low) | (members.sum() > high))

    def some_wrong(self, *, too_many: int = 1) -> float:
        """P(that many verdicts are false, or a dominance, a replacement or a box)."""
        return self.chance((self.wrong.sum(axis=1) >= too_many) | self.names_wrong)

    @property
    def share(self) -> float:
        """Expected share of false verdicts among those given."""
        return self.chance(self.wrong.sum(axis=1) / np.maximum(self.given.sum(axis=1), 1))

    def wrong_at(self, alpha: float) -> float:
        """P(some model leans to the false side and would be settled there at a total failure probability alpha)."""
        claims = self._claims
        side = np.where(claims.leaning > 0, ~self.members, self.front) & (claims.leaning != 0)
        return self.chance((side & (claims.decided_at <= alpha)).any(axis=1))

    def wrong_level(self, alpha: float) -> float:
        """P(some model of the front is excluded with an adjusted p-value of at most alpha)."""
        return self.chance((self.front & (self._claims.level <= alpha)).any(axis=1))

    @property
    def settled(self) -> float:
        """Expected number of verdicts."""
        return self.chance(self.given.sum(axis=1))


def compositions(total: int, parts: int) -> Iterator[Weights]:
    """Yield all tuples of `parts` numbers >= 0 with this sum."""
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *bars, total + parts - 1)
        yield tuple(b - a - 1 for a, b in itertools.pairwise(edges))


def climb(
    score: Callable[[Weights], float],
    start: Weights,
    *,
    allows: Callable[[Weights], bool] = lambda _: True,
    steps: tuple[int, ...] = (1,),
) -> tuple[float, Weights]:
    """Return the largest score on the way uphill from a law; weight is moved from one outcome to another by `steps`."""
    best, law = score(start), start
    while True:
        top = (best, law)
        for step, (a, b) in itertools.product(steps, itertools.permutations(range(len(law)), 2)):
            moved = list(law)
            moved[a], moved[b] = moved[a] - step, moved[b] + step
            if moved[a] >= 0 and allows(tuple(moved)):
                top = max(top, (score(tuple(moved)), tuple(moved)))
        if top[0] <= best + 1e-15:
            return best, law
        best, law = top


def patterns(*rows: str) -> Array:
    """Return 0/1 losses (s, M, N) from words such as "011" (N = 1) or "01 10 00" (one word per model)."""
    table = [[[bool(int(x)) for x in word] for word in (row.split() if " " in row else row)] for row in rows]
    return np.array(table)
