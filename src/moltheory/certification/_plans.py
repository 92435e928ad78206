"""How many examples a certificate still needs, as a method of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from moltheory._core._docs import document
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._statistics import PairStatistics

__all__ = ["Plans"]


class Plans:
    """The plan of a certificate."""

    @document
    def plan(
        self,
        *,
        goal: str | Mapping[str, float] | Sequence[str] | None = None,
        simulate: int = 60,
        rng: int = 0,
    ) -> pd.DataFrame:
        """Return the number of further examples that would decide each undecided model: a plan, **not a guarantee**.

        Two ways lead to numbers. *Simulation* draws new samples of growing sizes, and certifies each of them anew, with
        the same delta, promise, tolerance, costs, measures, clusters and method: the size at which a model is decided in 50,
        80 and 95 % of these runs. Each run first draws a population, a bootstrap sample of the losses at hand, so gaps that
        may be large by luck are smaller in many runs. *Bounds* take the hardest open rival of each model and the sizes that
        its tests need; they ignore tolerances, and what other comparisons leave of delta, so they are often larger, though
        ``sufficient_additional`` takes the observed rates for the true ones. With clusters, all numbers count clusters. The
        losses are not read again.

        Parameters
        ----------
        goal : {"all"}, mapping of str to float, or pair of str, optional
            Plan for one goal instead of every model.

            * ``"all"``: every model is decided;
            * ``{"error": 0.1}``: limits as in `within`: every model that may meet them is certain to be on the front of
              those that do;
            * ``("a", "b")``: one of the two models is off the front, or neither can dominate the other.
        {simulate}
        {simulation_seed}

        Returns
        -------
        pandas.DataFrame
            One row per undecided model, sorted by ``sufficient_additional``, with these columns:

            * ``model``;
            * ``n_open_rivals``: number of rivals against which more examples are needed by the bounds;
            * ``hardest_rival``: the rival that needs most examples to be ruled out; the one that would be shown to dominate
              the model, where that needs fewer;
            * ``n_common``: number of examples common to the two;
            * ``outcome``: what the observed gaps between the two suggest;
            * ``expected_additional``: further examples at which half of the simulated runs decide the model (NaN if not
              simulated; 0 if at most the size at hand; infinite beyond ``simulated_up_to``);
            * ``sufficient_additional``: number that suffices with probability 0.8 at the observed rates, by a bound
              (infinite if no gap is observed, or if an objective has neither a paired test nor boxes);
            * ``sufficient_additional_low``: the same with gaps one standard error larger;
            * ``sufficient_additional_high``: the same at lower confidence limits of the gaps, infinite if the data do not
              rule out equal models. True gaps may be smaller than observed, so rely on this one: whatever the true rates,
              it is finite and insufficient with probability at most 0.2, to the accuracy given in the notes;
            * ``additional_80``, ``additional_95``: further examples at which 80 % and 95 % of the runs decide the model;
            * ``additional_80_low``, ``additional_80_high``: ``additional_80`` where the share of runs is two of its
              standard errors smaller or larger: what the finite number of runs leaves open;
            * ``simulated_up_to``: the largest number simulated;
            * ``blocked_by``, with measured costs only: those whose intervals overlap with the hardest rival's where no
              number of examples suffices, since examples do not narrow them: measure these costs more precisely.

            With a goal: one row with ``goal`` in words, ``n_open``, the number of models that it is still about, and the
            columns from simulation.

        Raises
        ------
        InvalidInputError
            If the certificate carries no statistics, because it was read from JSON or modified; or if there is no such
            goal, objective or model.

        Notes
        -----
        *Simulated numbers* are for a **new** sample of the size at hand and the further examples together, certified once.
        Each run draws a population from the losses at hand, as many examples or clusters with replacement, and its sample
        from that population, with replacement again. So the shares average over the gaps that the losses at hand leave
        possible: the fewer losses, the further apart are the sizes for 50 and 95 %. Where equal models are not ruled out,
        gaps are next to nothing in some runs, and the sizes for 95 %, or for 80 %, may be infinite. Not accounted for are
        what the losses at hand do not show (models without a difference there have none in any run), and that they left
        models open, which small true gaps do more often than large ones.

        In eight kinds of simulated worlds with five models (benchmarks/results/plans.md) new samples of a size planned for
        50 % decided in 75 of 188 cases (25 to 64 % of those of a world), for 80 % in 93 of 121 (65 to 88 %), and for 95 % in
        42 of 45. Of all plans 30 % had no size for 80 %, and 74 % none for 95 %. In a ninth, of models that are nearly
        equal, sizes for 80 % decided in 2 of 11 cases: no plan from 1,000 examples sees gaps that small.

        A certificate keeps at most 8 MB of the losses (a random part of the examples or clusters); runs draw populations
        of as many as were certified from these. A pickle leaves the losses out, so what is read from one simulates nothing.
        Sizes grow by a factor of 1.41, up to 1,000 times the size at hand. Runs get fewer, then end, where they would take
        more than about 5 seconds times `simulate` / 60 in all, 20 with millions of examples (NaN if even the size at hand
        takes longer); work is counted, not timed, so the machine has no influence.

        *Bounds*: tests are planned at the level of one model's test (the share of delta for verdicts over M, for
        ``error="any"``), over the number of objectives to rule out a rival, and over M - 1 for a dominance. What `certify`
        deducts for losses that only look binary is deducted here too, and the level is halved for bounded losses, whose two
        tests share it.

        ``sufficient_additional`` covers all rivals and objectives at once, which share the failure probability .2
        (union bound). Of the .2 of ``sufficient_additional_high``, .16 is the probability that some gap between the
        model and the rival that truly needs most examples is overestimated, or that of one objective of each open rival
        in its favor; N objectives and K rivals share it in N + K parts (K rounded up to a power of 2), so for one rival
        the limit is 1.41 standard errors below the gap for one objective, 1.61 for two. This probability is

        * for 0/1 losses, exact for equal models, and a normal approximation otherwise;
        * for other losses, that of Student's t, unreliable while two models differ on a few examples only.

        Gaps, spreads and worst groups that are tested by contrasts are decided where the hardest contrast is as many
        standard errors from zero as bets need; equal models with a `Gap` got a finite number in 30 % of simulations.

        Objectives without a paired test (tails, conditions that depend on the model, gaps of groups that overlap or with
        clusters), and all if delta was spent on boxes only, are planned by boxes; so are quantiles, whose paired test
        needs fewer examples. Lengths of boxes are assumed to shrink like the inverse square root of the sample size, and
        half-lengths to be at least the normal quantile times the standard error. Boxes of single rates and means allow
        for any dependence between the two models. Those of measures of several rates do not, as they are wider than
        needed: equal models with a `Gap` got a finite number in at most 13 % of simulations, negatively correlated ones
        included. **Tails, and quantiles in particular, carry no such probability**: if losses have atoms, an estimate may
        jump, and its box need not shrink. Tails of classes of your own are not simulated.

        Complexity: O(M^2 N) time for the bounds; that of `certify` for each simulated run, with the stated limit.

        Examples
        --------
        >>> import numpy as np
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 2), dtype=bool)
        >>> losses[:200, 0] = losses[10:220, 1] = 1
        >>> certificate = mt.certify(losses, names=["a", "b"])
        >>> plan = certificate.plan()
        >>> plan[["model", "expected_additional", "additional_80", "sufficient_additional"]].to_dict("records")[0]
        {'model': 'a', 'expected_additional': 465.0, 'additional_80': 4666.0, 'sufficient_additional': 7144.0}
        >>> certificate.plan(goal="all")["additional_80"].tolist()
        [4666.0]
        """
        from moltheory.certification._plan import plan_of

        statistics: PairStatistics | None = getattr(self, "_statistics", None)
        if statistics is None:
            raise InvalidInputError(
                "`certificate` must hold the statistics of its losses, got one without, such as that of a stream, which "
                "keeps no losses: use what `certify` returned, or `further_examples(losses, certificate)`."
            )
        return plan_of(self, statistics, goal=goal, simulate=simulate, rng=rng)  # type: ignore[arg-type]
