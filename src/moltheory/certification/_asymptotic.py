r"""The asymptotic engine: approximate tests of means, and the selection of the comparisons that count.

**No claim is guaranteed at any given sample size.** The tests are those of `_student` for losses that are not 0/1; 0/1
losses and tails keep their exact tests, whose price is counted differently, as follows (generalised moment selection,
D. W. K. Andrews and G. Soares 2010, doi 10.3982/ECTA7502; for one objective P. R. Hansen 2005, doi
10.1198/073500105000000063). With scores z, differences over their standard errors, and :math:`\kappa = \sqrt{\log n}`:

* A rival b of h with :math:`z < -\kappa` in some objective does not count among the r_h rivals of h. If h is on the front,
  every b is worse in some objective, or equal in all. Where it is worse by a fixed amount, its test excludes h with a
  probability that vanishes, so that nothing has to be paid for it; where it is worse by few standard errors, it is kept
  with probability tending to 1, as kappa grows without bound.
* A model does not count among the M models if its place is plain: some rival has :math:`z > \kappa` in every objective, or
  it has :math:`z > \kappa` (with the tolerance added) in some objective against every other model, apart from those that
  are plainly not on the front. By the same argument the verdicts on it are right with probability tending to 1.
  Models are counted in full where procedures are stepwise (one kind of verdict), or bound an expected share under any
  dependence: these account for settled models themselves.

**Measured error** (`tests/certification/test_asymptotic.py` has the worst two). Share of runs with a wrong verdict at
delta = .05, of which verdicts get .0425; models with common noise, 5 or 20 of them; 0/1, bounded and log-normal losses
(sigma = 1), and clusters of five; n = 100, 200 and 1,000; 200 to 2,000 runs each:

* all models on the front by a hair (flat): at most .052 (1,640 runs; 5 models, two objectives, n = 200, 0/1 losses in
  clusters), .043 to .052 in the worst of the other kinds of losses;
* every model equal to a cheaper one: at most .037 (300 runs; .016 in 2,000 runs of the same world);
* boxes (nominal .005): some box missed in .03 of the runs with log-normal losses, in .01 at n = 1,000;
* a steady model, on the front by a hair, among cheaper ones with log-normal losses: sigma = 1: .095 at n = 50, .078 at 100,
  .055 at 200, .043 at 1,000; sigma = 1.5: .115, .105, .065, .035; sigma = 2: .164 at n = 50, .126 at 100. The sample then
  often has none of the rare large losses that make the mean.

Assumed: finite variances, of the losses or of totals and sizes of clusters; each distribution fixed as n grows. No rate
holds for all distributions: with rare, very large losses the error may be as large as one likes (R. R. Bahadur and L. J.
Savage 1956, doi 10.1214/aoms/1177728077). No proof at any sample
size is claimed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._effective_units import UnitPowers
from moltheory.certification._measured import cell_shift
from moltheory.certification._p_values import PairTest, pair_tests
from moltheory.certification._promises import Promise
from moltheory.certification._row_blocks import row_blocks
from moltheory.certification._statistics import Moments
from moltheory.certification._student import pair_scores, student_p_values
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Scan
from moltheory.inference._pairs import PairCounts

__all__ = ["Powers", "approximate_tests", "selection"]

# log n of 20 units: fewer count as these.
_LEAST = 3.0

Bools = npt.NDArray[np.bool_]
Found = Sequence[PairCounts | Moments]
Powers = Mapping[int, UnitPowers]


def approximate_tests(
    scan: Scan, found: Found, tests: Sequence[PairTest], *, powers: Powers, relevant: float
) -> list[FloatArray]:
    """Return p-values (M, M) per test, as `pair_tests`: exact ones for 0/1 losses, else those of Student's t."""
    counted = [number for number, test in enumerate(tests) if isinstance(found[test.column], PairCounts)]
    exact = pair_tests(scan, found, [tests[number] for number in counted], relevant=relevant)
    tables = dict(zip(counted, exact, strict=True))
    done: dict[tuple[int, float], FloatArray] = {}
    for number, test in enumerate(tests):
        summary, key = found[test.column], (test.column, test.shift)
        if isinstance(summary, PairCounts):
            continue
        if key not in done:
            p = np.ones((scan.n_models,) * 2)
            for models in row_blocks(scan.n_models):
                p[models] = student_p_values(
                    summary, powers[test.column], scan.columns[test.column], test.shift, models
                )
            np.fill_diagonal(p, 1.0)
            p.flags.writeable = False
            done[key] = p
        tables[number] = done[key]
    return [tables[number] for number in range(len(tests))]


def selection(
    problem: Comparison, scan: Scan, found: Found, powers: Powers, slack: FloatArray, allowed: Bools, promise: Promise
) -> tuple[Bools, int | None]:
    """Return which comparisons count, from the scores of all pairs, for those that the known costs allow.

    Returns
    -------
    near : (M, M) ndarray of bool
        ``near[b, h]``: b counts among the rivals of h.
    size : int or None
        Number of models that count; None for all.
    """
    shape = (scan.n_models,) * 2
    # [b, h]: b is plainly worse in some objective; better in all; better by the tolerance in some.
    worse, better, ahead = np.zeros(shape, np.bool_), np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
    for i, objective in enumerate(problem.objectives):
        if objective.values is not None:
            continue
        if not objective.testable or not objective.columns:
            better[:] = False
            continue
        shift = cell_shift(objective, float(slack[i]))
        turned = problem.maximise[i]
        inside = np.ones(shape, np.bool_)
        for c in objective.columns:
            plain = _plain(scan, found, powers, c, 0.0)
            # A linear form of parts may be smaller although one of them is larger.
            if objective.forms is None:
                worse |= plain if turned else plain.T
            better &= plain.T if turned else plain
            far = plain if shift == 0.0 else _plain(scan, found, powers, c, shift / scan.columns[c].span)
            inside &= far.T if turned else far
        ahead |= inside
    near = allowed & ~worse
    stepwise = promise.verdicts != "both" or (promise.error == "share" and promise.dependence == "any")
    if stepwise:
        return near, None
    out = np.asarray((better & allowed).any(axis=0))
    on = (ahead | ~allowed.T | out[None, :]).all(axis=1)
    counted = allowed.any(axis=0) & ~out & ~on
    return near, max(int(counted.sum()), 1)


def _plain(scan: Scan, found: Found, powers: Powers, index: int, shift: float) -> Bools:
    """Return where the row's mean is below the column's plus the shift by sqrt(log n) standard errors."""
    plain = np.zeros((scan.n_models,) * 2, np.bool_)
    for models in row_blocks(scan.n_models):
        scores, log_n = pair_scores(found[index], powers.get(index), scan.columns[index], shift, models)
        plain[models] = scores > np.sqrt(np.maximum(log_n, _LEAST))
    return plain
